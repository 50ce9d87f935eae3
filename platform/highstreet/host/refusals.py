"""What marshmallow says of a setting that can't be so, in the reader's language.

Its own messages are English and final; those that a form can bring about are known here by their
text, so that no tool has to write them again.
"""

import re

from highstreet.i18n import gettext as _


def _known() -> tuple[tuple[str, str], ...]:
    """Pattern of a message of marshmallow's → the same in the reader's language."""
    return (
        (r"Missing data for required field\.", _("This is needed.")),
        (r"Field may not be null\.", _("This is needed.")),
        (r"Not a valid integer\.", _("Use a whole number.")),
        (r"Not a valid (number|decimal)\.", _("Use a number.")),
        (r"Not a valid date\.", _("This is not a date. Write it like 2026-05-14.")),
        (r"Not a valid time\.", _("This is not a time. Write it like 10:41.")),
        (r"Not a valid (string|boolean|list|mapping type)\.", _("This can't be used here.")),
        (r"Unknown field\.", _("There is no such setting.")),
        (r"Must be one of: (?P<choices>.+)\.", _("Choose one of: %(choices)s.")),
        (
            r"Must be greater than or equal to (?P<low>\S+) and less than or equal to"
            r" (?P<high>\S+)\.",
            _("Use a number from %(low)s to %(high)s."),
        ),
        (r"Must be greater than or equal to (?P<low>\S+)\.", _("Use at least %(low)s.")),
        (r"Must be less than or equal to (?P<high>\S+)\.", _("Use at most %(high)s.")),
        (r"Shorter than minimum length (?P<low>\d+)\.", _("Give at least %(low)s.")),
        (r"Longer than maximum length (?P<high>\d+)\.", _("Give at most %(high)s.")),
        (
            r"Length must be between (?P<low>\d+) and (?P<high>\d+)\.",
            _("Give from %(low)s to %(high)s."),
        ),
    )


def translated(message: str) -> str:
    """The message for the reader; as it is, where it is a tool's own."""
    for pattern, words in _known():
        found = re.fullmatch(pattern, message)
        if found is not None:
            return words % found.groupdict()
    return message
