"""The kinds of events there are: the core's own, and those of the tools."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from marshmallow import Schema, fields, validate

from highstreet import host as hosts
from highstreet.host import state
from highstreet.host.event_types import EventType
from highstreet.i18n import lazy_gettext as _l
from highstreet_tenants.sessions import ScopedSession

if TYPE_CHECKING:
    from highstreet.host.registry import Host

_STORE = "019aaf6e-0001-7000-8000-000000000001"
_CUSTOMER = "019aaf6e-0002-7000-8000-000000000002"
_GONE = "019aaf6e-0003-7000-8000-000000000003"
_PURCHASE = "019aaf6e-0004-7000-8000-000000000004"


class CustomerData(Schema):
    """A customer, by id. Ask the API for the rest, with a key that may."""

    customer_id = fields.UUID(required=True)


class MergeData(Schema):
    """Two customers became one, or two again."""

    customer_id = fields.UUID(required=True, metadata={"description": "The record that is kept."})
    gone_id = fields.UUID(required=True, metadata={"description": "The other one."})


class CardData(CustomerData):
    """What became of one of a customer's cards."""

    status = fields.String(
        required=True,
        validate=validate.OneOf(["active", "lost", "blocked"]),
        metadata={"description": "active: it was given, or works again."},
    )


class BoughtData(Schema):
    """A purchase, and whose. Amounts are whole minor units."""

    purchase_id = fields.UUID(required=True)
    customer_id = fields.UUID(required=True, allow_none=True)
    currency = fields.String(required=True)


class PurchaseData(BoughtData):
    """A purchase."""

    total_minor = fields.Integer(required=True)


class ReturnData(BoughtData):
    """Money was given back."""

    return_id = fields.UUID(required=True)
    amount_minor = fields.Integer(required=True)


class ConsentData(CustomerData):
    """Somebody agreed or refused."""

    purpose = fields.String(required=True)
    channel = fields.String(required=True)
    status = fields.String(required=True, validate=validate.OneOf(["given", "withdrawn"]))


class SwitchData(Schema):
    """A tool went on or off in a store."""

    tool = fields.String(required=True)
    on = fields.Boolean(required=True)
    state = fields.String(required=True)


_bought = {
    "purchase_id": _PURCHASE,
    "customer_id": _CUSTOMER,
    "total_minor": 1250,
    "currency": "AUD",
}

CORE: Mapping[str, EventType] = {
    one.name: one
    for one in (
        EventType(
            "customer.enrolled",
            _l("A customer joined"),
            _l("At a till, by the API, in a tool or from a file."),
            CustomerData,
            {"customer_id": _CUSTOMER},
        ),
        EventType(
            "customer.updated",
            _l("A customer’s details changed"),
            _l("Name, phone, e-mail, language, birthday or the brand’s own fields."),
            CustomerData,
            {"customer_id": _CUSTOMER},
            club=True,
        ),
        EventType(
            "customer.merged",
            _l("Two customers became one"),
            _l("Point what you keep for the record that went at the one that is kept."),
            MergeData,
            {"customer_id": _CUSTOMER, "gone_id": _GONE},
            club=True,
        ),
        EventType(
            "customer.unmerged",
            _l("A merge was taken back"),
            _l("The record that went is one of its own again."),
            MergeData,
            {"customer_id": _CUSTOMER, "gone_id": _GONE},
            club=True,
        ),
        EventType(
            "customer.erased",
            _l("A customer was erased"),
            _l("Delete what you keep of this person."),
            CustomerData,
            {"customer_id": _CUSTOMER},
            club=True,
        ),
        EventType(
            "customer.card_changed",
            _l("A card was given, lost, blocked or found again"),
            _l("A customer’s further card, or what became of one; ask the API for its number."),
            CardData,
            {"customer_id": _CUSTOMER, "status": "blocked"},
            club=True,
        ),
        EventType(
            "consent.changed",
            _l("A customer agreed or refused"),
            _l("One purpose and channel; “*” in a refusal of all."),
            ConsentData,
            {
                "customer_id": _CUSTOMER,
                "purpose": "marketing",
                "channel": "email",
                "status": "withdrawn",
            },
            club=True,
        ),
        EventType(
            "purchase.recorded",
            _l("A purchase was recorded"),
            _l("Once for each receipt, also of nobody’s."),
            PurchaseData,
            _bought,
        ),
        EventType(
            "purchase.claimed",
            _l("A purchase became a customer’s"),
            _l("The card was shown after the sale."),
            PurchaseData,
            _bought,
        ),
        EventType(
            "purchase.returned",
            _l("Money was given back"),
            _l("Wholly or in part; several may follow one purchase."),
            ReturnData,
            {
                "purchase_id": _PURCHASE,
                "return_id": _GONE,
                "customer_id": _CUSTOMER,
                "amount_minor": 500,
                "currency": "AUD",
            },
        ),
        EventType(
            "tool.switched",
            _l("A tool went on or off"),
            _l("By the store, by head office’s policy, or paused and resumed."),
            SwitchData,
            {"tool": "points_club", "on": True, "state": "on"},
            personal=False,
        ),
    )
}
"""The core's own, in the order in which a form offers them."""

#: What is sent when somebody tries a webhook; nobody subscribes to it.
TEST = "webhook.test"


def all_of(host: Host) -> dict[str, EventType]:
    """Every kind by name, the core's first, then the tools' in the order they depend."""
    return {
        **CORE,
        **{one.name: one for loaded in host.plugins.values() for one in loaded.plugin.events},
    }


def known(s: ScopedSession) -> dict[str, EventType]:
    """Every kind by name."""
    return all_of(hosts.of(s))


def offered(s: ScopedSession) -> dict[str, EventType]:
    """The kinds that the scope's place may subscribe to.

    A store may have all of the core and of the tools that are on there. Head office hears of no
    person where stores own their customers.
    """
    on = state.enabled(s)
    return {
        name: one
        for name, one in known(s).items()
        if (tool_of(one) is None or tool_of(one) in on) and may_hear(s, one)
    }


def tool_of(one: EventType) -> str | None:
    """The tool whose event it is; None: the core's own."""
    return None if one.name in CORE else one.name.split(".", 1)[0]


def may_hear(s: ScopedSession, one: EventType) -> bool:
    """Whether the scope's place may hear of such events at all."""
    return s.store_id is not None or not one.personal or s.customers == "brand"


def sample(one: EventType) -> dict[str, Any]:
    """A whole message as it is sent."""
    return {
        "type": one.name,
        "timestamp": "2026-05-31T02:10:00+00:00",
        "data": {**one.sample, "store_id": _STORE, "store": "0042"},
    }
