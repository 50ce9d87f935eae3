"""The member's own page, behind a link: card, standing, story, wishes, all that is held."""

import io

from flask import (
    Blueprint,
    Response,
    flash,
    g,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from msgspec import Struct
from werkzeug.wrappers import Response as AnyResponse

from highstreet.addresses import queries as addresses
from highstreet.addresses import service as address_service
from highstreet.consent import queries as consent
from highstreet.consent import service as consent_service
from highstreet.customers import queries as customers
from highstreet.customers import service
from highstreet.customers.facts import CustomerDetail
from highstreet.customers.listing import store_names
from highstreet.host import dispatch, slots
from highstreet.host.access import public
from highstreet.i18n import gettext as _
from highstreet.i18n import language
from highstreet.members import links
from highstreet.till.hooks import Club
from highstreet.timeline import queries as timeline
from highstreet.web import address_form, campaign_words, formats
from highstreet.web import held as telling
from highstreet.web.current import Place, current
from highstreet.web.forms import Form
from highstreet.web.store import reached
from highstreet.web.store.leaving import copy_of
from highstreet.web.store.story import entry
from highstreet_tenants.errors import HighstreetError
from highstreet_tenants.sessions import ScopedSession

member = Blueprint("member", __name__, url_prefix="/m")
LINK = "the link is the key: it was given to this member only"
STORY = 8


@member.before_app_request
def stand_there() -> None:
    """Find out whose page a link opens, for these pages and those of tools beneath them."""
    token = (request.view_args or {}).get("token")
    if token is None or not request.path.startswith("/m/"):
        return
    current.house.rates.stranger(request.remote_addr)
    opened = links.open_link(current.house.tenancy, token)
    g.place = Place(opened.brand, opened.store, opened.scope)
    g.member_id = opened.customer_id


@member.get("/<token>")
@public(LINK)
def card(token: str) -> str:
    """The card, what it holds, what comes next."""
    with current.session() as s:
        detail = customers.detail(s, g.member_id)
        fact = detail.customer
        at = current.place.store_id if s.store_id is None else None
        answers = dispatch.collect(s, "member_club", store_id=at, customer=fact)
        club = next((one.value for one in answers if isinstance(one.value, Club)), None)
        panels = [one.value for one in slots.render(s, "member.panel", at, customer=fact)]
        story = timeline.read(s, fact.id, limit=STORY).entries
        names = store_names(s, (one.store_id for one in story))
        wishes = _wishes(s, detail)
        lives = address_form.told(s, fact.id)
        shop = s.store_id or at
        running = campaign_words.running_here(s, shop) if shop else []
    return render_template(
        "member/card.html",
        token=token,
        brand=current.place.brand,
        member={"name": fact.name, "card": _card(detail)},
        club=club,
        ready=_ready(club),
        panels=panels,
        running=running,
        story=[] if panels else [entry(one, names) for one in story],
        preferences=wishes,
        address=lives,
    )


@member.get("/<token>/card.svg")
@public(LINK)
def qr(token: str) -> Response:
    """The card's number as a QR code."""
    with current.session() as s:
        number = _card(customers.detail(s, g.member_id))
    if not number:
        raise links.dead()
    import segno  # not before somebody wants a code: a start does without

    out = io.BytesIO()
    segno.make(number, error="m", micro=False).save(
        out, kind="svg", border=3, dark="#1b1f23", light="#ffffff", xmldecl=False, omitsize=True
    )
    response = make_response(out.getvalue())
    response.mimetype = "image/svg+xml"
    return response


@member.post("/<token>/preferences")
@public(LINK)
def preferences(token: str) -> AnyResponse:
    """Keep what the member agrees to; each change is a record of its own."""
    changed = 0
    with current.session(write=True) as s:
        detail = customers.detail(s, g.member_id)
        for wish in _wishes(s, detail):
            wanted = wish.id in request.form
            if wish.disabled or wanted == wish.given:
                continue
            consent_service.record(
                s,
                detail.customer.id,
                purpose=wish.purpose,
                channel=wish.channel,
                status="given" if wanted else "withdrawn",
                wording=f"{wish.label}. {wish.hint}",
                method="member-page",
            )
            changed += 1
    flash(_("Saved. It holds from now on.") if changed else _("Nothing changed."), "good")
    return redirect(url_for("member.card", token=token), 303)


@member.get("/<token>/address")
@public(LINK)
def address(token: str) -> str:
    """The form for the member's own address."""
    with current.session() as s:
        form = address_form.blank(s, addresses.current(s, g.member_id), request.args.get("country"))
    return _address_page(token, form)


@member.post("/<token>/address")
@public(LINK)
def put_address(token: str) -> AnyResponse | tuple[str, int]:
    """Keep what the member says of where they live."""
    form = Form(request.form, address_form.NAMES)
    try:
        with current.session(write=True) as s:
            address_service.put(s, g.member_id, address_form.typed(form), source="member")
    except HighstreetError as error:
        if error.status == 404:
            raise
        with current.session() as s:
            form.values["country"] = address_form.blank(s, None, form["country"])["country"]
        form.refuse(error, "street")
        return _address_page(token, form), error.status
    flash(_("Saved. It holds from now on."), "good")
    return redirect(url_for("member.card", token=token), 303)


def _address_page(token: str, form: Form) -> str:
    return render_template(
        "member/address.html",
        token=token,
        brand=current.place.brand,
        **address_form.shown(form, own=True),
    )


@member.get("/<token>/pieces")
@public(LINK)
def pieces(token: str) -> str:
    """What was meant for the member, sent or not, each with the chain behind it."""
    with current.session() as s:
        rows = reached.pieces(s, g.member_id, own=True)
    return render_template("member/pieces.html", token=token, brand=current.place.brand, rows=rows)


@member.get("/<token>/held")
@public(LINK)
def held(token: str) -> str:
    """Everything that is held about the member, to be read."""
    with current.session() as s:
        data = service.export(s, g.member_id)
        names = store_names(s, telling.store_ids(data))
    places = {str(key): name for key, name in names.items()}
    host = current.house.host
    found = telling.parts(data, places, lambda name: host.title(name, language()))
    return render_template("member/held.html", token=token, brand=current.place.brand, parts=found)


@member.get("/<token>/copy.json")
@public(LINK)
def copy(token: str) -> Response:
    """Everything that is held about the member, as a file."""
    with current.session() as s:
        data = service.export(s, g.member_id)
    return copy_of(data, g.member_id)


class Wish(Struct, frozen=True):
    """One thing that may be sent, and whether the member agreed. disabled: there is no address, so
    they can't agree; what they agreed to before can be taken back even so."""

    id: str
    purpose: str
    channel: str
    label: str
    hint: str
    given: bool
    disabled: bool = False


def _wishes(s: ScopedSession, detail: CustomerDetail) -> list[Wish]:
    place = current.place
    sender = place.brand.name if s.customers == "brand" or not place.store else place.store.name
    lives = addresses.current(s, detail.customer.id)
    held = {one.kind: one.shown for one in detail.identities if one.kind != "card"}
    asked = (
        ("email", _("Offers by e-mail"), formats.hidden(held.get("email", ""))),
        ("sms", _("Offers by text message"), formats.hidden(held.get("phone", ""))),
        ("post", _("Offers by post"), lives.lines[0] if lives else ""),
    )
    found = []
    for channel, label, address in asked:
        missing = channel != "post" and not address
        if missing:
            hint = _("We have no address for this: give one at the till.")
        elif channel == "post" and not address:
            # The yes may stand, but nobody could write to them.
            hint = _(
                "From %(sender)s. We hold no home address of yours yet, so nothing comes by post.",
                sender=sender,
            )
        else:
            hint = _("From %(sender)s, to %(address)s.", sender=sender, address=address)
        given = consent.may_contact(s, detail.customer.id, "marketing", channel).allowed
        found.append(
            Wish(
                f"marketing-{channel}",
                "marketing",
                channel,
                label,
                hint,
                given,
                missing and not given,
            )
        )
    return found


def _card(detail: CustomerDetail) -> str:
    cards = [i for i in detail.identities if i.kind == "card" and i.status == "active"]
    return cards[-1].shown if cards else ""


def _ready(club: Club | None) -> str:
    """What the member can have today."""
    if club is None:
        return ""
    can = [
        f"{one.label} ({formats.num(one.cost)})" if one.cost else one.label
        for one in club.rewards
        if not one.short
    ]
    if not can:
        return ""
    return _("You can have today: %(rewards)s. Show this card.", rewards=", ".join(can))
