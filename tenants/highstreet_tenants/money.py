"""Money as whole minor units of an ISO 4217 currency; never a float."""

import re
from decimal import Decimal, InvalidOperation

from babel.numbers import UnknownCurrencyError, format_currency, get_currency_precision
from babel.numbers import validate_currency as _validate
from msgspec import Struct

from highstreet_tenants.errors import Invalid
from highstreet_tenants.words import gettext as _

# An amount beyond this is a slip of the scanner, not a purchase; it also keeps sums inside 64 bits.
MOST_MINOR = 10**12


class Money(Struct, frozen=True):
    """`minor` whole minor units (cents, pence, yen) of `currency` (ISO 4217)."""

    minor: int
    currency: str


def check_currency(currency: str) -> str:
    """The code itself. Raises Invalid when ISO 4217 has no such currency."""
    try:
        _validate(currency)
    except UnknownCurrencyError as error:
        raise Invalid(
            _("“%(code)s” is not a currency. Use an ISO code such as GBP.", code=currency)
        ) from error
    return currency


def minor_digits(currency: str) -> int:
    """Decimal places of a currency: GBP 2, JPY 0, BHD 3."""
    return get_currency_precision(currency)


def parse_minor(text: str, currency: str, *, decimal: str = ".", thousands: str = "") -> int:
    """Minor units written in `text`, e.g. "12.40" → 1240 (GBP).

    Raises Invalid when it is not a number, has more decimals than the currency, or is absurd.
    """
    plain = re.sub(r"[\s\u00a0\u202f]", "", text)
    if thousands:
        plain = plain.replace(thousands, "")
    if decimal != ".":
        plain = plain.replace(decimal, ".")
    plain = plain.replace("−", "-")
    digits = minor_digits(currency)
    try:
        if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)", plain):
            raise InvalidOperation
        scaled = Decimal(plain).scaleb(digits)
    except InvalidOperation as error:
        raise Invalid(
            _("“%(text)s” is not an amount. Write it like 12.40.", text=text[:40])
        ) from error
    if scaled != scaled.to_integral_value():
        raise Invalid(
            _(
                "“%(text)s” has too many decimals: %(currency)s has %(digits)s.",
                text=text[:40],
                currency=currency,
                digits=digits,
            )
        )
    if abs(scaled) > MOST_MINOR:
        raise Invalid(_("“%(text)s” is too large to be an amount.", text=text[:40]))
    return int(scaled)


def major(minor: int, currency: str) -> Decimal:
    """Minor units in the currency's own unit, for machines: 1240 (GBP) → 12.40."""
    return Decimal(minor).scaleb(-minor_digits(currency))


def format_minor(minor: int, currency: str, locale: str = "en") -> str:
    """The amount as a reader of `locale` writes it, with a real minus: "−£3.20"."""
    amount = major(minor, currency)
    return format_currency(amount, currency, locale=locale.replace("-", "_")).replace("-", "−")
