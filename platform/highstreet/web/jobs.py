"""The jobs page, in a store's console and in head office's."""

from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from highstreet.customers.listing import store_names
from highstreet.host.access import requires
from highstreet.i18n import gettext as _
from highstreet.jobs import counts, detail, list_jobs, retry
from highstreet.results.hooks import Figure
from highstreet.web import formats
from highstreet.web.current import current

jobs = Blueprint("jobs", __name__)
PER_PAGE = 50
STORE, OFFICE = "/store/<brand>/<store>/jobs", "/office/<brand>/jobs"
#: Status → sign (macros/ui.html `state`).
SIGNS = {
    "queued": "waiting",
    "running": "on",
    "done": "done",
    "failed": "wrong",
    "skipped": "off",
    "expired": "off",
    "cancelled": "off",
}


@jobs.get(f"{STORE}/", endpoint="store")
@jobs.get(f"{OFFICE}/", endpoint="office")
@requires("jobs.view")
def page(brand: str, store: str | None = None) -> str:
    """Jobs by status, newest first."""
    wanted = request.args.get("state", "")
    status = wanted if wanted in SIGNS else None
    with current.session() as s:
        found = list_jobs(s, status=status, before=_before(), limit=PER_PAGE + 1)
        count = counts(s)
        names = store_names(s, (job.store_id for job in found))
    shown = found[:PER_PAGE]
    words = status_words()
    endpoint = "jobs.store" if current.place.store else "jobs.office"

    def href(**values: Any) -> str:
        return url_for(endpoint, **current.place.slugs, **values)

    return render_template(
        "shared/jobs.html",
        counts=[
            Figure(words[one].lower(), formats.num(count.get(one, 0)))
            for one in ("queued", "running", "failed", "done")
        ],
        filters=[
            {
                "words": label,
                "href": href(state=key) if key else href(),
                "here": key == (status or ""),
            }
            for key, label in {"": _("All"), **words}.items()
        ],
        jobs=[
            {
                "name": job.name,
                "sign": SIGNS[job.status],
                "word": words[job.status],
                "store": names.get(job.store_id, "") or _("whole brand"),
                "due": job.run_at,
                "attempts": job.attempts,
                "most": job.max_attempts,
                "error": job.error or "",
                "retry_href": url_for(f"{endpoint}_retry", job_id=job.id, **current.place.slugs)
                if job.status == "failed" and current.may("tools.choose")
                else None,
            }
            for job in shown
        ],
        next_href=href(state=status or "", before=shown[-1].id) if len(found) > PER_PAGE else None,
    )


@jobs.post(f"{STORE}/<uuid:job_id>/retry", endpoint="store_retry")
@jobs.post(f"{OFFICE}/<uuid:job_id>/retry", endpoint="office_retry")
@requires("tools.choose")
def again(brand: str, job_id: UUID, store: str | None = None) -> Response:
    """Queue a job that gave up once more."""
    with current.session(write=True) as s:
        name = detail(s, job_id).name
        retry(s, job_id)
    flash(_("%(job)s is queued again.", job=name), "good")
    endpoint = "jobs.store" if current.place.store else "jobs.office"
    return redirect(url_for(endpoint, **current.place.slugs), 303)


def status_words() -> dict[str, str]:
    """What each status is called."""
    return {
        "queued": _("Waiting"),
        "running": _("Running"),
        "failed": _("Gave up"),
        "done": _("Done"),
        "skipped": _("Left out"),
        "expired": _("Too late"),
        "cancelled": _("Cancelled"),
    }


def _before() -> UUID | None:
    try:
        return UUID(request.args["before"])
    except (KeyError, ValueError):
        return None
