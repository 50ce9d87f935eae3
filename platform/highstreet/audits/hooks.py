"""What the audit asks of tools."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from highstreet.host.spec import spec


class Difference(Struct, frozen=True):
    """Something kept that is not what its source says.

    ``what``: words for the operator, naming no person ("balance of account …"). ``kept``,
    ``derived``: the two values, as text.
    """

    what: str
    kept: str
    derived: str


class Audited(Struct, frozen=True):
    """A tool's answer: how many things it looked at, and those that differ."""

    checked: int
    differences: Sequence[Difference] = ()


class AuditHooks:
    """Asked by ``highstreet audit``."""

    @spec(kind="collect", winddown=True, since="0.1", budget_ms=3_600_000.0, gives=Audited)
    def audit(self, ctx: Any) -> Audited | None:
        """Derive again every sum you keep, in the whole brand, and say which differ.

        Asked once for a brand, in a reading session that reaches all stores; `ctx` stands in no
        store. Tools that are off are asked too: what they owe is still owed.
        """
        raise NotImplementedError
