"""Club cards: their numbers, replacing a lost one, and the printed card with its QR code.

The core keeps who holds which card, and refuses lost and blocked ones; points belong to the member,
so that a new card finds them all again.
"""

import io
import secrets
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING
from uuid import UUID

from highstreet.sdk import Conflict, Ctx, Invalid, NotFound
from highstreet.sdk import gettext as _
from highstreet_points_club import typesetting

if TYPE_CHECKING:
    from highstreet.sdk import IdentityFact

DIGITS = 12
"""Ten random digits and two to check them. Payment cards have 13 or more (ISO/IEC 7812), so none
of ours looks like one; and none begins with a zero, which spreadsheets eat."""
MOST_AT_ONCE = 2_500
"""Cards in one PDF: more would take more than 300 MB to set."""
_TRIES = 20


def new_number() -> str:
    """A random card number with its check digits (ISO 7064, MOD 97-10).

    They find every wrong digit and every two digits that changed places. Random, so that nobody can
    guess the next member's.
    """
    from stdnum.iso7064 import mod_97_10

    payload = str(secrets.randbelow(9 * 10**9) + 10**9)
    return payload + str(mod_97_10.calc_check_digits(payload))


def is_ours(number: str) -> bool:
    """Whether the digits are a number that `new_number` may have made."""
    from stdnum.iso7064 import mod_97_10

    return (
        len(number) == DIGITS
        and number.isascii()
        and number.isdigit()
        and number[0] != "0"
        and bool(mod_97_10.is_valid(number))
    )


def issue(ctx: Ctx, customer_id: UUID, number: str | None = None) -> "IdentityFact":
    """Give a member a (further) card: `number` as it was handed out, or a new one.

    Raises NotFound, Invalid, Conflict for a card that another member holds.
    """
    if number is not None:
        return ctx.customers.issue_card(customer_id, number)
    for _try in range(_TRIES):
        drawn = new_number()
        try:
            ctx.customers.by_card(drawn)
        except NotFound:
            return ctx.customers.issue_card(customer_id, drawn)
        except Conflict:
            continue  # somebody's lost or blocked card
    raise Conflict(_("No free card number was found. Try again."))


def replace(ctx: Ctx, customer_id: UUID, lost: str, number: str | None = None) -> "IdentityFact":
    """Report a member's card lost and give another; the points stay the member's.

    Raises NotFound for a card that is not this member's, and what `issue` raises.
    """
    holder = ctx.customers.get(customer_id)
    cards = [one for one in ctx.customers.detail(holder.id).identities if one.kind == "card"]
    wanted = "".join(lost.split())
    if wanted not in {one.value for one in cards}:
        raise NotFound(_("This member has no such card. Look at the list of their cards."))
    fresh = issue(ctx, holder.id, number)
    ctx.customers.set_card_status(wanted, "lost")
    return fresh


def printable(ctx: Ctx, customers: Sequence[UUID]) -> bytes:
    """A PDF of card-sized pages (85.6 × 54 mm, ISO/IEC 7810), one for each member.

    Names reach the typesetter as data, never as markup. Raises Invalid for a member without a
    usable card or too many at once, NotFound, Unprintable where no font has a letter.
    """
    ctx.need("print")
    if not 0 < len(customers) <= MOST_AT_ONCE:
        raise Invalid(_("Print 1 to %(most)s cards at a time.", most=MOST_AT_ONCE))
    brand = ctx.brand
    cards = []
    for customer_id in customers:
        detail = ctx.customers.detail(customer_id)
        usable = [one for one in detail.identities if one.kind == "card" and one.status == "active"]
        if not usable:
            raise Invalid(_("This member has no card that works. Give one first."))
        card = usable[-1]
        cards.append(
            {
                "name": detail.customer.name,
                "number": grouped(card.shown),
                "qr": qr_svg(card.value),
            }
        )
    data = {"brand": brand.name, "label": _("Members’ club"), "cards": cards}
    return typesetting.pdf(_template(), data)


def grouped(number: str) -> str:
    """A number in groups of four, as people read it out."""
    return " ".join(number[start : start + 4] for start in range(0, len(number), 4))


def qr_svg(number: str) -> str:
    """The QR code of a card: just its number, as a till's scanner types it."""
    import segno

    out = io.BytesIO()
    # A fixed mask is five times as fast as looking for the best, and scans as well at this size.
    segno.make(number, error="m", micro=False, mask=2).save(
        out, kind="svg", xmldecl=False, svgns=True, border=0
    )
    return out.getvalue().decode()


@lru_cache(maxsize=1)
def _template() -> bytes:
    return files("highstreet_points_club").joinpath("card.typ").read_bytes()
