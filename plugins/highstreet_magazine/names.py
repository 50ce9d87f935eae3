"""Names and bounds that the whole tool keeps to."""

from typing import Final

from highstreet.sdk import LazyText
from highstreet.sdk import lazy_gettext as _l

NAME: Final = "magazine"
#: Publications that a brand may have: each has fields of its own that rules can name.
MOST_PUBLICATIONS: Final = 3
#: Copies that one member may get.
MOST_COPIES: Final = 20

PRINT, EMAIL, NONE = "print", "email", "none"
FORMS: Final[dict[str, LazyText]] = {
    PRINT: _l("Printed, by post"),
    EMAIL: _l("By e-mail"),
    NONE: _l("Not at all"),
}


def field(what: str, number: int) -> str:
    """The published field of a publication: `magazine.form`, of the second `magazine.form_2`."""
    return f"{NAME}.{what}" if number == 1 else f"{NAME}.{what}_{number}"
