"""A person's second factor: asked for at sign-in, set up, its recovery codes, switched off."""

import re

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response

from highstreet.host.access import public, requires
from highstreet.i18n import gettext as _
from highstreet.i18n import ngettext
from highstreet.web import device
from highstreet.web.account import OWN
from highstreet.web.choose import local_path
from highstreet.web.current import current
from highstreet_tenants.errors import HighstreetError, Invalid, NotFound, Unauthenticated
from highstreet_tenants.people import factors, logins
from highstreet_tenants.people.held import grants_of
from highstreet_tenants.people.logins import Person
from highstreet_tenants.people.tries import LockedOut
from highstreet_tenants.sealing import Sealing

factor = Blueprint("factor", __name__)
_CODE = re.compile(rf"[a-z2-9]{{4}}(?:-[a-z2-9]{{4}}){{{factors.LENGTH // 4 - 1}}}")


def sealing() -> Sealing:
    """The installation's way to keep secrets that must be read again."""
    return Sealing(current.house.config["secret_key"])


@factor.get("/signin/code")
@public("who gave the password, and no code yet, is a stranger still")
def ask() -> Response | str:
    """Ask for the code of the authenticator."""
    if _waiting():
        return _ask()
    return redirect(url_for("signin.form"), 303)


@factor.post("/signin/code")
@public("who gave the password, and no code yet, is a stranger still")
def give() -> Response:
    """Take the code; the session that waited for it ends and a whole one begins."""
    typed, keep = request.form.get("code", ""), "keep" in request.form
    try:
        started = logins.pass_code(current.house.tenancy, sealing(), typed, device.visit(keep=keep))
    except NotFound as error:
        flash(error.detail, "warn")
        return redirect(url_for("signin.form"), 303)
    except HighstreetError as error:
        return _refused(make_response(_ask(_words(error)), error.status), error)
    with current.house.tenancy.control() as s:
        person = logins.find_person(s, started.token)
    assert person is not None, "a session that was just started is live"
    target = local_path(request.form.get("next"))
    return device.carry(redirect(target, 303), started, person.theme)


@factor.get("/me/second-factor")
@requires(OWN)
def page() -> str:
    """What holds, and what one may do about it."""
    return _page()


@factor.post("/me/second-factor/begin")
@requires(OWN)
def begin() -> Response:
    """Make a new secret; it counts once a code of it was given."""
    with current.house.tenancy.control(write=True) as s:
        factors.begin(s, sealing(), _me().id)
    return redirect(url_for("signin.factor.page", next=_next()), 303)


@factor.post("/me/second-factor/confirm")
@requires(OWN)
def confirm() -> Response:
    """Switch it on by a code of it; the recovery codes are in the answer and nowhere else."""
    me = _me()
    try:
        codes = factors.confirm(
            current.house.tenancy,
            sealing(),
            me.id,
            request.form.get("code", ""),
            session_id=me.session_id,
            address=request.remote_addr or "",
        )
    except (Invalid, LockedOut) as error:
        return _refused(make_response(_page("code", error), error.status), error)
    return _show_codes(codes, new=True)


@factor.post("/me/second-factor/codes")
@requires(OWN)
def renew() -> Response:
    """New recovery codes in place of the old ones."""
    try:
        codes = factors.renew_codes(
            current.house.tenancy,
            sealing(),
            _me().id,
            request.form.get("code", ""),
            request.remote_addr or "",
        )
    except (Invalid, LockedOut) as error:
        return _refused(make_response(_page("renew", error), error.status), error)
    return _show_codes(codes, new=False)


@factor.post("/me/second-factor/codes.txt")
@requires(OWN)
def as_file() -> Response:
    """The codes that the page shows, as a file: it sends them, for they are kept nowhere."""
    codes = [one for one in request.form.getlist("codes") if _CODE.fullmatch(one)]
    head = _("Recovery codes of %(email)s for Highstreet. Each works once.", email=_me().email)
    response = make_response("\r\n".join((head, "", *codes[: factors.CODES], "")))
    response.mimetype = "text/plain"
    response.headers["Content-Disposition"] = 'attachment; filename="recovery-codes.txt"'
    return response


@factor.post("/me/second-factor/off")
@requires(OWN)
def off() -> Response:
    """Switch it off, for a code."""
    try:
        factors.turn_off(
            current.house.tenancy,
            sealing(),
            _me().id,
            request.form.get("code", ""),
            request.remote_addr or "",
        )
    except HighstreetError as error:
        return _refused(make_response(_page("off", error), error.status), error)
    flash(_("Your second factor is off. Your password alone signs you in."), "good")
    return redirect(url_for("signin.account.me"), 303)


def _waiting() -> bool:
    carried = device.token()
    if not carried:
        return False
    with current.house.tenancy.control() as s:
        return logins.find_waiting(s, carried) is not None


def _ask(errors: list[str] | None = None) -> str:
    return render_template(
        "signin_code.html",
        errors=errors or [],
        wanted=local_path(request.values.get("next")),
        keep="keep" in request.values,
    )


def _page(form: str = "", error: HighstreetError | None = None) -> str:
    me = _me()
    with current.house.tenancy.control() as s:
        held = factors.standing(s, me.id)
        begun = factors.begun(s, sealing(), me.id)
        required = factors.required_by(s, grants_of(s, me.id))
    return render_template(
        "factor.html",
        since=held.since,
        left=held.codes_left,
        most=factors.CODES,
        begun=begun,
        key=" ".join(re.findall(".{1,4}", begun.secret)) if begun else "",
        qr=_drawn(begun.uri) if begun else "",
        required=required,
        errors={form: _words(error)} if error else {},
        wanted=_next(),
    )


def _show_codes(codes: list[str], *, new: bool) -> Response:
    return make_response(
        render_template("factor_codes.html", codes=codes, new=new, wanted=_next() or "/")
    )


def _drawn(uri: str) -> Markup:
    """The QR code as a drawing within the page; black on white in the dark theme, too."""
    import segno

    code = segno.make(uri, error="m", micro=False)
    return Markup(code.svg_inline(scale=5, border=4, dark="#000", light="#fff"))


def _words(error: HighstreetError) -> list[str]:
    if isinstance(error, factors.WrongCode):
        left = (
            ngettext("%(num)d try left.", "%(num)d tries left.", error.left)
            if error.left
            else _("No try left; wait 15 minutes.")
        )
        return [f"{error.detail} {left}"]
    return [error.detail]


def _refused(response: Response, error: HighstreetError) -> Response:
    wait = getattr(error, "retry_after", None)
    if wait:
        response.headers["Retry-After"] = str(wait)
    return response


def _next() -> str | None:
    wanted = local_path(request.values.get("next"))
    return wanted if wanted != "/" else None


def _me() -> Person:
    if current.user is None:  # the guard has asked already
        raise Unauthenticated(_("Sign in, then try again. Nothing was changed."))
    return current.user
