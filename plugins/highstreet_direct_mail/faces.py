"""Pages that a store and head office share: a place sends its own post, whichever it is."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from flask import render_template, request

from highstreet.sdk import Ctx, Invalid, current, requires, screens
from highstreet.sdk import gettext as _

#: Kinds of print designs that have a place for an address.
_POSTED = ("postcard", "letter")

store = screens("direct_mail", "store", import_name=__name__)
office = screens("direct_mail", "office", import_name=__name__)


#: Head office's permission for what a store's stands for: hers is about nobody's people where the
#: stores own them, so that it opens there, too, and says so.
_OFFICE = {
    "read": "office",
    "plan": "office",
    "returns": "office",
    "approve": "office_approve",
    "files": "office_approve",
}


def page(rule: str, needs: str, *methods: str) -> Callable[[Any], Any]:
    """A view of both consoles. needs: the last part of the store's permission, as "plan". methods:
    GET unless given."""

    def keep(view: Any) -> Any:
        for face, permission in ((store, needs), (office, _OFFICE[needs])):

            @wraps(view)
            def guarded(*args: Any, **kwargs: Any) -> Any:
                return view(*args, **kwargs)

            face.add_url_rule(
                rule,
                view_func=requires(f"direct_mail.{permission}")(guarded),
                methods=list(methods or ("GET",)),
            )
        return view

    return keep


def can(needs: str) -> bool:
    """Whether the reader may do in this place what `page` guards by the same word."""
    here = needs if "store" in (request.view_args or {}) else _OFFICE.get(needs, needs)
    return current.may(f"direct_mail.{here}")


def show(template: str, **values: Any) -> str:
    """A page of the tool's."""
    return render_template(f"direct_mail/{template}", can=can, **values)


def here() -> dict[str, Any]:
    """What the addresses of this place's pages need."""
    arguments = request.view_args or {}
    return {name: arguments[name] for name in ("brand", "store") if name in arguments}


def whole(name: str, text: str, otherwise: int, most: int) -> int:
    """A whole number from 0 to `most` that a form says; nothing typed is `otherwise`. Raises
    Invalid."""
    text = text.strip()
    if not text:
        return otherwise
    if not (text.isascii() and text.isdigit() and len(text) < 9 and int(text) <= most):
        words = _("Say a whole number, at most %(most)s.", most=most)
        raise Invalid(words, fields={name: [words]})
    return int(text)


def chosen(ctx: Ctx, text: str) -> UUID | None:
    """The print design that a form names; None for none. Raises Invalid."""
    if not text.strip():
        return None
    for design_id, _name, kind, _size in ctx.printing.designs():
        if str(design_id) == text.strip() and kind in _POSTED:
            return design_id
    words = _("Choose one of the list.")
    raise Invalid(words, fields={"design": [words]})


def designs(ctx: Ctx) -> list[tuple[str, str]]:
    """What a form offers: a list alone, then head office's designs."""
    found = [(str(one[0]), one[1]) for one in ctx.printing.designs() if one[2] in _POSTED]
    return [("", _("None: a list for the mail house")), *found]
