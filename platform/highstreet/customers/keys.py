"""Keys to find people by: cards, phone numbers, e-mail addresses and names, each in one form.

The libraries that know telephone networks and mail addresses are loaded with the first number or
address to read: a start, and a till that only scans cards, does without them.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Literal

from highstreet.customers.text import bad, clean
from highstreet.i18n import gettext as _
from highstreet_tenants.cards import looks_like_payment_card
from highstreet_tenants.errors import Invalid

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber

Kind = Literal["card", "phone", "email"]

# What people and scanners put between the digits of a card.
_CARD_GAPS = re.compile(r"[\s.\-–—_/]+")
_CARD = re.compile(r"[0-9A-Z]{4,32}")

# Letters that NFKD leaves whole although people type them without their stroke or as two letters.
_PLAIN = str.maketrans(
    {"ø": "o", "đ": "d", "ð": "d", "ł": "l", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"}
)
# Names written without blanks: a given name is found from its own first character.
_UNSPACED = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff]"
)
# What stands inside of a name, and is left out by whoever types in a hurry: O'Brien, Anne-Marie.
_APOSTROPHE = re.compile(r"(?<=\w)['`\u00b4\u02b9-\u02bf\u2018\u2019\uff07](?=\w)")
_HYPHEN = re.compile(r"(?<=\w)[-\u2010-\u2013\uff0d](?=\w)")
_MOST_NAME_KEYS = 8
NAME_KEY_LENGTH = 80
#: Sorts after every character that a name key can hold, in "C" collation and in SQLite's BINARY.
AFTER = "\U0010ffff"


def card_key(number: str) -> str:
    """A card's number without gaps, in capitals, full-width digits made plain.

    Raises Invalid for what is no club card, and for a payment card above all.
    """
    plain = _CARD_GAPS.sub("", unicodedata.normalize("NFKC", clean_key(number, "card"))).upper()
    if looks_like_payment_card(plain):
        raise bad("card", _("This looks like a payment card number. Scan the club card."))
    if not _CARD.fullmatch(plain):
        raise bad("card", _("A card number has 4 to 32 digits or letters. Scan or type it again."))
    return plain


def phone_key(number: str, region: str | None) -> str:
    """The number in E.164 (ITU-T), e.g. "+61412345678".

    `region` (ISO 3166 alpha-2) tells how to read a number without a country code. Raises Invalid
    for a number that no telephone network has.
    """
    import phonenumbers

    return phonenumbers.format_number(_phone(number, region), phonenumbers.PhoneNumberFormat.E164)


def phone_forms(number: str, region: str | None) -> tuple[str, str]:
    """(its key, how a reader of `region` writes it: national at home, international abroad).

    Raises Invalid like phone_key.
    """
    import phonenumbers

    parsed = _phone(number, region)
    home = region and parsed.country_code == phonenumbers.country_code_for_region(region)
    styles = phonenumbers.PhoneNumberFormat
    return (
        phonenumbers.format_number(parsed, styles.E164),
        phonenumbers.format_number(parsed, styles.NATIONAL if home else styles.INTERNATIONAL),
    )


def _phone(number: str, region: str | None) -> PhoneNumber:
    import phonenumbers

    text = unicodedata.normalize("NFKC", clean_key(number, "phone"))
    try:
        parsed = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException as error:
        raise _bad_phone() from error
    # Possible rather than valid: numbering plans change faster than any library is updated. But not
    # "possible without an area code": that is somebody else's in the next town.
    possible = phonenumbers.is_possible_number_with_reason(parsed)
    if len(text) > 40 or possible != phonenumbers.ValidationResult.IS_POSSIBLE:
        raise _bad_phone()
    return parsed


def _bad_phone() -> Invalid:
    return bad(
        "phone",
        _("This is not a phone number. Type it with its area code, or from + and the country."),
    )


def email_key(address: str) -> str:
    """The address in one form: Unicode normal form, all small letters.

    Raises Invalid for what is no address. Nothing is sent or looked up to try it.
    """
    from email_validator import EmailNotValidError, validate_email

    try:
        found = validate_email(clean_key(address, "email").strip(), check_deliverability=False)
    except EmailNotValidError as error:
        raise bad(
            "email", _("This is not an e-mail address. It looks like name@example.com.")
        ) from error
    # Mailboxes that differ only in case are, in practice, one (RFC 5321 §2.4 leaves it open). Small
    # letters, not folded ones: straße.de and strasse.de are two domains (RFC 5894 §7.2).
    return found.normalized.lower()


def key_of(kind: Kind, text: str, region: str | None) -> str:
    """The key that `text` means as a card, phone number or e-mail address. Raises Invalid."""
    if kind == "card":
        return card_key(text)
    return phone_key(text, region) if kind == "phone" else email_key(text)


def clean_key(value: str, kind: Kind) -> str:
    """The text of a key, refused if it holds control characters or is absurdly long."""
    if not isinstance(value, str) or len(value) > 320:
        raise bad(kind, _("This is too long to be a card, a phone number or an e-mail address."))
    if not value.isprintable():
        # Scanners end with a line feed; anything else inside is refused by `clean`.
        value = clean(value.strip("\r\n\t\x1d"), kind, 320)
    return value


def name_key(text: str) -> str:
    """A name as it is searched: accents off, case folded, one blank between words, CJK kept."""
    plain = _APOSTROPHE.sub("'", text)  # some of them pass for letters
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", plain).casefold())
    # U+3099 and U+309A tell が from か: they are parts of letters, not accents.
    bare = "".join(c for c in folded if not unicodedata.combining(c) or c in "\u3099\u309a")
    words = "".join(
        c if unicodedata.category(c)[0] in "LMN" else " "
        for c in unicodedata.normalize("NFC", bare.translate(_PLAIN))
    )
    return " ".join(words.split())


def name_keys(name: str) -> list[str]:
    """Every key under which a name is found: from its first word, its second, and so on.

    "Ana María Núñez" gives three, so that "nunez" and "maria nu" find her; "王小明" is found by
    王, 小 and 明; "O'Brien" by "brien" and "obrien". At most eight.
    """
    keys = [tail for whole in _spellings(name) for tail in name_tails(whole)]
    return list(dict.fromkeys(keys))[:_MOST_NAME_KEYS]


def name_words(name: str) -> set[str]:
    """The words of a name, in each way to write it."""
    return {word for whole in _spellings(name) for word in whole.split(" ")}


def _spellings(name: str) -> list[str]:
    """The name's key, and those of the name without its apostrophes, and without its hyphens."""
    joined = _APOSTROPHE.sub("", name)
    return list(dict.fromkeys(map(name_key, (name, joined, _HYPHEN.sub("", joined)))))


def name_tails(whole: str) -> list[str]:
    """A name's key from its first word on, from its second, and so on to its last."""
    keys: list[str] = []
    start = 0
    for word in whole.split(" ") if whole else []:
        keys.append(whole[start:][:NAME_KEY_LENGTH])
        if _UNSPACED.match(word):
            keys.extend(whole[start + n :][:NAME_KEY_LENGTH] for n in range(1, len(word)))
        start += len(word) + 1
    return list(dict.fromkeys(keys))[:_MOST_NAME_KEYS]
