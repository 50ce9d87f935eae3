"""The front door: whoever is signed in goes on to their place, others to the sign-in."""

from flask import Blueprint, redirect, url_for
from werkzeug.wrappers import Response

from highstreet.host.access import public
from highstreet.web.account import landing
from highstreet.web.current import current

start = Blueprint("start", __name__)


@start.get("/")
@public("it only shows the way")
def door() -> Response:
    """On to the reader's place."""
    user = current.user
    return redirect(landing(user) if user else url_for("signin.form"), 303)
