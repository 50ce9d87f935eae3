"""One piece of a mailing, and what may be wrong with it."""

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct, field

from highstreet.i18n import gettext as _


class Piece(Struct, frozen=True):
    """What one recipient gets. key: what its sender knows it by; address: lines, the name first, as
    the post of its country wants them; values: of merge fields, by name; code: what its QR code
    says, instead of the design's; code_text: what stands beside it, such as a code to type."""

    key: str
    address: tuple[str, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    code: str = ""
    code_text: str = ""


Wrong = Literal["overflow", "missing_field", "missing_letter", "no_address", "text"]


class Finding(Struct, frozen=True):
    """One thing to mend before printing. key: the piece's; area: where, "" for all of it; what: the
    field's name, the letter, or how many mm it is too long."""

    key: str
    wrong: Wrong
    area: str
    what: str

    @property
    def words(self) -> str:
        """What is wrong and what to do, in the reader's language."""
        if self.wrong == "overflow":
            return _("The text is %(mm)s mm too long for its place. Shorten it.", mm=self.what)
        if self.wrong == "missing_field":
            return _(
                "There is no value for “%(name)s”. Say what to write instead:"
                " {{ %(name)s | default: '…' }}",
                name=self.what,
            )
        if self.wrong == "missing_letter":
            return _(
                "No font of this server has %(letters)s. Install one: the Noto fonts have nearly"
                " all.",
                letters=self.what,
            )
        if self.wrong == "no_address":
            return _("There is no address to print.")
        return self.what


class Findings(Struct, frozen=True):
    """What preflight found. pieces: how many it looked at; found: the first `preflight.MOST` things
    to mend, in the pieces' order; counts: how many of each there are in all."""

    pieces: int
    found: tuple[Finding, ...]
    counts: Mapping[str, int]

    @property
    def fine(self) -> bool:
        """Whether it can be printed as it is."""
        return not self.counts
