"""Pieces of the points club in the core's pages."""

from collections.abc import Callable
from datetime import timedelta

from flask import has_request_context, render_template, request, url_for
from markupsafe import Markup

from highstreet.sdk import Ctx, CustomerFact
from highstreet.sdk import gettext as _
from highstreet_points_club import history, liability, rules, terms, till, words
from highstreet_points_club.issuing import Issued
from highstreet_points_club.lasting import last_day_before

_LATEST = 5
_SOON = timedelta(days=30)


def customer_panel(ctx: Ctx, customer: CustomerFact) -> Markup:
    """The latest of a member's points, for the customer's page."""
    lines, _more = history.page(ctx, customer.id, limit=_LATEST)
    standing = history.balance(ctx, customer.id)
    place = rules.place(ctx)
    return Markup(
        render_template(
            "points_club/_customer.html",
            waiting=[
                words.waiting(one.name, count) for one, count in till.grouped(standing.rewards)
            ],
            unit=words.units(standing.programme),
            notes=words.notes(standing, place),
            story=[words.told(line, place) for line in lines],
            href=till.page_of(ctx, "member", customer_id=customer.id),
        )
    )


def member_panel(ctx: Ctx, customer: CustomerFact) -> Markup | None:
    """The latest points and the rewards that wait, for the member's own page."""
    lines, _more = history.page(ctx, customer.id, limit=2 * _LATEST)
    standing = history.balance(ctx, customer.id)
    if not lines:
        return None
    place = rules.place(ctx)
    return Markup(
        render_template(
            "points_club/_member.html",
            unit=words.units(standing.programme),
            waiting=[_until(one, count, place) for one, count in till.grouped(standing.rewards)],
            story=[words.told(line, place) for line in lines],
            statement=_statement(),
        )
    )


def today_news(ctx: Ctx) -> Markup | None:
    """Points of this store that lapse soon: a reason to write to those members."""
    members, points = liability.lapsing(ctx, _SOON)
    if not members:
        return None
    programme = rules.programme(ctx)
    return Markup(
        render_template(
            "points_club/_today.html",
            title=_("%(points)s lapse within 30 days", points=words.amount(programme, points)),
            members=members,
            href=till.page_of(ctx, "overview"),
        )
    )


def set_up(ctx: Ctx) -> Markup:
    """The programme in words, above its settings."""
    programme, place = rules.programme(ctx), rules.place(ctx)
    return Markup(
        render_template(
            "points_club/_programme.html",
            rules=terms.earning(programme, place),
            terms=[*terms.gifts(programme), *terms.keeping(programme), *terms.limits(programme)],
            rewards=[
                (words.offer(rule, 1, place), words.amount(programme, rule.points))
                for rule in programme.rewards
            ],
        )
    )


def _statement() -> str:
    """The address of the member's statement; empty where the page is not opened by their link."""
    token = (request.view_args or {}).get("token") if has_request_context() else None
    return url_for("points_club-member.statement", token=token) if token else ""


def _until(reward: Issued, count: int, place: rules.Place) -> str:
    name = reward.name if count == 1 else f"{words.number(count)} × {reward.name}"
    if reward.ends_at is None:
        return name
    last = last_day_before(reward.ends_at, place.zone)
    if count > 1:
        return _("%(reward)s, the first until %(day)s", reward=name, day=words.day(last, place))
    return _("%(reward)s, until %(day)s", reward=name, day=words.day(last, place))


SLOTS: dict[str, Callable[..., Markup | None]] = {
    "customer.panel": customer_panel,
    "member.panel": member_panel,
    "today.news": today_news,
    "tool.set_up": set_up,
}
