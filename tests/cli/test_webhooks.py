"""``highstreet webhooks``: an operator sets them up, sees what is wrong and sends again."""

from pathlib import Path
from typing import Any

import pytest

from highstreet.app import create_app, house_of
from webhook_sink import Sink

from .conftest import Call
from .test_campaigns import BRAND


@pytest.fixture
def sink() -> Any:
    found = Sink()
    server = found.start()
    yield found
    server.shutdown()
    server.server_close()


@pytest.fixture
def town(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """A brand of two stores, on a machine that may send to itself."""
    monkeypatch.setenv("HIGHSTREET_WEBHOOKS_LOCAL", "true")
    blueprint = tmp_path / "brand.toml"
    blueprint.write_text(BRAND, "utf-8")
    assert call("brands", "apply", blueprint).code == 0
    return call


def work(instance: Path) -> None:
    """All jobs that are due."""
    house = house_of(create_app({"instance": str(instance)}, faces=False))
    while house.runner.run_one() is not None:
        pass
    house.engine.dispose()


def test_the_whole_life_of_a_webhook(town: Call, instance: Path, sink: Sink) -> None:
    brand = ("--brand", "larkfield")
    made = town(
        "webhooks", "add", *brand, "--store", "101", "--name", "CRM", "--url", sink.url,
        "--event", "tool.switched", "--event", "points_club.earned", "--json",
    )  # fmt: skip
    assert made.json["secret"].startswith("whsec_")
    assert (made.json["store"], made.json["status"]) == ("101", "active")
    number = made.json["id"]
    office = town(
        "webhooks", "add", *brand, "--name", "Head", "--url", "https://crm.example/in",
        "--event", "tool.switched",
    )  # fmt: skip
    assert office.out.startswith("whsec_")
    assert "shown this once" in office.err
    rows = town("webhooks", "list", *brand, "--json").json
    assert [one["store"] for one in rows] == [None, "101"]
    assert "secret" not in rows[1]
    assert [one["name"] for one in town("webhooks", "list", *brand, "--office", "--json").json] == [
        "Head"
    ]
    listed = town("webhooks", "list", *brand, "--store", "harbour-road")
    assert "CRM" in listed.out
    assert "Head" not in listed.out
    shown = town("webhooks", "show", number, *brand)
    assert "events: tool.switched points_club.earned" in shown.out
    assert "whsec" not in shown.out

    assert "paused" in town("webhooks", "pause", number, *brand).out
    refused = town("webhooks", "test", number, *brand)
    assert refused.code != 0
    assert "Switch the webhook on first" in refused.err
    assert "is on" in town("webhooks", "resume", number, *brand).out
    new = town("webhooks", "rotate", number, *brand, "--old-hours", "0")
    assert new.out.startswith("whsec_")
    assert new.out.strip() != made.json["secret"]

    sink.reply = lambda _got: (500, {}, b"out of order")
    sent = town("webhooks", "test", number, *brand, "--json").json
    work(instance)
    [message] = town("webhooks", "deliveries", number, *brand, "--json").json
    assert (message["id"], message["answer"]) == (sent["id"], "out of order")
    assert "500 out of order" in town("webhooks", "deliveries", number, *brand).out
    sink.reply = lambda _got: (204, {}, b"")
    assert town("webhooks", "retry", number, *brand, "--json").json["retried"] == 1
    work(instance)
    [message] = town("webhooks", "deliveries", number, *brand, "--status", "sent", "--json").json
    assert message["answer_status"] == 204
    one = town("webhooks", "retry", number, *brand, "--delivery", sent["id"])
    assert one.out.strip() == "1 message is sent again."
    both = town(
        "webhooks", "retry", number, *brand, "--delivery", sent["id"], "--since", "2026-01-01"
    )
    assert both.code != 0

    gone = town("webhooks", "remove", number, *brand, "--yes")
    assert "“CRM” is deleted" in gone.out
    again = town("webhooks", "show", number, *brand)
    assert again.code != 0
    assert "highstreet webhooks list" in again.err
    entries = town("trail", *brand, "--json").json
    assert {"webhook.created", "webhook.paused", "webhook.rotated", "webhook.deleted"} <= {
        one["action"] for one in entries
    }


def test_what_is_wrong_is_said(town: Call) -> None:
    wrong = town(
        "webhooks", "add", "--brand", "larkfield", "--name", "CRM", "--url", "https://10.0.0.1/",
        "--event", "tool.switched",
    )  # fmt: skip
    assert wrong.code != 0
    assert "not public" in wrong.err
