"""Mail that came back, and readers' complaints: each counts once, for the message it names.

Only the tag in a message's return path is believed (its proof is ours): a text that says that
somebody's address is dead could come from anybody. What a report says of its kind is read by
`flufl.bounce`, and as an abuse report (ARF, RFC 5965).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import Message
from typing import Literal
from uuid import UUID

import sqlalchemy as sa
from msgspec import Struct

from highstreet.email import endings, gate, stopping
from highstreet.email.endings import Ended
from highstreet.email.models import BOUNCED, SENT, UNKNOWN, EmailMessage, EmailReport
from highstreet.email.tokens import Stop, Tokens
from highstreet_tenants.clock import now
from highstreet_tenants.errors import NotFound
from highstreet_tenants.models import Brand
from highstreet_tenants.scopes import Actor, Scope
from highstreet_tenants.sessions import ScopedSession, Tenancy

Kind = Literal["hard", "soft", "complaint"]
#: Bytes of a report that are looked at.
MOST = 2_000_000
#: Tags of a report that are looked at.
_MOST_TAGS = 20
_TAG = re.compile(rb"\+([a-z2-7]{42})@", re.I)
_LINK = re.compile(rb"/u/([A-Za-z0-9_-]{100,400})>")
_STATUS = re.compile(r"^Status:\s*(\d\.\d{1,3}\.\d{1,3})", re.I | re.M)
#: Statuses of an address that is dead (RFC 3463): nobody there, no such host, switched off.
_DEAD = ("5.1.", "5.2.1", "5.0.0", "5.4.4")
_ACTOR = Actor("system", None, "Highstreet")


class Outcome(Struct):
    """What a batch of reports held. strange: of no message of ours, or no report at all."""

    hard: int = 0
    soft: int = 0
    complaints: int = 0
    seen: int = 0
    strange: int = 0


class Report(Struct, frozen=True):
    """One report: its kind, and the status that it names, such as "5.1.1"."""

    kind: Kind
    code: str


def read(message: Message) -> Report | None:
    """What a message reports; None if it is no report."""
    if _is_complaint(message):
        return Report("complaint", "")
    temporary, permanent = _failures(message)
    codes = [code for told in _told(message) for code in _STATUS.findall(told)]
    code = next((one for one in codes if one.startswith("5")), codes[0] if codes else "")
    if code.startswith("5") or (permanent and not code):
        # Full mailboxes, too large, refused as spam: the person is there all the same.
        return Report("hard" if not code or code.startswith(_DEAD) else "soft", code)
    if temporary or permanent or code.startswith("4"):
        return Report("soft", code)
    return None


def take(tenancy: Tenancy, tokens: Tokens, raw: bytes, outcome: Outcome) -> None:
    """Take one report in, and count it in `outcome`. One that came before changes nothing."""
    report = read(message_from_bytes(raw[:MOST], policy=policy.default))
    found = None if report is None else _find(tenancy, tokens, raw[:MOST])
    if report is None or found is None:
        outcome.strange += 1
        return
    brand, message_id = found
    with tenancy.session(Scope.operator(brand.id, _ACTOR), write=True) as s:
        if not _note(s, message_id, report, hashlib.sha256(raw).hexdigest()):
            outcome.seen += 1
            return
    if report.kind == "hard":
        outcome.hard += 1
    elif report.kind == "soft":
        outcome.soft += 1
    else:
        outcome.complaints += 1


def _note(s: ScopedSession, message_id: UUID, report: Report, digest: str) -> bool:
    """Keep a report and do what follows from it; False if it is known already."""
    row = s.scalar(sa.select(EmailMessage).where(EmailMessage.id == message_id).with_for_update())
    known = s.scalar(sa.select(EmailReport.id).where(EmailReport.digest == digest))
    if row is None or known is not None:
        return False
    s.add(
        EmailReport(
            brand_id=s.brand_id,
            store_id=row.store_id,
            message_id=row.id,
            kind=report.kind,
            code=report.code,
            digest=digest,
            at=now(),
        )
    )
    if report.kind == "hard" and row.state in (SENT, UNKNOWN):
        row.state = BOUNCED
        row.answer = report.code
        gate.died(s, [(row.customer_id, row.address)])
        if row.key is not None:
            came_back = Ended(row.key, row.customer_id, BOUNCED, "returned")
            endings.tell(s, [(row.kind, came_back)])
    if report.kind == "complaint":
        stop = Stop(s.brand_id, row.store_id, row.customer_id, row.id, row.purpose)
        stopping.one_click(s, stop, stopping.COMPLAINT)
    s.flush()
    return True


def _find(tenancy: Tenancy, tokens: Tokens, raw: bytes) -> tuple[Brand, UUID] | None:
    """The message that a report is about, by a tag or a link in it that only we can have made."""
    tags = {found.decode("ascii") for found in _TAG.findall(raw)}
    with tenancy.control() as c:
        brands = c.scalars(sa.select(Brand)).all()
    for tag in sorted(tags)[:_MOST_TAGS]:
        for brand in brands:
            message_id = tokens.read_tag(brand.id, tag)
            if message_id is not None:
                return brand, message_id
    for link in _LINK.findall(raw)[:_MOST_TAGS]:
        try:
            stop = tokens.read_stop(link.decode("ascii"))
        except NotFound:
            continue
        named = next((one for one in brands if one.id == stop.brand_id), None)
        if named is not None:
            return named, stop.message_id
    return None


def _is_complaint(message: Message) -> bool:
    kind = message.get_content_type() == "multipart/report"
    return kind and str(message.get_param("report-type", "")).lower() == "feedback-report"


def _failures(message: Message) -> tuple[bool, bool]:
    """Whether it tells of a failure for now, and of one for good."""
    from flufl.bounce import all_failures  # not before there is one: a start does without

    try:
        temporary, permanent = all_failures(message)
    except Exception:  # a detector of its own stumbles over what nobody foresaw
        return False, False
    return bool(temporary), bool(permanent)


def _told(message: Message) -> Iterator[str]:
    """The parts of a delivery status notification (RFC 3464) that machines read."""
    for part in message.walk():
        if part.get_content_type() == "message/delivery-status":
            yield "\n".join(str(one) for one in part.get_payload())
