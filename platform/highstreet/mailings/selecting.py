"""Whom a mailing goes to: the segment, through the gate, a piece for each; then nothing changes."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Iterator
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa

from highstreet.addresses.models import Address
from highstreet.consent import gate
from highstreet.consent.gate import Asking
from highstreet.mailings.models import Mailing, Piece
from highstreet.results import holdouts
from highstreet.segments import queries as segments
from highstreet.segments.compiling import Compiler
from highstreet.segments.facts import SegmentFact
from highstreet.segments.queries import May
from highstreet.segments.rules import dump
from highstreet_tenants import bulk
from highstreet_tenants.base import table_alias
from highstreet_tenants.clock import now
from highstreet_tenants.ids import new_id
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.sets import by_sets

_TABLE = cast(sa.Table, Piece.__table__)
#: Digits of a code: Crockford's base 32 without its check symbol, 50 bits, so that two alike among
#: all that a brand ever sends are not to be expected; the database refuses them all the same.
_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CODE = 10
_CHUNK = 10_000


def used_for(mailing_id: UUID) -> str:
    """What a mailing's contacts and holdout are kept under."""
    return f"mailing:{mailing_id}"


def asking(row: Mailing) -> Asking:
    """What the gate is asked for a mailing."""
    return Asking(row.purpose, row.channel, verified=row.verified, used_for=used_for(row.id))


def forget(s: ScopedSession, row: Mailing) -> None:
    """Take away what was selected."""
    s.execute(
        sa.delete(Piece)
        .where(Piece.mailing_id == row.id, *s.scope.owns(Piece))
        .execution_options(synchronize_session=False)
    )
    row.selected = row.selected_at = None
    row.manifest, row.rule, row.rule_digest = "", {}, ""
    row.approved_by = row.approved_at = None


def fill(s: ScopedSession, row: Mailing, segment: SegmentFact, *, may: May = None) -> None:
    """Write a piece for each who is in the segment now, and the manifest's digest.

    Raises as the segment does.
    """
    own = holdouts.hold_out(s, used_for(row.id), row.holdout)
    digest = hashlib.sha256(f"{row.content_digest}\n{segment.digest}\n".encode())
    count = 0
    for chunk in bulk.chunks(_pieces(s, row, segment, own, may), _CHUNK):
        count += len(chunk)
        for one in chunk:
            digest.update(_told(one))
        bulk.insert(s, _TABLE, chunk)
    row.rule = dump(segment.rule) if segment.rule is not None else {}
    row.rule_digest = segment.digest
    row.selected, row.selected_at = count, now()
    row.manifest = digest.hexdigest()


def _pieces(
    s: ScopedSession, row: Mailing, segment: SegmentFact, own: Any, may: May
) -> Iterator[dict[str, Any]]:
    """Rows in the order of the manifest: by postal code where post is sorted by it, then by id."""
    taken: set[UUID] = set()
    codes = _codes()
    for place, found in enumerate(_reached(s, row, segment, own, may)):
        customer_id, reason, household_id, reached_at, lines, all_held, held = found
        unit = household_id if row.by_household and household_id else customer_id
        if reason is None:
            reason = (
                "held_out_of_all"
                if all_held
                else "held_out"
                if held
                else "household"
                if unit in taken
                else None
            )
        goes = reason is None
        if goes:
            taken.add(unit)
        yield {
            "id": new_id(),
            "store_id": row.store_id,
            "mailing_id": row.id,
            "customer_id": customer_id,
            "household_id": household_id,
            "unit": unit if goes else None,
            "place": place,
            "state": "ready" if goes else "withheld",
            "reason": reason,
            "late": False,
            "reached_at": reached_at if goes else None,
            "lines": lines if goes else None,
            "code": next(codes) if goes else None,
        }


def _reached(
    s: ScopedSession, row: Mailing, segment: SegmentFact, own: Any, may: May
) -> Iterable[Any]:
    compiler = Compiler(s, may=may)
    people = segments.ids(s, segment, compiler=compiler)
    answers = gate.answers(s, people, asking(row))
    told = answers.cte("told")
    home = table_alias(Address)
    unit = sa.func.coalesce(told.c.household_id, told.c.customer_id, type_=sa.Uuid())
    everything = holdouts.of_use(s, "")
    query = (
        sa.select(
            told.c.customer_id,
            told.c.reason,
            told.c.household_id,
            told.c.reached_at,
            home.c.lines,
            holdouts.held(everything, unit),
            holdouts.held(own, unit),
        )
        .select_from(
            told.outerjoin(
                home,
                sa.and_(
                    home.c.customer_id == told.c.customer_id,
                    home.c.valid_to.is_(None),
                    *s.scope.owns(home),
                ),
            )
        )
        .order_by(home.c.postal_code, told.c.customer_id)
    )
    with by_sets(s):
        return s.execute(compiler.held(query).execution_options(yield_per=2000))


def _codes() -> Iterator[str]:
    while True:
        bits = secrets.randbits(5 * _CODE * 100)
        for _turn in range(100):
            letters = []
            for _digit in range(_CODE):
                letters.append(_DIGITS[bits & 31])
                bits >>= 5
            yield "".join(letters)


def _told(one: dict[str, Any]) -> bytes:
    """What the manifest says of a piece."""
    return (
        f"{one['place']} {one['customer_id'].hex} {one['reason'] or ''}"
        f" {one['reached_at'] or ''} {one['lines'] or ''} {one['code'] or ''}\n"
    ).encode()
