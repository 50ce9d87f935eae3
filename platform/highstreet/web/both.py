"""Views that stand in both consoles, a store's and head office's, at the same names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

from flask import Blueprint, url_for

from highstreet.host.access import requires
from highstreet.web.current import current

V = TypeVar("V", bound=Callable[..., Any])


class Both:
    """Hangs the views of one part of the consoles: `store_<name>` and `office_<name>`."""

    def __init__(self, blueprint: Blueprint, part: str, *, store: str, office: str) -> None:
        """part: the part's name in addresses; store, office: the permission to look at it there."""
        self._blueprint, self._part = blueprint, part
        self._store, self._office = store, office

    def __call__(
        self, path: str, name: str, *methods: str, store: str = "", office: str = ""
    ) -> Callable[[V], V]:
        """Hang a view in both consoles, each with its permission."""

        def hang(view: V) -> V:
            def in_office(**given: Any) -> Any:
                return view(**given)

            def in_store(**given: Any) -> Any:
                return view(**given)

            for root, face, permission, own in (
                ("/store/<brand>/<store>", "store", store or self._store, in_store),
                ("/office/<brand>", "office", office or self._office, in_office),
            ):
                self._blueprint.add_url_rule(
                    f"{root}/{self._part}{path}",
                    f"{face}_{name}",
                    requires(permission)(own),
                    methods=methods,
                )
            return view

        return hang

    def here(self, name: str, **values: Any) -> str:
        """The address of a page of this part in the console at hand."""
        face = "store" if current.place.store else "office"
        at = f"{self._blueprint.name}.{face}_{name}"
        return url_for(at, **current.place.slugs, **values)


def person_href(customer_id: UUID) -> str:
    """Where a customer stands in the console at hand."""
    page = "customers.one" if current.place.store else "club.one"
    return url_for(page, customer_id=customer_id, **current.place.slugs)
