"""The rows of a rule's form, ready for the page: each input with what was typed or is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from babel.numbers import format_decimal

from highstreet.host import shops
from highstreet.i18n import gettext as _
from highstreet.segments import offered, queries
from highstreet.segments.questions import OPERATORS, Question
from highstreet.segments.rules import Bought, Consented, Field, InSegment, People, Rule
from highstreet.segments.words import CHANNELS
from highstreet.web import formats
from highstreet.web.segments import words
from highstreet.web.segments.drafts import Draft, Row
from highstreet_tenants.sessions import ScopedSession


class Shower:
    """Shows a form in a place. but: the segment at hand, which can't ask itself."""

    def __init__(
        self,
        s: ScopedSession,
        known: Mapping[str, Question],
        currency: str,
        but: UUID | None = None,
    ) -> None:
        self._s = s
        self._known = known
        self._currency = currency
        self._segments = [one for one in queries.listed(s) if one.id != but]

    def page(self, draft: Draft) -> dict[str, Any]:
        """What the template needs."""
        groups = [
            {
                "id": f"g{g}",
                "how": group.how,
                "rows": [self._row(f"g{g}-r{r}", row) for r, row in enumerate(group.rows)],
            }
            for g, group in enumerate(draft.groups)
        ]
        return {
            "draft": draft,
            "groups": groups,
            "hows": [(name, str(label)) for name, label in words.HOWS.items()],
            "whats": self._whats(),
            "departments": offered.departments(self._s),
            "stores": offered.stores(self._s),
            "purposes": offered.purposes(self._s),
            "channels": [("", ""), *((name, str(label)) for name, label in CHANNELS.items())],
            "segments": [("", ""), *((str(one.id), one.name) for one in self._segments)],
            "sign": formats.symbol(self._currency),
        }

    def _whats(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """What a condition can be about, by who knows it."""
        parts: dict[str, list[tuple[str, str]]] = {}
        names = {"customer": _("About the customer"), "custom": _("Your own fields")}
        for name, one in self._known.items():
            part = names.get(name.partition(".")[0], _("From tools"))
            parts.setdefault(part, []).append((f"field:{name}", str(one.label)))
        others = [
            (name, str(label))
            for name, label in words.OTHERS.items()
            if name != "people" and (name != "segment" or self._segments)
        ]
        return [(_("Purchases, consent, segments"), others), *parts.items()]

    def begin(self, what: str) -> Row:
        """A new row."""
        question = self._known.get(what.partition(":")[2])
        return Row(what, {"op": [words.FIRST[question.kind]]} if question else {})

    def _row(self, at: str, row: Row) -> dict[str, Any]:
        kind = row.what.partition(":")[0]
        values = row.values if row.node is None else self._kept(row.node)
        shown: dict[str, Any] = {"id": at, "what": row.what, "kind": kind, "values": values}
        question = self._known.get(row.what.partition(":")[2])
        if kind == "field" and question is not None:
            op = next(iter(values.get("op", ())), words.FIRST[question.kind])
            shown |= {
                "title": str(question.label),
                "help": str(question.help),
                "of": question.kind,
                "op": op,
                "ops": [(one, str(words.OPERATORS[one])) for one in OPERATORS[question.kind]],
                "choices": [(key, str(label)) for key, label in question.choices.items()],
                "several": op in ("one_of", "not_one_of"),
                "between": "between" in OPERATORS[question.kind],
                "hint": str(words.HINTS.get(question.kind, "")),
            }
            return shown
        shown["title"] = str(words.OTHERS.get(kind, _("A condition that can’t be asked here")))
        shown["people"] = len(next(iter(values.get("ids", ())), "").split(","))
        return shown

    def _kept(self, node: Rule) -> dict[str, list[str]]:
        """What the inputs of a kept condition hold."""
        if isinstance(node, Field):
            return self._of_field(node)
        if isinstance(node, Bought):
            given: dict[str, Sequence[Any]] = {
                "departments": node.departments,
                "products": node.products,
                "stores": self._names(node.stores),
                "days": [node.in_last_days] if node.in_last_days else [],
                "first": [node.first] if node.first else [],
                "last": [node.last] if node.last else [],
                "times": [node.times] if node.times > 1 else [],
                "amount": [formats.amount(node.at_least_minor, self._currency)]
                if node.at_least_minor
                else [],
            }
            return {name: [str(one) for one in values] for name, values in given.items()}
        if isinstance(node, Consented):
            return {"purpose": [node.purpose], "channel": [node.channel]}
        if isinstance(node, InSegment):
            return {"segment": [str(node.id)]}
        assert isinstance(node, People)
        return {"ids": [",".join(str(one) for one in node.ids)]}

    def _of_field(self, node: Field) -> dict[str, list[str]]:
        question = self._known.get(node.name)
        kind = question.kind if question else "text"
        listed = node.value if isinstance(node.value, list) else [node.value]
        if kind == "store":
            told = self._names([UUID(str(one)) for one in listed if one])
        else:
            told = [self._told(kind, node.op, one) for one in listed if one is not None]
        if node.op == "between" and len(told) == 2:
            return {"op": [node.op], "value": told[:1], "to": told[1:]}
        return {"op": [node.op], "value": told}

    def _told(self, kind: str, op: str, value: Any) -> str:
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, int) and kind == "money":
            return formats.amount(value, self._currency)
        if isinstance(value, int | float):
            return format_decimal(value, "0.######", locale=formats.locale())
        return str(value)

    def _names(self, ids: Sequence[UUID]) -> list[str]:
        """Of stores: what each is found by again, its name unless others share it."""
        named = shops.named(self._s, ids)
        clear = shops.called(self._s, [one.name for one in named.values()])
        return [
            str(one)
            if one not in named
            else named[one].name
            if named[one].name in clear
            else named[one].code
            for one in ids
        ]
