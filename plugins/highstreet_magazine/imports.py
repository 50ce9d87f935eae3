"""Choices that come in a file: who gets the magazine in which form."""

from collections.abc import Sequence
from typing import NamedTuple

from highstreet.sdk import Cells, Ctx, HighstreetError, ImportDone, ImportKind, ImportRow, Invalid
from highstreet.sdk import gettext as _
from highstreet.sdk import lazy_gettext as _l
from highstreet_magazine import forms, publications
from highstreet_magazine.forms import Wish
from highstreet_magazine.names import MOST_COPIES, NAME


class Choice(NamedTuple):
    """One row."""

    form: str
    copies: int
    publication: int


_SAID = {
    "print": "print", "printed": "print", "post": "print", "yes": "print", "印刷": "print",
    "email": "email", "e-mail": "email", "mail": "email", "电子邮件": "email",
    "none": "none", "no": "none", "不要": "none",
}  # fmt: skip


def read(cells: Cells) -> Choice:
    """A row of a file of choices. Raises Invalid."""
    said = cells.text("form").strip().lower()
    if said not in _SAID:
        raise Invalid(_("the form is “print”, “email” or “none”, not “%(said)s”", said=said[:20]))
    copies, number = cells.whole("copies"), cells.whole("publication")
    if copies is not None and not 1 <= copies <= MOST_COPIES:
        raise Invalid(_("%(copies)s copies are not from 1 to %(most)s", copies=copies,
                        most=MOST_COPIES))  # fmt: skip
    return Choice(_SAID[said], copies or 1, 1 if number is None else number)


def take(ctx: Ctx, rows: Sequence[ImportRow]) -> ImportDone:
    """Write choices down. A row that comes again changes nothing."""
    known = {one.number: one.id for one in publications.listed(ctx)}
    refused: dict[int, str] = {}
    wishes: dict[int, list[Wish]] = {}
    for place, row in enumerate(rows):
        number = row.value.publication
        if number not in known:
            refused[place] = _("there is no publication with the number %(n)s", n=number)
            continue
        wish = Wish(row.customer_id, row.value.form, row.value.copies)
        try:
            forms.check(ctx, wish)
        except HighstreetError as refusal:
            refused[place] = refusal.detail
            continue
        wishes.setdefault(number, []).append(wish)
    changed = sum(forms.choose_many(ctx, known[n], some) for n, some in wishes.items())
    return ImportDone(changed, len(rows) - len(refused) - changed, refused)


SUBSCRIPTIONS = ImportKind(
    name=f"{NAME}.subscriptions",
    title=_l("In what form members get the magazine"),
    columns={
        "form": ("form", "format", "magazine"),
        "copies": ("copies", "quantity"),
        "publication": ("publication", "publication_number"),
    },
    needs=("form",),
    days=(),
    read=read,
    write=take,
)
