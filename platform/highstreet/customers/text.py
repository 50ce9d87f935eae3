"""Text that people and tills send in: bounded, printable, and free of payment-card numbers."""

import re
import unicodedata

from highstreet.i18n import gettext as _
from highstreet_tenants.cards import refuse_payment_cards
from highstreet_tenants.errors import Invalid

# C0 controls but tab and line feed, DEL, C1 controls, lone surrogates, and the non-characters
# U+FFFE and U+FFFF. PostgreSQL cannot keep NUL and UTF-8 cannot hold a lone surrogate; the others
# come from broken scanners and spoil every screen and export. So do the marks that turn the
# direction of whatever follows (Unicode's UTS 39 and "Trojan source").
_REFUSED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
# What copying leaves behind and nobody sees: two names that look alike must not differ by it.
_UNSEEN = re.compile("[\u200b\u2060\ufeff]")


def bad(field: str, words: str) -> Invalid:
    """An Invalid about one field, whose words are also its detail."""
    return Invalid(words, fields={field: [words]})


def clean(
    value: str,
    field: str,
    most: int,
    *,
    required: bool = False,
    lines: bool = False,
    as_code: bool = False,
) -> str:
    """`value` trimmed and in normal form NFC, at most `most` characters long.

    `lines` allows line feeds (notes); `as_code` says that it is a machine's own code. Raises
    Invalid, naming `field`, for other control characters, lone surrogates, payment-card-like
    numbers, and what is too long or missing.
    """
    if not isinstance(value, str):
        raise bad(field, _("This must be text."))
    if (
        0 < len(value) < 13
        and len(value) <= most
        and value.isascii()
        and value.isprintable()
        and value[0] != " " != value[-1]
    ):
        return value  # nearly every word that a till sends, in a fifth of the time
    if lines:
        value = value.replace("\r\n", "\n").replace("\r", "\n")
    if _REFUSED.search(value) or (not lines and "\n" in value):
        raise bad(field, _("This holds characters that can't be printed. Type it again by hand."))
    text = value.strip()
    if not text.isascii():
        text = unicodedata.normalize("NFC", _UNSEEN.sub("", text)).strip()
        if not text.strip("\u200c\u200d"):
            text = ""  # joiners belong between letters
    if required and not text:
        raise bad(field, _("This is missing. Fill it in."))
    if len(text) > most:
        raise bad(
            field,
            _(
                "This is too long: %(length)s characters, at most %(most)s fit.",
                length=len(text),
                most=most,
            ),
        )
    if len(text) >= 13:
        refuse_payment_cards(text, field, as_code=as_code)
    return text


def reference(
    value: str, field: str, most: int, *, required: bool = True, grouped: bool = False
) -> str:
    """A machine's own code (receipt number, product code), cleaned like text.

    Barcodes of 13 and 14 digits (EAN-13, GTIN-14) begin like old payment cards and one in ten
    passes their check digit, so only 15 digits and more are held against the payment-card rule
    here; with `grouped`, groups of digits too only where they are those of a card. Raises Invalid.
    """
    if (
        type(value) is str
        and value.isascii()
        and value.isalnum()
        and (len(value) < 15 or not value.isdigit())
        and len(value) <= most
    ):
        return value  # a till's usual receipt number, in a tenth of the time
    if isinstance(value, str) and value.strip().isdigit() and len(value.strip()) < 15:
        text = value.strip()
        if len(text) <= most and (text or not required):
            return text
    return clean(value, field, most, required=required, as_code=grouped)
