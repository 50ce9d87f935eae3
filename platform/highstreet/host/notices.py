"""Messages that a tool may write to one member: what each says, declared beforehand."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct


class Notice(Struct, frozen=True):
    """One kind of message, sent by `ctx.mail.notice`.

    name: `<tool>.<what>`. title: what it is, for lists (a lazy translation). subject, text: lazy
    translations with merge fields in Liquid, such as "Hello {{ name }}"; the member's name, the
    brand's and the store's are there always (`name`, `brand`, `store`). sample: each other field
    with a value for show. purpose: "service" for what concerns somebody's own membership, or one
    that members agree to, such as "marketing".
    """

    name: str
    title: object
    subject: object
    text: object
    sample: Mapping[str, Any]
    purpose: str = "service"


def wrong(tool: str, notices: Sequence[Notice]) -> Iterator[str]:
    """What is wrong with the notices that a tool declares."""
    names = [one.name for one in notices]
    yield from (f"two notices are called {n}" for n in sorted(set(names)) if names.count(n) > 1)
    for one in notices:
        if not re.fullmatch(rf"{tool}\.[a-z][a-z0-9_]{{0,39}}", one.name):
            yield f"the notice {one.name} must be called {tool}.…, in small letters"
        if not re.fullmatch(r"[a-z][a-z0-9_.-]{0,39}", one.purpose):
            yield f"the purpose of the notice {one.name} must be small letters, digits and dashes"
        for part in ("subject", "text"):
            yield from (
                f"the {part} of the notice {one.name}: {why}"
                for why in _of_template(str(getattr(one, part)), one.sample)
            )


def _of_template(text: str, sample: Mapping[str, Any]) -> list[str]:
    from highstreet import templating  # not at the start of a tool that writes to nobody

    if not text.strip():
        return ["it says nothing"]
    return templating.check(text, {*sample, *ALWAYS})


#: Fields that every message can name.
ALWAYS = frozenset({"name", "brand", "store", "unsubscribe_url"})
