"""Payment cards stay out: a number that looks like one is refused everywhere (PCI DSS)."""

import re
from collections.abc import Mapping

from stdnum import luhn

from highstreet_tenants.errors import Invalid
from highstreet_tenants.words import gettext as _

# Digits with at most one blank or dash between them, as people write card numbers.
_RUN = re.compile(r"(?<![\d])\d(?:[ \-]?\d){12,18}(?![\d])")
# First digits of the schemes (ISO/IEC 7812): Visa, Mastercard, Amex, Diners, Discover, JCB,
# UnionPay.
_ISSUER = re.compile(r"4|5[0-8]|2[2-7]|3[04-9]|6")
# Our own ids and digests: every thousandth of them holds such a number by chance.
_ID = re.compile(
    r"(?<![0-9a-z])(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}|[0-9a-f]{64})(?![0-9a-z])",
    re.IGNORECASE,
)


def looks_like_payment_card(text: str) -> bool:
    """Whether `text` holds 13–19 digits with a scheme's first digits and a right Luhn digit.

    UUIDs and digests in it do not count.
    """
    if not _RUN.search(text):
        return False
    text = _ID.sub("#", text)
    for match in _RUN.finditer(text):
        digits = re.sub(r"\D", "", match[0])
        if _ISSUER.match(digits) and luhn.is_valid(digits):
            return True
    return False


def refuse_payment_cards(value: object, field: str = "") -> None:
    """Raise Invalid, naming the field, if a payment-card-like number stands anywhere in `value`."""
    if isinstance(value, str):
        if len(value) >= 13 and looks_like_payment_card(value):
            words = _("This looks like a payment card number. Never enter those here.")
            raise Invalid(words, fields={field: [words]} if field else None)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            refuse_payment_cards(key, field)
            refuse_payment_cards(inner, f"{field}.{key}" if field else str(key))
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            refuse_payment_cards(inner, f"{field}.{number}" if field else str(number))
    elif isinstance(value, int) and not isinstance(value, bool) and value >= 10**12:
        refuse_payment_cards(str(value), field)
