"""Mail that went out before Highstreet came, with who answered it, out of a file.

A row says that somebody got a mailing on a day, and, if they answered, when. A file that is taken
in twice changes nothing.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple, cast
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from highstreet.sdk import Cells, Ctx, ImportDone, ImportKind, ImportRow, Invalid, bulk, new_id
from highstreet.sdk import gettext as _
from highstreet.sdk import lazy_gettext as _l
from highstreet_direct_mail.models import ANSWERED, Posting, Scan

#: Days that an answer may take; who answers later was moved by something else.
LONGEST = 366


_SCAN = cast(sa.Table, Scan.__table__)


class Got(NamedTuple):
    """One row: a mailing by its name, the day it went out, the last day it could be answered, and
    the day on which this customer did (None: they did not)."""

    mailing: str
    sent: date
    until: date
    answered: date | None


def read(cells: Cells) -> Got:
    """A row of the file. Raises Invalid."""
    name, sent, answered = cells.text("mailing"), cells.day("sent"), cells.day("answered")
    if not name or sent is None:
        raise Invalid(_("the row does not say which mailing went out when"))
    until = cells.day("until") or sent + timedelta(days=LONGEST - 1)
    if not sent <= until < sent + timedelta(days=LONGEST):
        raise Invalid(_("a mailing is answered within 366 days of the day it went out"))
    if answered is not None and not sent <= answered <= until:
        raise Invalid(_("the answer is not of the days in which it could be given"))
    return Got(name, sent, until, answered)


def take_over(ctx: Ctx, given: Sequence[ImportRow]) -> ImportDone:
    """Write down who got what, as head office's mailings, and whose answer counts."""
    if ctx.brand.customers != "brand":
        words = _("the stores own their customers here: head office wrote to nobody")
        return ImportDone(0, 0, dict.fromkeys(range(len(given)), words))
    zone = ZoneInfo(ctx.brand.zone)
    groups: dict[tuple[str, date], list[tuple[int, ImportRow]]] = defaultdict(list)
    for place, row in enumerate(given):
        groups[row.value.mailing, row.value.sent].append((place, row))
    created, refused = 0, dict[int, str]()
    for (name, sent), rows in groups.items():
        sent_at = datetime.combine(sent, time(), zone)
        if sent_at > ctx.now():
            refused |= dict.fromkeys((place for place, _row in rows), _("it went out in no past"))
            continue
        people = _first([row for _place, row in rows])
        past = ctx.mailings.take_over(name, ctx.settings()["purpose"], "post", sent_at, people)
        job = _job(ctx, past.mailing_id, name, rows[0][1].value)
        answered = _answer(ctx, job, past.codes, people, zone)
        created += max(past.added, answered)
    return ImportDone(created, len(given) - created - len(refused), refused)


def _first(rows: Sequence[ImportRow]) -> dict[UUID, Got]:
    """What of each customer counts, who may stand in several rows: their first answer."""
    found: dict[UUID, Got] = {}
    for row in rows:
        held = found.get(row.customer_id)
        if held is None or (row.value.answered or date.max) < (held.answered or date.max):
            found[row.customer_id] = row.value
    return found


def _job(ctx: Ctx, mailing_id: UUID, name: str, given: Got) -> Posting:
    found = ctx.s.scalar(sa.select(Posting).where(Posting.mailing_id == mailing_id))
    if found is None:
        found = Posting(
            brand_id=ctx.scope.brand_id,
            id=new_id(),
            store_id=None,
            mailing_id=mailing_id,
            name=name,
            response_days=(given.until - given.sent).days + 1,
        )
        ctx.s.add(found)
        ctx.s.flush()
    return found


def _answer(
    ctx: Ctx, job: Posting, codes: Mapping[UUID, str], people: Mapping[UUID, Got], zone: ZoneInfo
) -> int:
    """Count the answers that do not count yet; gives how many."""
    s = ctx.s
    theirs = {
        codes[who]: (who, got) for who, got in people.items() if got.answered and who in codes
    }
    there = set(
        s.scalars(
            sa.select(Scan.code).where(
                Scan.posting_id == job.id, Scan.kind == ANSWERED, Scan.undone_at.is_(None)
            )
        )
    )
    roots = ctx.customers.roots(who for who, _got in theirs.values())
    rows: list[dict[str, Any]] = [
        {
            "id": new_id(),
            "store_id": roots[who].store_id,
            "kind": ANSWERED,
            "code": code,
            "posting_id": job.id,
            "customer_id": roots[who].id,
            "came_from": [],
            "day": got.answered,
            "at": datetime.combine(got.answered or got.sent, time(12), zone),
        }
        for code, (who, got) in theirs.items()
        if code not in there and who in roots
    ]
    return bulk.insert(s, _SCAN, rows) if rows else 0


HISTORY = ImportKind(
    "direct_mail.history",
    _l("Mail that went out before, and who answered it"),
    {
        "mailing": ("mailing", "campaign", "campaign_id", "mailing_name"),
        "sent": ("sent", "sent_on", "mailed_on", "start_date"),
        "until": ("until", "end_date", "ends_on"),
        "answered": ("answered", "answered_on", "redemption_date", "redeemed_on"),
    },
    ("mailing", "sent"),
    read,
    take_over,
    days=("sent", "until", "answered"),
    once=False,
)
