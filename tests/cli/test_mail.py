"""``highstreet mail``: an operator tries the server, sees how it stands, takes in bounces."""

import io
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from highstreet.app import create_app, house_of
from highstreet.consent import service as consent
from highstreet.customers import service as customers
from highstreet.email import outbox, pieces, senders
from highstreet.email.outbox import MessageIn
from highstreet.email.pieces import PieceIn
from highstreet_tenants.models import Brand, Store
from highstreet_tenants.scopes import Scope
from smtp_sink import Sink

from .conftest import Call
from .test_campaigns import BRAND

AT = ("--brand", "larkfield")
DSN = (
    "From: MAILER-DAEMON@mx.example\nTo: {path}\nMIME-Version: 1.0\n"
    'Content-Type: multipart/report; report-type=delivery-status; boundary="B"\n\n'
    "--B\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n"
    "Final-Recipient: rfc822; ann@post.example\nAction: failed\nStatus: 5.1.1\n\n--B--\n"
)


@pytest.fixture
def sink() -> Any:
    found = Sink().start()
    yield found
    found.stop()


@pytest.fixture
def town(call: Call, tmp_path: Path, sink: Sink, monkeypatch: pytest.MonkeyPatch) -> Call:
    """A brand of two stores, and a mail server on this machine."""
    monkeypatch.setenv("HIGHSTREET_SMTP_URL", sink.url)
    blueprint = tmp_path / "brand.toml"
    blueprint.write_text(BRAND, "utf-8")
    assert call("brands", "apply", blueprint).code == 0
    return call


def sign(instance: Path, *, writes: bool = False) -> None:
    """Head office says who it is; and, if asked, somebody is written to and the job is done."""
    house = house_of(create_app({"instance": str(instance)}, faces=False))
    with house.tenancy.control() as c:
        brand = c.query(Brand).filter(Brand.slug == "larkfield").one()
    with house.tenancy.session(Scope.operator(brand.id), write=True) as s:
        senders.choose(
            s,
            name="Larkfield",
            address="club@larkfield.example",
            reply_to="",
            return_path="back@larkfield.example",
            postal="1 Field Lane",
        )
        store = s.query(Store).filter(Store.code == "101").one()
    if writes:
        with house.tenancy.session(Scope.store(brand.id, store.id), write=True) as s:
            ann = customers.enrol(s, name="Ann", email="ann@post.example").id
            consent.record(
                s, ann, purpose="marketing", channel="email", status="given", wording="Yes",
                method="till",
            )  # fmt: skip
            made = pieces.keep(s, PieceIn("mailing", "marketing", "Hello", text="Hello {{ name }}"))
            assert outbox.queue(
                s, MessageIn(ann, made, "mailing", "marketing", {}, place_id=s.store_id)
            )
        while house.runner.run_one() is not None:
            pass
    house.engine.dispose()


def test_a_message_is_tried_and_what_is_in_the_way_is_said(
    town: Call, instance: Path, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = town("mail", "test", *AT, "--to", "op@larkfield.example")
    assert refused.code != 0 and "in whose name" in refused.err
    sign(instance)
    done = town("mail", "test", *AT, "--to", "op@larkfield.example")
    assert (done.code, done.out) == (0, "taken: 250 2.0.0 taken\n")
    assert [one.to for one in sink.got] == [["op@larkfield.example"]]
    sink.answer = lambda stage, _to: "550 5.7.1 not you" if stage == "RCPT" else None
    failed = town("mail", "test", *AT, "--to", "op@larkfield.example", "--json")
    assert failed.code == 1
    assert failed.json == {"fate": "refused", "code": 550, "text": "5.7.1 not you"}
    assert town("mail", "test", *AT, "--to", "nobody").code == 2
    monkeypatch.setenv("HIGHSTREET_SMTP_URL", "")
    none = town("mail", "status", *AT)
    assert "no mail leaves" in none.out


def test_what_came_back_is_taken_in_once(
    town: Call, instance: Path, sink: Sink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign(instance, writes=True)
    [got] = sink.got
    text = DSN.format(path=got.sender).encode()
    new = tmp_path / "maildir" / "new"
    new.mkdir(parents=True)
    (new / "1").write_bytes(text)
    (new / "2").write_bytes(b"Subject: I am away\n\nBack on Monday\n")
    found = town("mail", "bounces", tmp_path / "maildir", "--json").json
    assert found == {"hard": 1, "soft": 0, "complaints": 0, "seen": 0, "strange": 1}
    assert list(new.iterdir()) == []
    assert len(list((tmp_path / "maildir" / "cur").iterdir())) == 2
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(text)))
    assert town("mail", "bounces").out == "hard 0, soft 0, complaints 0, seen 1, strange 0\n"
    status = town("mail", "status", *AT, "--json").json
    assert status["messages"]["bounced"] == 1
    assert status["came_back"] == {"hard": 1, "soft": 0, "complaint": 0}
    assert [(one["state"], one["answer"]) for one in status["troubles"]] == [("bounced", "5.1.1")]
    assert "bounced" in town("mail", "status", *AT).out
    assert town("mail", "bounces", tmp_path / "nowhere").code != 0


def test_a_setting_that_can_not_work_ends_the_start_and_shows_no_password(
    town: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HIGHSTREET_SMTP_URL", "smtp://club:s3cret@mail.example?tls=maybe")
    done = town("mail", "status", *AT)
    assert done.code == 2
    assert "smtp_url" in done.err and "s3cret" not in done.err + done.out
    monkeypatch.setenv("HIGHSTREET_SMTP_URL", "smtps://club:s3cret@mail.example")
    assert "smtps://club:***@mail.example" in town("mail", "status", *AT).out
