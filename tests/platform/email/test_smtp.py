"""Handing messages to a mail server, also to one that makes difficulties."""

import socket
import ssl
import subprocess
from collections import Counter
from time import monotonic

import pytest
from msgspec.structs import replace

from highstreet.email import setting
from highstreet.email.smtp import Server, Times
from highstreet.email.smtp_pool import Smtp
from highstreet.email.transports import Envelope, Folder, Memory
from highstreet_tenants.errors import Invalid
from smtp_sink import Sink

QUICK = Times(connect=2, greeting=0.4, command=0.4, content=0.4)
BODY = b"Subject: x\r\n\r\nHello\r\n.\r\n..two dots\r\n"


@pytest.fixture
def sink():
    found = Sink().start()
    yield found
    found.stop()


@pytest.fixture
def post(sink):
    made = []

    def make(connections=1, **how):
        server = Server("127.0.0.1", sink.port, tls="none", **{"times": QUICK, **how})
        made.append(Smtp(server, connections=connections, only_here=True))
        return made[-1]

    yield make
    for one in made:
        one.close()


def envelopes(count=1, body=BODY):
    return [Envelope("club@h.example", f"p{number}@post.example", body) for number in range(count)]


@pytest.mark.parametrize("features", [("PIPELINING", "SIZE 1000000"), ()])
def test_messages_come_as_they_were_and_connections_are_kept(sink, post, features):
    sink.features = features
    smtp = post(connections=4, times=Times())
    for _batch in range(3):
        answers = smtp.send(iter(envelopes(50)))
        assert {one.fate for one in answers} == {"taken"}
    assert len(sink.got) == 150
    assert {one.data for one in sink.got} == {BODY}
    assert Counter(one.to[0] for one in sink.got) == {f"p{n}@post.example": 3 for n in range(50)}
    assert sink.connections <= 4


def test_each_answer_stands_beside_its_message(sink, post):
    replies = {
        "p1@post.example": "550 5.1.1 no such person",
        "p3@post.example": "451 4.7.1 come back later",
        "p4@post.example": "550 5.7.1 we do not like you",
    }
    sink.answer = lambda stage, to: replies.get(to) if stage == "RCPT" else None
    answers = post().send(envelopes(6))
    assert [one.fate for one in answers] == [
        "taken", "refused", "taken", "put-off", "refused", "taken",
    ]  # fmt: skip
    assert [one.no_such_person for one in answers] == [False, True, *[False] * 4]
    assert answers[3].code == 451
    assert sink.connections == 1


@pytest.mark.parametrize(
    ("code", "fate"), [("554 5.6.0 spam", "refused"), ("452 4.3.1 full", "put-off")]
)
def test_what_is_answered_after_the_content_counts(sink, post, code, fate):
    sink.answer = lambda stage, _to: code if stage == "content" else None
    assert [one.fate for one in post().send(envelopes(2))] == [fate, fate]


def test_trouble_with_the_sender_burns_no_message(sink, post):
    sink.answer = lambda stage, _to: "550 5.7.1 not from you" if stage == "MAIL" else None
    assert [one.fate for one in post().send(envelopes(3))] == ["put-off"] * 3


def test_nobody_listens(sink, post):
    smtp = post(connections=4)
    sink.stop()
    answers = smtp.send(iter(envelopes(40)))
    assert {(one.fate, one.text) for one in answers} == {("untouched", "nobody listens there")}
    assert len(answers) == 40


@pytest.mark.parametrize("stage", ["greeting", "EHLO", "MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("how", ["stall", "drop"])
def test_before_the_content_nobody_can_have_it(sink, post, stage, how):
    sink.answer = lambda at, _argument: how if at == stage else None
    began = monotonic()
    answers = post().send(envelopes(10))
    assert {one.fate for one in answers} == {"untouched"}
    assert sink.got == []
    assert monotonic() - began < 5, "a batch does not wait for each of its messages"


def test_dropped_in_the_midst_of_the_content(sink, post):
    sink.answer = lambda at, _argument: "drop" if at == "line" else None
    # More than the sockets' buffers hold: what fits into them was handed over with its end.
    body = b"x" * 70 + b"\r\n"
    answers = post(times=replace(QUICK, content=5)).send(envelopes(1, body * 300_000))
    assert [one.fate for one in answers] in (["untouched"], ["refused"])
    sink.features = ()
    answers = post(times=replace(QUICK, content=5)).send(envelopes(1, body * 300_000))
    assert [one.fate for one in answers] == ["untouched"]


@pytest.mark.parametrize("how", ["stall", "drop"])
def test_after_the_content_nobody_knows(sink, post, how):
    sink.answer = lambda at, _argument: how if at == "content" else None
    assert [one.fate for one in post().send(envelopes(2))] == ["unknown", "unknown"]


def test_a_connection_that_breaks_is_made_anew(sink, post):
    seen = Counter()

    def answer(stage, to):
        if stage == "RCPT":
            seen[to] += 1
            return "drop" if to == "p2@post.example" else None
        return None

    sink.answer = answer
    fates = [one.fate for one in post().send(envelopes(5))]
    assert fates == ["taken", "taken", "untouched", "taken", "taken"]
    assert set(seen.values()) == {1}, "and no message is tried twice by itself"


def test_a_server_that_says_421_is_left_and_asked_anew(sink, post):
    said = iter(["421 4.3.2 too many messages for one connection"])
    sink.answer = lambda at, to: next(said, None) if at == "RCPT" and to.startswith("p1") else None
    assert [one.fate for one in post().send(envelopes(3))] == ["taken", "put-off", "taken"]
    assert sink.connections == 2


def test_one_that_drips_is_given_up(sink, post):
    """A byte every now and then begins no time limit anew."""
    drip = "2" * 1

    class Slow(str):
        pass

    sink.answer = lambda at, _argument: Slow(drip) if at == "greeting" else None
    began = monotonic()
    assert {one.fate for one in post().send(envelopes(2))} == {"untouched"}
    assert monotonic() - began < 4


@pytest.mark.parametrize("said", ["hello", "220" + "x" * 5000, "220-" + "\r\n220-".join("x" * 200)])
def test_what_is_no_mail_server_is_not_talked_to(sink, post, said):
    sink.answer = lambda at, _argument: said if at == "greeting" else None
    assert {one.fate for one in post().send(envelopes(1))} == {"untouched"}


def test_a_message_that_is_too_large_is_not_sent(sink, post):
    sink.features = ("SIZE 1000",)
    [answer] = post().send(envelopes(1, b"x" * 2000))
    assert (answer.fate, answer.code) == ("refused", None)
    assert not any(one.startswith("MAIL") for one in sink.commands)


def test_without_encryption_no_password_and_no_message(sink, post):
    [answer] = Smtp(Server("127.0.0.1", sink.port, tls="start", user="u", password="secret")).send(
        envelopes()
    )
    assert (answer.fate, answer.text) == (
        "untouched",
        "the server offers no encryption (STARTTLS)",
    )
    assert not any("AUTH" in one or "secret" in one for one in sink.commands)


def test_a_test_that_would_send_real_mail_fails():
    transport = setting.read("smtps://mail.example", only_here=True)
    with pytest.raises(RuntimeError, match="real mail"):
        transport.send(envelopes())


@pytest.mark.filterwarnings("ignore::UserWarning:aiosmtpd", "ignore:Requiring AUTH")
@pytest.mark.parametrize("mode", ["start", "always"])
@pytest.mark.parametrize("offered", [("PLAIN", "LOGIN"), ("LOGIN",)])
def test_another_server_with_tls_and_a_password(tmp_path, mode, offered):
    """aiosmtpd, which is nobody of ours."""
    from aiosmtpd.controller import Controller
    from aiosmtpd.smtp import AuthResult

    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out",
         certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    got, signed = [], []

    class Handler:
        async def handle_DATA(self, _server, _session, envelope):  # noqa: N802 - aiosmtpd's name
            got.append(envelope)
            return "250 OK"

    def who(_server, _session, _envelope, _mechanism, data):
        fine = (data.login, data.password) == (b"club", b"p\xc3\xa4ss word")
        signed.append(fine)
        return AuthResult(success=fine, handled=False)

    controller = Controller(
        Handler(),
        hostname="localhost",
        port=0,
        authenticator=who,
        auth_required=True,
        auth_exclude_mechanism=[one for one in ("PLAIN", "LOGIN") if one not in offered],
        auth_require_tls=mode == "start",
        tls_context=context if mode == "start" else None,
        require_starttls=mode == "start",
        ssl_context=context if mode == "always" else None,
    )

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        controller.port = free.getsockname()[1]
    controller.start()
    try:
        scheme = "smtp" if mode == "start" else "smtps"
        more = "&tls=start" if mode == "start" else ""
        url = f"{scheme}://club:p%C3%A4ss%20word@localhost:{controller.port}?ca={certificate}{more}"
        transport = setting.read(url, only_here=True)
        assert [one.fate for one in transport.send(envelopes(3))] == ["taken"] * 3
        transport.close()
        assert [bytes(one.content) for one in got] == [BODY] * 3
        assert {one.mail_from for one in got} == {"club@h.example"}
        wrong = setting.read(url.replace("ss%20word", "x"), only_here=True)
        [answer] = wrong.send(envelopes(1))
        assert answer.fate == "untouched" and answer.text.startswith("the server says: 535")
        strangers = setting.read(url.partition("?")[0] + "?tls=" + mode, only_here=True)
        [answer] = strangers.send(envelopes(1))
        assert "certificate" in answer.text
    finally:
        controller.stop()
    assert signed[0] and not all(signed)


@pytest.mark.parametrize(
    "url",
    ["smtp://", "http://mail.example", "smtp://mail.example?tls=maybe", "smtps://mail.example?tls=none",
     "file://host/folder", "file:///", "smtp://mail.example/path", "smtp://mail.example:99999",
     "smtp://u:p@mail.example?tls=none", "smtp://mail.example?speed=1", "mail.example"],
)  # fmt: skip
def test_a_setting_that_can_not_work_is_refused(url):
    with pytest.raises(Invalid):
        setting.read(url)


def test_where_nothing_is_set_up_nothing_leaves():
    assert setting.read("") is None


def test_the_setting_is_shown_without_its_password():
    assert setting.shown("smtp://club:pa%3Ass@mail.example:587?tls=start") == (
        "smtp://club:***@mail.example:587?tls=start"
    )


def test_messages_in_a_folder_and_in_memory(tmp_path):
    folder = setting.read(f"file://{tmp_path}/out")
    assert isinstance(folder, Folder)
    assert [one.fate for one in folder.send(envelopes(2))] == ["taken", "taken"]
    files = sorted((tmp_path / "out" / "new").glob("*.eml"))
    assert len(files) == 2
    assert files[0].read_bytes().endswith(BODY)
    assert b"Delivered-To: p" in files[0].read_bytes()
    memory = setting.read("memory:")
    assert isinstance(memory, Memory)
    memory.send(envelopes(2))
    assert [one.to for one in memory.sent] == ["p0@post.example", "p1@post.example"]


def test_a_folder_that_can_not_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    [answer] = setting.read(f"file://{tmp_path}/file/out").send(envelopes(1))
    assert answer.fate == "untouched"
