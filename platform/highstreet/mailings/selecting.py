"""Whom a mailing goes to: its audience, through the gate, a piece for each; then it is frozen."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa

from highstreet.addresses.models import Address
from highstreet.consent import gate
from highstreet.consent.gate import Asking
from highstreet.customers import standing
from highstreet.mailings.models import Mailing, Piece
from highstreet.results import holdouts
from highstreet.segments import queries as segments
from highstreet.segments.compiling import Compiler
from highstreet.segments.queries import May
from highstreet.segments.rules import Rule, digest, dump, load
from highstreet_tenants import bulk, draws
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


def fill(s: ScopedSession, row: Mailing, *, may: May = None) -> None:
    """Write a piece for each who is in the audience now, and the manifest's digest.

    Raises as the segment or the rule does.
    """
    row.rule, row.rule_digest = _rule(s, row)
    own = holdouts.hold_out(s, used_for(row.id), row.holdout)
    told = hashlib.sha256(f"{row.content_digest}\n{row.rule_digest}\n".encode())
    count = 0
    for chunk in bulk.chunks(_pieces(s, row, own, may), _CHUNK):
        count += len(chunk)
        for one in chunk:
            told.update(_told(one))
        bulk.insert(s, _TABLE, chunk)
    row.selected, row.selected_at = count, now()
    row.manifest = told.hexdigest()


def _rule(s: ScopedSession, row: Mailing) -> tuple[dict[str, Any], str]:
    """The audience's rule as it is now (empty for a list), and its digest."""
    if row.segment_id is None:
        return dict(row.audience), digest(load(row.audience))
    segment = segments.get(s, row.segment_id)
    return dump(segment.rule) if segment.rule is not None else {}, segment.digest


def _pieces(s: ScopedSession, row: Mailing, own: Any, may: May) -> Iterator[dict[str, Any]]:
    """Rows in the order of the manifest: by postal code where post is sorted by it, then by id."""
    taken = _taken(s, row)
    drawn = codes()
    for place, (found, reason) in enumerate(_limited(row, _judged(s, row, own, may))):
        unit = _unit(row, found)
        if reason is None and unit in taken:
            reason = taken[unit]
        goes = reason is None
        if goes:
            taken[unit] = "household"
        customer_id, household_id = found.customer_id, found.household_id
        reached_at, lines = found.reached_at, found.lines
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
            "code": next(drawn) if goes else None,
        }


def _unit(row: Mailing, found: Any) -> UUID:
    unit: UUID = (row.by_household and found.household_id) or found.customer_id
    return unit


def _taken(s: ScopedSession, row: Mailing) -> dict[UUID, str]:
    """Whose household gets another mailing already, and the reason that goes by."""
    found: dict[UUID, str] = {}
    for one in row.leave_out:
        for mailing_id in one.get("mailings", ()):
            units = s.scalars(
                sa.select(Piece.unit).where(
                    Piece.mailing_id == UUID(mailing_id),
                    Piece.state.in_(("ready", "sent", "returned")),
                )
            )
            for unit in units:
                if unit is not None:
                    found.setdefault(unit, one["reason"])
    return found


def _limited(
    row: Mailing, judged: Iterable[tuple[Any, str | None]]
) -> Iterable[tuple[Any, str | None]]:
    """The same, with no more households (or people) than the mailing takes: who is among them is
    drawn from the mailing's id, so that no postal code comes first."""
    if row.most is None:
        return judged
    all_of_them = list(judged)
    units = {_unit(row, found) for found, reason in all_of_them if reason is None}
    chosen = set(sorted(units, key=lambda one: (draws.draw(str(row.id), one), one))[: row.most])
    return [
        (found, "most" if reason is None and _unit(row, found) not in chosen else reason)
        for found, reason in all_of_them
    ]


def _judged(s: ScopedSession, row: Mailing, own: Any, may: May) -> Iterator[tuple[Any, str | None]]:
    """Each of the audience, and why they get nothing, but for what others of them get."""
    for found in _reached(s, row, own, may):
        held = "held_out_of_all" if found.all_held else "held_out" if found.held else None
        yield found, found.reason or found.left_out or held


def _audience(s: ScopedSession, row: Mailing, compiler: Compiler) -> Any:
    """A select of the ids of the audience: who had one of the series lately is none of it."""
    if row.segment_id is not None:
        people = segments.ids(s, segments.get(s, row.segment_id), compiler=compiler)
    else:
        people = compiler.people(load(row.audience))
    if not row.series or not row.again_after:
        return people
    piece, mailing = table_alias(Piece), table_alias(Mailing)
    source, customer = standing.joined(s.scope, piece)
    had = (
        sa.select(customer)
        .select_from(
            source.join(
                mailing,
                sa.and_(mailing.c.brand_id == piece.c.brand_id, mailing.c.id == piece.c.mailing_id),
            )
        )
        .where(
            *s.scope.owns(piece),
            *s.scope.owns(mailing),
            mailing.c.place_id == row.place_id,
            mailing.c.series == row.series,
            mailing.c.id != row.id,
            mailing.c.status.not_in(("draft", "selected", "discarded")),
            mailing.c.selected_at > now() - timedelta(days=row.again_after),
            piece.c.state.in_(("ready", "sent", "returned")),
        )
    )
    return people.where(compiler.c.id.not_in(had))


def _left_out(row: Mailing, told: Any, compiler: Compiler) -> Any:
    """The first reason of the mailing's own for which somebody gets nothing, as a column."""
    rules: list[tuple[str, Rule]] = [
        (one["reason"], load(one["rule"])) for one in row.leave_out if "rule" in one
    ]
    if not rules:
        return sa.null()
    return sa.case(
        *((told.c.customer_id.in_(compiler.people(rule)), reason) for reason, rule in rules),
        else_=sa.null(),
    )


def _reached(s: ScopedSession, row: Mailing, own: Any, may: May) -> Iterable[Any]:
    compiler = Compiler(s, may=may)
    people = _audience(s, row, compiler)
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
            holdouts.held(everything, unit).label("all_held"),
            holdouts.held(own, unit).label("held"),
            sa.cast(_left_out(row, told, compiler), sa.String(20)).label("left_out"),
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


def codes() -> Iterator[str]:
    """Codes for pieces, one after the other."""
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
