"""What makes a purchase believable. Every till request passes here, so it is plain and quick."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from highstreet.customers.places import Place
from highstreet.customers.text import bad, clean, reference
from highstreet.i18n import gettext as _
from highstreet.purchases.facts import LineFact, LineIn, PurchaseFact, PurchaseIn
from highstreet_tenants.clock import business_date
from highstreet_tenants.errors import Invalid
from highstreet_tenants.money import format_minor
from highstreet_tenants.scopes import Actor

#: Ten thousand million minor units: 100 million pounds, or 10,000 million yen or dong.
MOST_MINOR = 10**10
MOST_LINES = 2000
MOST_QUANTITY = 10**9
REF_LENGTH = 100
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_AHEAD = timedelta(days=1)
_MILLI = Decimal(1000)
_WHOLE = {n: Decimal(n) for n in range(100)}


def purchase(
    given: PurchaseIn, at: Place, recorded_at: datetime, new_id: UUID, actor: Actor
) -> PurchaseFact:
    """The purchase as `actor` will record it at store `at`. Raises Invalid, naming the field."""
    total = given.total_minor
    if type(total) is not int or not 0 <= total <= MOST_MINOR:
        raise _bad_total(total)
    if given.currency != at.currency:
        raise bad(
            "currency",
            _(
                "This store takes %(ours)s, not %(theirs)s.",
                ours=at.currency,
                theirs=str(given.currency)[:10],
            ),
        )
    occurred_at = moment(given.occurred_at, recorded_at)
    return PurchaseFact(
        new_id,
        given.store_id,
        reference(given.pos_ref, "pos_ref", REF_LENGTH, grouped=True),
        occurred_at,
        total,
        given.currency,
        given.customer_id,
        lines(given.lines) if given.lines else (),
        business_date(occurred_at, at.zone),
        recorded_at,
        0,
        actor.kind,
        actor.id,
    )


def moment(at: datetime, present: datetime) -> datetime:
    """A till's time in UTC: it has a zone, is no more than a day ahead, and not before 1990.

    Raises Invalid.
    """
    if at.tzinfo is None:
        raise bad("occurred_at", _("Say in which zone this time is, such as …T12:00:00+10:00."))
    if at > present + _AHEAD:
        raise bad(
            "occurred_at",
            _("This time lies in the future. Check the till's clock, and the date's order."),
        )
    if at < EARLIEST:
        raise bad("occurred_at", _("This time lies before 1990. Check the till's clock."))
    return at.astimezone(UTC)


def lines(given: tuple[LineIn, ...]) -> tuple[LineFact, ...]:
    """The lines, each checked. Raises Invalid, naming the line."""
    if len(given) > MOST_LINES:
        raise bad("lines", _("A receipt has at most %(most)s lines.", most=MOST_LINES))
    checked = []
    seen = set()
    for index, line in enumerate(given):
        number, amount = line.line_no, line.amount_minor
        if type(number) is not int or not 1 <= number <= 10**6 or number in seen:
            raise bad(f"lines.{index}.line_no", _("Number the lines 1, 2, 3, each once."))
        seen.add(number)
        if type(amount) is not int or not -MOST_MINOR <= amount <= MOST_MINOR:
            raise bad(
                f"lines.{index}.amount_minor",
                _("Give the amount in whole minor units (cents, pence), such as 1240."),
            )
        department = line.department
        checked.append(
            LineFact(
                number,
                reference(line.product, f"lines.{index}.product", 100),
                clean(department, f"lines.{index}.department", 100) if department else "",
                quantity(line.quantity, f"lines.{index}.quantity"),
                amount,
            )
        )
    return tuple(checked)


def quantity(value: Decimal | int, field: str) -> Decimal:
    """A quantity from 0 to 1,000 million with at most three decimals. Raises Invalid."""
    if type(value) is int:
        small = _WHOLE.get(value)
        if small is not None:
            return small
        number = Decimal(value)
    elif isinstance(value, Decimal):
        number = value
    else:
        raise _bad_quantity(field)
    if not number.is_finite() or not 0 <= number <= MOST_QUANTITY or number * _MILLI % 1:
        raise _bad_quantity(field)
    return number


def milli(number: Decimal) -> int:
    """A checked quantity in thousandths."""
    return int(number * _MILLI)


def from_milli(number: int) -> Decimal:
    """A quantity from thousandths; whole ones are written without decimals."""
    whole, rest = divmod(number, 1000)
    if rest:
        return Decimal(number) / _MILLI
    return _WHOLE.get(whole) or Decimal(whole)


def left_words(rest: int, currency: str, locale: str) -> str:
    """Money for an error's words."""
    return format_minor(rest, currency, locale)


def _bad_quantity(field: str) -> Invalid:
    return bad(field, _("Give a quantity such as 1 or 0.532, with at most three decimals."))


def _bad_total(total: object) -> Invalid:
    if type(total) is not int:
        words = _("Give the total in whole minor units (cents, pence), such as 1240 for 12.40.")
    elif total < 0:
        words = _("A purchase can't be negative. Record money given back as a return.")
    else:
        words = _("This total is too large to be true. Check the scanner, and the decimal sign.")
    return bad("total_minor", words)
