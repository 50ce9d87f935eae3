"""What a designed job is printed from: looked through, proofed, and written in files for a
printer. Whoever takes any of it stands in the trail."""

from collections.abc import Callable
from uuid import UUID

from flask import flash, make_response, redirect, send_file, url_for
from werkzeug.wrappers import Response

from highstreet.sdk import Ctx, HighstreetError, NotFound, open_ctx
from highstreet.sdk import gettext as _
from highstreet_direct_mail import posting
from highstreet_direct_mail.faces import here, page
from highstreet_direct_mail.screens import Answer, job_page


@page("/jobs/<uuid:posting_id>/look", "plan", "POST")
def look_through(posting_id: UUID) -> Answer:
    """What is to be mended before it is printed."""
    try:
        with open_ctx() as ctx:
            found = ctx.mailings.preflight(posting.get(ctx, posting_id).mailing.id)
            return job_page(ctx, posting_id, found)
    except NotFound:
        raise
    except HighstreetError as refusal:
        return _refused(posting_id, refusal)


@page("/jobs/<uuid:posting_id>/proof.pdf", "files", "POST")
def proof(posting_id: UUID) -> Response:
    """The pieces that are likeliest to go wrong."""
    return _pdf(posting_id, "proof", lambda ctx: posting.proof(ctx, posting_id))


@page("/jobs/<uuid:posting_id>/print", "files", "POST")
def print_out(posting_id: UUID) -> Response:
    """Have the files for a printer written."""
    try:
        with open_ctx(write=True) as ctx:
            ctx.mailings.print_out(posting.get(ctx, posting_id).mailing.id)
    except NotFound:
        raise
    except HighstreetError as refusal:
        return _refused(posting_id, refusal)
    flash(_("The files are being written. Look here again in a while."), "good")
    return redirect(url_for(".job", posting_id=posting_id, **here()), 303)


@page("/jobs/<uuid:posting_id>/print/<int:file>.pdf", "files", "POST")
def print_file(posting_id: UUID, file: int) -> Response:
    """One of them."""
    with open_ctx(write=True) as ctx:
        path = posting.print_file(ctx, posting_id, file)
    return send_file(path, "application/pdf", as_attachment=True, download_name=path.name)


def _pdf(posting_id: UUID, name: str, made: Callable[[Ctx], bytes]) -> Response:
    try:
        with open_ctx(write=True) as ctx:
            response = make_response(made(ctx))
            number = posting.get(ctx, posting_id).mailing.number
    except NotFound:
        raise
    except HighstreetError as refusal:
        return _refused(posting_id, refusal)
    response.mimetype = "application/pdf"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}-{number}.pdf"'
    return response


def _refused(posting_id: UUID, refusal: HighstreetError) -> Response:
    flash(refusal.detail, "bad")
    return redirect(url_for(".job", posting_id=posting_id, **here()), 303)
