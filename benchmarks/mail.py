"""E-mail: building a personal message, and handing 20,000 of them to a server on this machine.

Asked: a message is built at 30 times the pace of `EmailMessage.as_bytes` (which is given all texts
ready, too), and handing over, building included, goes at no less than 0.8 of the pace of `smtplib`
sending ready bytes over as many connections, kept.
"""

from __future__ import annotations

import smtplib
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path

from benchmarks import measure
from benchmarks.measure import Figure
from highstreet.email import filling, frames
from highstreet.email.mailboxes import Mailbox
from highstreet.email.skeleton import Common, Personal, Skeleton, Slot
from highstreet.email.smtp import Server
from highstreet.email.smtp_pool import CONNECTIONS, Smtp
from highstreet.email.transports import Envelope
from highstreet_tenants import clock

MESSAGES = 20_000
BUILT = 200
ROUNDS = 5
ROOT = Path(__file__).parents[1]
COMMON = Common(Mailbox("club@harbour.example", "Harbour Club"), "harbour.example")
STOP = "https://club.example/u/" + "t" * 118
TEXT = "Hello {{ name }},\n\n" + "Two coffees for the price of one, all of this week. " * 12 + "\n"
HTML = "<p>Hello {{ name }},</p>" + "<p>Two coffees for the price of one, all week.</p>" * 12


def run() -> list[Figure]:
    """Measure both."""
    return [_building(), _handing_over()]


def _skeleton() -> tuple[Skeleton, list[str | Slot]]:
    frame = frames.parts(frames.compiled(frames.plain("#1f3d36")))
    return Skeleton(COMMON, frame), frame


def _people(count: int) -> list[tuple[str, str]]:
    return [(f"Zoë Member {number}", f"member{number}@post.example") for number in range(count)]


def _personal(name: str, address: str, at: int) -> Personal:
    fills = {"name": name}
    return Personal(
        Mailbox(address, name),
        filling.plain("Two for one, {{ name }}", fills),
        filling.plain(TEXT, fills),
        {
            "content": filling.html(HTML, fills),
            "postal_address": "1 Quay Street<br>Bristol",
            "unsubscribe": f'<a href="{STOP}">Stop these e-mails</a>',
            "unsubscribe_url": STOP,
            "brand": "Harbour",
            "store": "Harbour",
            "why": "You get this because you are a member of Harbour.",
            "lang": "en",
        },
        address.partition("@")[0],
        at,
        STOP,
    )


def _library(one: Personal, frame: list[str | Slot]) -> bytes:
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(COMMON.sender.name, addr_spec=COMMON.sender.address)
    message["To"] = Address(one.to.name, addr_spec=one.to.address)
    message["Subject"] = one.subject
    message["Date"] = format_datetime(clock.now())
    message["Message-ID"] = f"<{one.name}@{COMMON.domain}>"
    message["List-Unsubscribe"] = f"<{one.stop}>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(one.text)
    html = "".join(one.html[part.name] if isinstance(part, Slot) else part for part in frame)
    message.add_alternative(html, subtype="html")
    return message.as_bytes()


def _building() -> Figure:
    skeleton, frame = _skeleton()
    at = int(clock.now().timestamp())
    ready = [_personal(name, address, at) for name, address in _people(BUILT)]
    times = measure.in_turn(
        {
            "ours": lambda: [skeleton.fill(one) for one in ready],
            "floor": lambda: [_library(one, frame) for one in ready],
        },
        ROUNDS,
    )
    return measure.rate(
        "messages built",
        times,
        ours="ours",
        floor="floor",
        count=BUILT,
        at_least=30,
        note="floor: EmailMessage.as_bytes of the same texts",
    )


def _handing_over() -> Figure:
    skeleton, _frame = _skeleton()
    count = MESSAGES // 10 if measure.quick() else MESSAGES
    people = _people(count)
    at = int(clock.now().timestamp())

    def built() -> Iterator[Envelope]:
        for name, address in people:
            data = skeleton.fill(_personal(name, address, at))
            yield Envelope("back@harbour.example", address, data)

    ready = [(one.sender, one.to, one.data) for one in built()]
    with _sink() as port:
        smtp = Smtp(Server("127.0.0.1", port, tls="none"))

        def ours() -> None:
            answers = smtp.send(built())
            if {one.fate for one in answers} != {"taken"} or len(answers) != count:
                raise AssertionError("not all was taken")

        times = measure.in_turn({"ours": ours, "floor": lambda: _plain(port, ready)}, 3)
        smtp.close()
    return measure.rate(
        "personal messages handed to a mail server",
        times,
        ours="ours",
        floor="floor",
        count=count,
        at_least=0.8,
        note=f"floor: smtplib, the same bytes ready, over {CONNECTIONS} connections as well",
    )


def _plain(port: int, ready: list[tuple[str, str, bytes]]) -> None:
    def way(first: int) -> None:
        with smtplib.SMTP("127.0.0.1", port) as connection:
            for sender, to, data in ready[first::CONNECTIONS]:
                connection.sendmail(sender, [to], data)

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        for done in [pool.submit(way, first) for first in range(CONNECTIONS)]:
            done.result()


@contextmanager
def _sink() -> Iterator[int]:
    command = [sys.executable, "-m", "benchmarks.mail_sink"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as child:
        assert child.stdout is not None
        try:
            yield int(child.stdout.readline())
        finally:
            child.kill()
