"""What head office's campaigns can do in stores: deeds that tools offer, each with its terms.

The core keeps the campaign, asks the stores and says where and when it runs. The tool says what
its action is called and what its terms are, acts on what happens while it runs (it asks `ctx` which
of its campaigns do), and counts what came of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from marshmallow import Schema


class CampaignAction(Struct, frozen=True):
    """One thing that a campaign can do.

    name: `<tool>.<what>`. title, summary: lazy translations. terms: a marshmallow Schema class of
    what head office fills in, with the metadata that settings have. says: gets `ctx` of a place and
    loaded terms; gives what they mean to a member, a few words ("Double points"). store_may: fields
    of the terms that head office may leave to the stores: whole numbers (money among them), within
    bounds that it sets for each, ticks and choices. clashes: gets `ctx` of a store, loaded terms,
    first and last day; says what of the store's own settings gets in the way, a sentence each.
    counts: the name of a registered aggregate that takes `campaign_id` and gives, for each
    `store_id`, how many `people` it gave something to, for how many `purchases`, and the `points`.
    """

    name: str
    title: object
    terms: type[Schema]
    says: Callable[[Any, Mapping[str, Any]], str]
    summary: object = ""
    store_may: Sequence[str] = ()
    clashes: Callable[[Any, Mapping[str, Any], date, date], Sequence[str]] | None = None
    counts: str | None = None
