"""Kinds of events that leave the house: what each says, in a form that can be documented."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from marshmallow import Schema


class EventType(Struct, frozen=True):
    """One kind of event, such as "purchase.recorded".

    title, summary: lazy translations. schema: the class of what it says; payloads are thin, so it
    holds ids, amounts, moments and words of a list, never a name, an address or a free text about
    somebody. sample: as it is sent, shown in the docs and sent as a test. personal: it is about a
    person, so head office hears of it only where the brand owns the customers. club: where the
    brand owns the customers, every store hears of it, not only the one where it happened.
    """

    name: str
    title: object
    summary: object
    schema: type[Schema]
    sample: Mapping[str, Any]
    personal: bool = True
    club: bool = False
