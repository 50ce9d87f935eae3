"""Which lines of a purchase a return is for, and what they are worth."""

from collections.abc import Sequence
from decimal import Decimal

from highstreet.customers.text import bad
from highstreet.i18n import gettext as _
from highstreet.purchases.checks import MOST_LINES, MOST_MINOR, milli, quantity
from highstreet.purchases.facts import LineFact, PurchaseFact, ReturnedLine, ReturnLineIn
from highstreet_tenants.errors import Invalid


def everything_left(purchase: PurchaseFact) -> tuple[ReturnedLine, ...]:
    """All that has not come back yet."""
    return tuple(
        ReturnedLine(
            line.line_no,
            line.quantity - line.returned_quantity,
            line.amount_minor - line.returned_minor,
        )
        for line in purchase.lines
        if line.quantity > line.returned_quantity or line.amount_minor != line.returned_minor
    )


def allot(purchase: PurchaseFact, asked: Sequence[ReturnLineIn]) -> tuple[ReturnedLine, ...]:
    """The purchase's lines that are brought back, each once.

    A product bought on several lines is taken from them in order. Raises Invalid for a product
    that was not bought, and for more than is left, saying how much is.
    """
    if len(asked) > MOST_LINES:
        raise bad("lines", _("A receipt has at most %(most)s lines.", most=MOST_LINES))
    taken: dict[int, tuple[Decimal, int]] = {}
    for index, want in enumerate(asked):
        field = f"lines.{index}"
        candidates = _candidates(purchase, want, field)
        need = quantity(want.quantity, f"{field}.quantity")
        if need <= 0:
            raise bad(f"{field}.quantity", _("Give how many are brought back."))
        left = sum((_left(line, taken) for line in candidates), Decimal(0))
        if need > left:
            raise bad(
                f"{field}.quantity",
                _(
                    "Only %(left)s of “%(product)s” can still be returned.",
                    left=f"{left.normalize():f}",
                    product=candidates[0].product,
                ),
            )
        parts: list[tuple[LineFact, Decimal, int]] = []
        for line in candidates:
            part = min(need, _left(line, taken))
            if part > 0:
                parts.append((line, part, _worth(line, part, taken)))
                need -= part
        _take(taken, parts, want.amount_minor, field)
    return tuple(ReturnedLine(n, *taken[n]) for n in sorted(taken))


def _candidates(purchase: PurchaseFact, want: ReturnLineIn, field: str) -> list[LineFact]:
    if want.line_no is not None:
        found = [line for line in purchase.lines if line.line_no == want.line_no]
        if want.product is not None:
            found = [line for line in found if line.product == want.product]
    elif want.product is not None:
        found = [line for line in purchase.lines if line.product == want.product]
    else:
        raise bad(field, _("Say which line or product is brought back."))
    if not found:
        raise bad(field, _("This product is not on the receipt. Look at its lines again."))
    return found


def _left(line: LineFact, taken: dict[int, tuple[Decimal, int]]) -> Decimal:
    return line.quantity - line.returned_quantity - taken.get(line.line_no, (Decimal(0), 0))[0]


def _worth(line: LineFact, part: Decimal, taken: dict[int, tuple[Decimal, int]]) -> int:
    """What `part` of a line is worth: in proportion, and all that is left with the last of it."""
    before, paid = taken.get(line.line_no, (Decimal(0), 0))
    rest = line.amount_minor - line.returned_minor - paid
    if part + before + line.returned_quantity >= line.quantity:
        return rest
    share = line.amount_minor * milli(part) // milli(line.quantity)
    return min(share, rest) if line.amount_minor >= 0 else max(share, rest)


def _take(
    taken: dict[int, tuple[Decimal, int]],
    parts: list[tuple[LineFact, Decimal, int]],
    amount: int | None,
    field: str,
) -> None:
    """Enter the parts; a till's own amount is spread over them as their worth is."""
    if amount is not None and (type(amount) is not int or abs(amount) > MOST_MINOR):
        raise _bad_amount(field)
    worth = sum(value for _line, _part, value in parts)
    spread = 0
    for position, (line, part, value) in enumerate(parts):
        if amount is not None:
            last = position == len(parts) - 1
            value = amount - spread if last else amount * value // worth if worth else 0
            spread += value
        before, paid = taken.get(line.line_no, (Decimal(0), 0))
        taken[line.line_no] = (before + part, paid + value)


def _bad_amount(field: str) -> Invalid:
    return bad(
        f"{field}.amount_minor",
        _("Give the amount in whole minor units (cents, pence), such as 1240."),
    )
