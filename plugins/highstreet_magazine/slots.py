"""Pieces of the magazine in the core's pages: what somebody gets, and how to change it."""

from collections.abc import Callable

from flask import has_request_context, render_template, request, url_for
from markupsafe import Markup

from highstreet.sdk import Ctx, CustomerFact, address, current
from highstreet_magazine import forms, words
from highstreet_magazine.names import FORMS, NONE


def customer_panel(ctx: Ctx, customer: CustomerFact) -> Markup | None:
    """What a member gets of each publication, and a form to change it."""
    there = forms.of_customer(ctx, customer.id)
    if not there or ctx.store_id is None:
        return None
    may = has_request_context() and current.may("magazine.subscribe")
    return Markup(
        render_template(
            "magazine/_customer.html",
            standings=[(one, words.of_standing(one)) for one in there],
            forms=FORMS.items(),
            may_change=may,
            most=int(ctx.settings()["most_copies"]),
            action=address(ctx, "choose", customer_id=customer.id) if may else "",
            back=request.path if has_request_context() else "",
        )
    )


def till_member(ctx: Ctx, customer: CustomerFact) -> Markup | None:
    """A line for the member in hand, with a button where they get nothing."""
    there = forms.of_customer(ctx, customer.id)
    if not there or ctx.store_id is None:
        return None
    may = has_request_context() and current.may("magazine.subscribe")
    return Markup(
        render_template(
            "magazine/_till.html",
            lines=[(one, words.of_standing(one), one.form == NONE) for one in there],
            action=address(ctx, "choose", customer_id=customer.id) if may else "",
            back=request.full_path.rstrip("?") if has_request_context() else "",
        )
    )


def member_panel(ctx: Ctx, customer: CustomerFact) -> Markup | None:
    """What they get, on the member's own page; they choose it themselves."""
    there = forms.of_customer(ctx, customer.id)
    token = (request.view_args or {}).get("token") if has_request_context() else None
    if not there:
        return None
    return Markup(
        render_template(
            "magazine/_member.html",
            standings=[(one, words.of_standing(one)) for one in there],
            forms=FORMS.items(),
            action=url_for("magazine-member.choose_own", token=token) if token else "",
        )
    )


SLOTS: dict[str, Callable[..., Markup | None]] = {
    "customer.panel": customer_panel,
    "till.member": till_member,
    "member.panel": member_panel,
}
