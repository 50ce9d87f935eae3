"""A store's pages of the points club: what it owes, one member's points, corrections, cards."""

from typing import Any
from uuid import UUID, uuid4

from flask import flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from highstreet.sdk import (
    Ctx,
    CustomerFact,
    HighstreetError,
    current,
    go_on,
    open_ctx,
    requires,
    screens,
)
from highstreet.sdk import gettext as _
from highstreet_points_club import (
    cards,
    corrections,
    history,
    liability,
    often,
    rewards,
    rules,
    terms,
    till,
    words,
)
from highstreet_points_club.sheets import sheet
from highstreet_points_club.writing import business_date

store = screens("points_club", "store", import_name=__name__)

PAGE = 25


@store.get("/")
@requires("today.view")
def overview() -> str:
    """The programme in words, and what the store owes.

    What it owes is about few people at times, so head office does not open it where customers are
    the store's.
    """
    with open_ctx() as ctx:
        return render_template("points_club/overview.html", **_overview(ctx))


@store.get("/members/<uuid:customer_id>")
@requires("customers.read")
def member(customer_id: UUID) -> str:
    """One member's points: what is there, what waits, the whole story."""
    with open_ctx() as ctx:
        return _member_page(ctx, customer_id)


@store.post("/members/<uuid:customer_id>/redeem")
@requires("points_club.redeem")
def redeem(customer_id: UUID) -> Response:
    """Hand over the reward `reward`; `ref` makes a repeated press one deed."""
    chosen, ref = request.form.get("reward", ""), request.form.get("ref") or None
    try:
        with open_ctx(write=True) as ctx:
            customer = ctx.customers.get(customer_id)
            amount = request.form.get("amount", "").strip()[:20]
            done = till.take(ctx, customer, chosen, ref[:80] if ref else None, amount)
            after = history.balance(ctx, customer.id)
            programme = after.programme
        flash(
            _(
                "%(reward)s for %(name)s. %(points)s left.",
                reward=done.name,
                name=customer.name or _("this member"),
                points=words.amount(programme, after.balance),
            ),
            "good",
        )
    except HighstreetError as refusal:
        flash(refusal.detail, "bad")
    return go_on(url_for(".member", customer_id=customer_id, **_place()))


@store.post("/rewards/<uuid:reward_id>/give-back")
@requires("points_club.redeem")
def give_back(reward_id: UUID) -> Response:
    """Take a reward back that was handed over by mistake."""
    try:
        with open_ctx(write=True) as ctx:
            back = rewards.give_back(ctx, reward_id)
            owner = rewards.locked(ctx, reward_id)[1].customer_id
            name = ctx.customers.get(owner).name if owner else ""
        flash(
            _(
                "Undone: %(reward)s for %(name)s. The points are there again.",
                reward=back.name,
                name=name or _("this member"),
            ),
            "good",
        )
    except HighstreetError as refusal:
        flash(refusal.detail, "bad")
    return go_on(url_for(".overview", **_place()))


@store.post("/members/<uuid:customer_id>/correct")
@requires("points_club.adjust")
def correct(customer_id: UUID) -> Response | tuple[str, int]:
    """Correct a balance by hand, with a reason."""
    typed = request.form.get("points", "").strip().replace("−", "-").replace("+", "")
    form = {"points": typed, "reason": request.form.get("reason", "")}
    digits = typed.removeprefix("-")
    points = int(typed) if digits.isascii() and digits.isdigit() and len(digits) < 9 else 0
    try:
        with open_ctx(write=True) as ctx:
            done = corrections.adjust(
                ctx,
                customer_id,
                points,
                form["reason"],
                ref=request.form.get("ref", "")[:60] or None,
                beyond=current.may("points_club.adjust_beyond"),
            )
            programme = rules.programme(ctx)
    except HighstreetError as refusal:
        if not refusal.fields:
            raise
        with open_ctx() as ctx:
            return _member_page(ctx, customer_id, form, refusal.fields), refusal.status
    flash(_("Corrected. %(points)s now.", points=words.amount(programme, done.balance)), "good")
    return redirect(url_for(".member", customer_id=customer_id, **_place()), 303)


@store.post("/members/<uuid:customer_id>/card")
@requires("customers.write")
def new_card(customer_id: UUID) -> Response:
    """Give a new card; `replaces` names the one that was lost."""
    lost = request.form.get("replaces", "")
    try:
        with open_ctx(write=True) as ctx:
            made = cards.replace(ctx, customer_id, lost) if lost else cards.issue(ctx, customer_id)
        flash(_("Card %(number)s given.", number=cards.grouped(made.shown)), "good")
    except HighstreetError as refusal:
        flash(refusal.detail, "bad")
    return redirect(url_for(".member", customer_id=customer_id, **_place()), 303)


@store.get("/members/<uuid:customer_id>/card.pdf")
@requires("customers.read")
def card_pdf(customer_id: UUID) -> Response:
    """The member's card to print."""
    with open_ctx() as ctx:
        pdf = cards.printable(ctx, [customer_id])
    response = make_response(pdf)
    response.mimetype = "application/pdf"
    response.headers["Content-Disposition"] = 'inline; filename="card.pdf"'
    return response


@store.get("/members/<uuid:customer_id>/statement.csv")
@requires("customers.export")
def statement(customer_id: UUID) -> Response:
    """The whole story as a file for a spreadsheet."""
    with open_ctx() as ctx:
        zone = rules.place(ctx).zone
        rows = [
            (
                line.at.astimezone(zone).isoformat(timespec="minutes"),
                line.kind,
                line.points,
                line.balance,
                line.store or "",
                line.reward or "",
                line.reason or "",
                "; ".join(f"{name}: {points}" for name, points in line.campaigns),
            )
            for line in history.statement(ctx, ctx.customers.get(customer_id).id)
        ]
    header = ("date", "kind", "points", "balance", "store", "reward", "reason", "campaigns")
    return sheet("points.csv", header, rows)


def _overview(ctx: Ctx) -> dict[str, Any]:
    programme, place = rules.programme(ctx), rules.place(ctx)
    today = business_date(ctx.now(), place.zone)
    open_book = current.may("customers.read")
    return {
        **terms.shown(programme, place),
        "liability": next(iter(liability.by_store(ctx)), None),
        "unusual": [
            {"day": words.day(one.on, place), "one": one}
            for one in (often.unusual(ctx, programme, today) if open_book else ())
        ],
        "corrections": [
            {
                "day": words.day(business_date(one.at, place.zone), place),
                "change": words.signed(one.points),
                "one": one,
            }
            for one in (corrections.latest(ctx) if current.may("points_club.adjust") else ())
        ],
        "shared": ctx.brand.customers == "brand",
    }


def _member_page(
    ctx: Ctx,
    customer_id: UUID,
    form: dict[str, str] | None = None,
    errors: dict[str, list[str]] | None = None,
) -> str:
    detail = ctx.customers.detail(customer_id)
    customer: CustomerFact = detail.customer
    standing = history.balance(ctx, customer.id)
    before = request.args.get("before")
    lines, cursor = history.page(ctx, customer.id, before=before, limit=PAGE)
    place = rules.place(ctx)
    choices = till.choices(ctx, standing)
    earlier = None
    if cursor is not None:
        earlier = url_for(".member", customer_id=customer.id, before=cursor, **_place())
    return render_template(
        "points_club/member.html",
        customer=customer,
        standing=standing,
        unit=words.unit(standing.programme, standing.balance),
        next_reward=words.next_reward(standing),
        notes=words.notes(standing, place),
        choices=choices,
        some=[one for one in choices if one.each_minor and one.most_minor > one.each_minor],
        story=[words.told(line, place) for line in lines],
        earlier=earlier,
        cards=[one for one in detail.identities if one.kind == "card"],
        ref=uuid4().hex,
        sign=words.sign(place),
        form=form or {},
        errors=errors or {},
    )


def _place() -> dict[str, Any]:
    """What the addresses of this store's pages need."""
    arguments = request.view_args or {}
    return {name: arguments[name] for name in ("brand", "store") if name in arguments}
