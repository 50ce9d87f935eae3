"""What a view needs of its caller, said on the view itself. The faces enforce it; deny by default.

A view that says nothing is refused, and a test over the URL map finds it.
"""

from collections.abc import Callable
from typing import Any, TypeVar

V = TypeVar("V", bound=Callable[..., Any])

PERMISSION = "permission"
PUBLIC = "public_because"


def requires(permission: str) -> Callable[[V], V]:
    """Let in whoever holds `permission` (such as "till.use") at the place of the request."""
    if not permission:
        raise TypeError("name the permission that the view requires")

    def mark(view: V) -> V:
        setattr(view, PERMISSION, permission)
        return view

    return mark


def public(why: str) -> Callable[[V], V]:
    """Let in anyone; `why` says the reason to the reader of the code, so it can't be left out."""
    if not why:
        raise TypeError("say why the view is open to everyone")

    def mark(view: V) -> V:
        setattr(view, PUBLIC, why)
        return view

    return mark


def permission_of(view: Callable[..., Any] | None) -> str | None:
    """The permission that a view requires, or None if it is public or says nothing."""
    return getattr(view, PERMISSION, None)


def why_public(view: Callable[..., Any] | None) -> str | None:
    """Why a view is open to everyone, or None if it is not."""
    return getattr(view, PUBLIC, None)
