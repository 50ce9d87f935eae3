""" "Why did I get this?", by the code on a piece: for whoever holds it, without signing in.

The code (50 bits, by chance) proves no more than that somebody holds the piece, so the answer names
nobody: neither whom it went to, nor where, nor when they agreed. A wrong code is answered as one of
another sender's is. The address says whose pieces are looked through: the brand's, or a store's
where each store has its own customers.
"""

from flask import Blueprint, Response, g, make_response, render_template, request

from highstreet.host.access import public
from highstreet.i18n import gettext as _
from highstreet.mailings import meant, telling
from highstreet.web.current import current
from highstreet_tenants.errors import NotFound

why = Blueprint("why", __name__, url_prefix="/why")
CODE = "the code is on the piece; whoever holds it reads what is behind it, and of no person"


@why.get("/<sender>")
@public(CODE)
def of_brand(sender: str) -> Response:
    """The chain behind a piece of a brand's club."""
    return _page(sender, None)


@why.get("/<sender>/<shop>")
@public(CODE)
def of_store(sender: str, shop: str) -> Response:
    """The chain behind a piece of a store's."""
    return _page(sender, shop)


def _page(brand: str, store: str | None) -> Response:
    current.house.rates.stranger(request.remote_addr)
    place = current.enter(brand, store)
    # It is no console: whoever reads it has no place here.
    g.pop("place")
    code = request.args.get("code", "").strip()[:40]
    chain: list[str] = []
    errors = []
    if code:
        try:
            with current.house.tenancy.session(place.scope) as s:
                chain = list(telling.why(s, meant.by_code(s, code)).unnamed())
        except NotFound:
            errors = [_("No piece of ours bears this code.")]
    text = render_template(
        "member/why.html",
        sender=place.store.name if place.store else place.brand.name,
        code=code,
        chain=chain,
        errors=errors,
    )
    response = make_response(text, 404 if errors else 200)
    response.headers["X-Robots-Tag"] = "noindex"
    return response
