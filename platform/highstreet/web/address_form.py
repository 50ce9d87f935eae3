"""The form for a postal address: it asks for what the country at hand needs, in its order.

Without scripts: the country is chosen in a form of its own, which brings the other one.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from msgspec import Struct

from highstreet.addresses import countries, queries
from highstreet.addresses.facts import AddressFact, AddressIn, Part
from highstreet.customers import places
from highstreet.i18n import gettext as _
from highstreet.web.forms import Form
from highstreet_tenants.sessions import ScopedSession

NAMES: tuple[str, ...] = (
    "country",
    "recipient",
    "street",
    "dependent_locality",
    "city",
    "area",
    "postal_code",
    "sorting_code",
)
#: What a browser may fill in by itself (HTML's autocomplete).
_FILLED: Mapping[Part, str] = {
    "street": "street-address",
    "city": "address-level2",
    "area": "address-level1",
    "dependent_locality": "address-level3",
    "postal_code": "postal-code",
}


class Ask(Struct, frozen=True):
    """One field of the form. options: of a select; lines: of a text over several lines."""

    name: str
    label: str
    required: bool
    options: list[tuple[str, str]] | None
    lines: int
    hint: str
    filled: str


def blank(s: ScopedSession, held: AddressFact | None, country: str | None) -> Form:
    """The form as it is opened: what is held, or another country's with what fits it."""
    form = Form({}, NAMES)
    if held is not None:
        form.values |= {
            name: str(getattr(held, name)) for name in NAMES if name not in ("street", "area")
        }
        form.values["street"] = "\n".join(held.street)
        form.values["area"] = held.area
    usual = held.country if held is not None else places.region(s)
    wanted = (country or usual or "").upper()
    form.values["country"] = wanted if wanted in countries.countries() else usual or "GB"
    return form


def typed(form: Form) -> AddressIn:
    """What somebody typed, for the verb."""
    return AddressIn(**{name: form[name] for name in NAMES})


def shown(form: Form, *, own: bool = False) -> dict[str, Any]:
    """What the template needs: the fields, all countries, labels for what is wrong.

    own: the person's own browser may fill in where they live.
    """
    asks = [_ask(one, form, own) for one in countries.form(form["country"])]
    hint = (
        _("Only if it is not your own name, such as “c/o Lee”.")
        if own
        else _("Only if it is not their own name, such as “c/o Lee”.")
    )
    label = countries.label(countries.rules(form["country"]), "recipient")
    asks.append(Ask("recipient", label, False, None, 0, hint, "" if own else "off"))
    labels = {one.name: (one.name, one.label) for one in asks}
    # What the country does not ask for can't be wrong by itself: its words go to the street.
    for name in NAMES:
        labels.setdefault(name, ("street", _("Address")))
    return {
        "form": form,
        "errors": form.errors,
        "labels": labels,
        "asks": asks,
        "countries": countries.listed(),
        "country_name": countries.country_name(form["country"]),
    }


def _ask(one: Any, form: Form, own: bool) -> Ask:
    options = None
    if one.choices:
        value = form[one.part]
        there = value in dict(one.choices) or not value
        options = [("", _("Choose")), *one.choices, *([] if there else [(value, value)])]
    return Ask(
        one.part,
        one.label,
        one.required,
        options,
        3 if one.part == "street" else 0,
        _("It looks like %(example)s.", example=one.example) if one.example else "",
        _FILLED.get(one.part, "") if own else "off",
    )


def told(s: ScopedSession, customer_id: UUID) -> dict[str, Any] | None:
    """What the customer's page shows of their address, and who else is in the household."""
    held = queries.current(s, customer_id)
    if held is None:
        return None
    together = queries.members_of(s, held.household_id) if held.household_id else []
    return {
        "lines": ((held.recipient, *held.lines) if held.recipient else held.lines),
        "country": countries.country_name(held.country),
        "state": held.state,
        "others": [one for one in together if one.customer_id != customer_id],
    }
