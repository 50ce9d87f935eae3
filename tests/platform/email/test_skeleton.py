# ruff: noqa: E501 - one thing that is tried a line
"""A message that is put together from a skeleton reads as one that the library built."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import format_datetime, getaddresses

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from highstreet.email.mailboxes import Mailbox, on_the_wire, plain
from highstreet.email.skeleton import Common, Personal, Skeleton, Slot
from highstreet_tenants.errors import Invalid

STOP = "https://shop.example/u/" + "t" * 120
AT = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)
TEXTS = st.text(max_size=400) | st.text(
    st.sampled_from(list('ab =?.\r\n\t"\\<>,;:@_-é你🎉\u0301\u2028\x00\x0c\x7f')), max_size=300
)
NAMES = TEXTS.map(plain)
PIECES = st.lists(TEXTS, min_size=1, max_size=4)


def library(common: Common, one: Personal, html: str | None) -> EmailMessage:
    """The same message, built by Python's own."""
    message = EmailMessage(policy=policy.SMTP)
    message["From"] = _address(common.sender)
    if common.reply_to:
        message["Reply-To"] = _address(common.reply_to)
    message["To"] = _address(one.to)
    message["Subject"] = one.subject
    message["Date"] = format_datetime(datetime.fromtimestamp(one.at, UTC))
    message["Message-ID"] = f"<{one.name}@{common.domain}>"
    if one.stop:
        message["List-Unsubscribe"] = f"<{one.stop}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(one.text)
    if html is not None:
        message.add_alternative(html, subtype="html")
    return message


def told(common: Common, one: Personal, html: str | None) -> dict[str, object]:
    """What went into a message, as `read` has it."""
    found: dict[str, object] = {
        "defects": [],
        "From": [(common.sender.name, common.sender.address)],
        "To": [(one.to.name, one.to.address)],
        "Subject": one.subject,
        "Date": datetime.fromtimestamp(one.at, UTC),
        "Message-ID": f"<{one.name}@{common.domain}>",
        "List-Unsubscribe": one.stop and f"<{one.stop}>",
        "List-Unsubscribe-Post": one.stop and "List-Unsubscribe=One-Click",
        "plain": _lines(one.text),
        "html": None if html is None else _lines(html),
    }
    if common.reply_to:
        found["Reply-To"] = [(common.reply_to.name, common.reply_to.address)]
    return found


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")


def _address(of: Mailbox):
    from email.headerregistry import Address

    return Address(display_name=of.name, addr_spec=of.address)


def read(raw: bytes) -> dict[str, object]:
    """All that a reader of the message gets."""
    message = message_from_bytes(raw, policy=policy.default)
    old = message_from_bytes(raw, policy=policy.compat32)
    found: dict[str, object] = {"defects": [type(one) for one in message.defects]}
    for name in ("From", "Reply-To", "To"):
        if message[name] is not None:
            # The newer parser sees a space between two encoded words of a name (RFC 2047 6.2 has none).
            [(called, address)] = getaddresses(["".join(old[name].splitlines())])
            found[name] = [(str(make_header(decode_header(called))), address)]
            assert [one.addr_spec for one in message[name].addresses] == [address]
    for name in ("Subject", "Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post"):
        found[name] = None if message[name] is None else "".join(str(message[name]).split())
    found["Subject"] = None if message["Subject"] is None else str(message["Subject"])
    found["Date"] = message["Date"].datetime
    for kind in ("plain", "html"):
        body = message.get_body((kind,))
        found[kind] = None if body is None else _lines(body.get_content())
    return found


@given(NAMES, NAMES, NAMES, TEXTS, PIECES, PIECES, st.booleans())
@example(
    "Ann\r\nBcc: x@evil.example",
    "你好 🎉" * 12,
    "=?utf-8?q?x?=",
    "." * 90,
    ["x" * 2000],
    ["é" * 80],
    True,
)
@example(" ", '"', "a" * 119, "From here\n.\n..\r\n", ["a="], ["\n"], False)
def test_a_parser_reads_the_same_as_of_the_librarys_own(
    name, sender, subject, text, frame, values, stops
):
    common = Common(
        Mailbox("club@harbour.example", plain(sender)),
        "harbour.example",
        Mailbox("ask@harbour.example", "Ask us") if stops else None,
    )
    slots = {f"s{number}": value for number, value in enumerate(values)}
    pieces: list[str | Slot] = []
    for number, fixed in enumerate(frame):
        pieces.append(fixed)
        if number < len(values):
            pieces.append(Slot(f"s{number}"))
    html = "".join(slots[one.name] if isinstance(one, Slot) else one for one in pieces)
    to = Mailbox("anna.o'neil+club@post.example", plain(name))
    one = Personal(
        to, plain(subject), text, slots, "m1", int(AT.timestamp()), STOP if stops else None
    )
    raw = Skeleton(common, pieces).fill(one)
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert b"\n" not in raw.replace(b"\r\n", b"") and b"\r" not in raw.replace(b"\r\n", b"")
    assert read(raw) == told(common, one, html)


@given(TEXTS)
def test_a_message_of_text_only(text):
    common = Common(Mailbox("club@harbour.example"), "harbour.example")
    one = Personal(Mailbox("a@post.example"), "Hello", text, {}, "m1", int(AT.timestamp()))
    assert read(Skeleton(common, ()).fill(one)) == told(common, one, None)


@pytest.mark.parametrize("name", ["", "Anna", 'O"Neil, \\ Anna', "Zoë Müller", "你好", "a. b."])
@pytest.mark.parametrize(
    "text", ["Hi", "Hi 🎉 你好\n\n.\n..dots\nFrom here", "w " * 900, "trailing  \nx"]
)
@pytest.mark.parametrize("subject", ["Two for one", "Zwei für eins 🎉", "word " * 30, "a" * 200])
def test_it_is_the_message_that_the_library_builds(name, text, subject):
    """The library itself loses something of rarer ones: long lines of letters that are not ASCII,
    names that take several encoded words. So what is read is held to what was given, above."""
    common = Common(Mailbox("club@harbour.example", "Harbour"), "harbour.example")
    to, html = Mailbox("a@post.example", name), f"<p>{text}</p>"
    one = Personal(to, subject.strip(), text, {"c": html}, "m1", int(AT.timestamp()), STOP)
    raw = Skeleton(common, [Slot("c")]).fill(one)
    assert read(raw) == read(library(common, one, html).as_bytes())


@given(st.text(st.characters(max_codepoint=0x2030), max_size=40))
def test_no_name_begins_a_header_of_its_own(text):
    common = Common(Mailbox("club@harbour.example"), "harbour.example")
    to = Mailbox("a@post.example", plain(f"{text}\r\nBcc: other@evil.example"))
    raw = Skeleton(common, ()).fill(Personal(to, plain(f"x\n{text}"), "", {}, "m1", 0))
    message = message_from_bytes(raw, policy=policy.default)
    assert message["Bcc"] is None
    assert [one.addr_spec for one in message["To"].addresses] == ["a@post.example"]


@pytest.mark.parametrize(
    "bad",
    ["", "a", "a@", "@b.example", "a b@c.example", "a@b", "a\r\n@b.example", "a@b.example\r\nBcc: x@y.zz",
     "ä@b.example", "a@b..example", "a@-b.example", "<a@b.example>", f"{'x' * 65}@b.example", "a@b.example>"],
)  # fmt: skip
def test_what_is_no_address_is_refused(bad):
    with pytest.raises(Invalid):
        on_the_wire(bad)


def test_a_domain_of_other_letters_is_written_in_ascii():
    assert on_the_wire("anna@bücher.example") == "anna@xn--bcher-kva.example"
