"""A store's tools: what is on and why, switching, setting up, what failed."""

from collections.abc import Iterable
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from highstreet.host import (
    declared,
    dispatch,
    faults,
    owed,
    policy,
    settings,
    slots,
    snapshot,
    state,
)
from highstreet.host.access import requires
from highstreet.host.policy import Change
from highstreet.host.state import Effective
from highstreet.i18n import gettext as _
from highstreet.i18n import ngettext
from highstreet.web import settings_form, settings_read, settings_trial, toolfaces, usage
from highstreet.web.current import current
from highstreet.web.toolfaces import Deed, ToolFace
from highstreet_tenants.errors import HighstreetError, NotFound
from highstreet_tenants.sessions import ScopedSession

tools = Blueprint("tools", __name__, url_prefix="/store/<brand>/<store>/tools")
MOST_FAULTS = 50


def here(endpoint: str, **values: Any) -> str:
    """The address of a page of this store."""
    return url_for(endpoint, **current.place.slugs, **values)


@tools.get("/")
@requires("tools.view")
def list_all(brand: str, store: str) -> str:
    """Every tool, its state and why, and what can be done about it."""
    host = current.house.host
    with current.session() as s:
        facts = {answer.plugin: list(answer.value) for answer in dispatch.collect(s, "tool_facts")}
        owing = {debt.plugin for debt in owed.debts(s)}
        faces = []
        for name, effective in state.overview(s, current.place.store_id).items():
            if name not in host.plugins:
                continue
            tool = toolfaces.face(host, name, effective)
            tool.facts = [str(fact) for fact in facts.get(name, [])][:3]
            tool.deeds = deeds(tool, effective, owes=name in owing)
            faces.append(tool)
    return render_template(
        "store/tools.html",
        tools=faces,
        summary=toolfaces.summary(faces),
        quarantined=list(host.quarantined.values()),
    )


def deeds(tool: ToolFace, effective: Effective, *, owes: bool = False) -> list[Deed]:
    """What this reader can do about a tool in its state."""
    found: list[Deed] = []
    choose, code = current.may("tools.choose"), effective.code
    loaded = current.house.host.plugins.get(tool.name)
    has_setup = loaded is not None and (
        loaded.plugin.settings is not None or "tool.set_up" in loaded.plugin.slots
    )
    switch = here("tools.switch", tool=tool.name)
    if tool.state == "held":
        if choose:
            agree = here("tools.switch", tool=tool.name)
            found.append(Deed(_("See what is new"), agree, look="btn-primary"))
    elif tool.state == "paused":
        if choose:
            resume = here("tools.resume", tool=tool.name)
            found.append(Deed(_("Resume"), resume, True, "btn-primary"))
    elif effective.on:
        if has_setup and current.may("settings.edit"):
            found.append(Deed(_("Set up"), here("tools.set_up", tool=tool.name)))
        if choose and tool.state == "on":
            found.append(Deed(_("Switch off"), switch, look="btn-link"))
    elif choose and tool.state == "off":
        words = _("Ask for it") if code == "ask_first" else _("Switch on")
        found.append(Deed(words, switch))
    elif choose and tool.state == "waiting":
        found.append(Deed(_("Withdraw"), here("tools.withdraw", tool=tool.name), True))
    elif choose and tool.state == "refused":
        found.append(Deed(_("Ask again"), switch))
    if loaded is not None and loaded.plugin.hooks is not None and tool.state != "off":
        found.append(
            Deed(_("How it is doing"), here("tools.health", tool=tool.name), look="btn-link")
        )
    if owes or tool.state in ("paused", "held"):
        found.append(Deed(_("What failed"), here("tools.faults", tool=tool.name), look="btn-link"))
    return found


@tools.get("/<tool>/switch")
@requires("tools.choose")
def switch(brand: str, store: str, tool: str) -> str:
    """What switching a tool would change, before it is done."""
    with current.session() as s:
        effective = state.explain(s, tool)
        held = effective.state == "held"
        on = not effective.on and effective.state != "paused"
        if held:
            changes = policy.agree(s, tool, dry_run=True)
            new = _more(s, tool)
        else:
            changes, new = _wished(s, tool, on, dry_run=True), frozenset[str]()
        face = toolfaces.face(current.house.host, tool, effective)
        asks = any(one.after.state == "waiting" for one in changes)
    host = current.house.host
    titles = {"name": face.title}
    return render_template(
        "store/tool_switch.html",
        tool=face,
        changes=[change_shown(one) for one in changes],
        new=declared.titled(host, tool, new),
        declares=declared.titled(host, tool, declared.shown(host, tool)),
        action=here("tools.agree" if held else "tools.switch", tool=tool),
        heading=_("Agree to what is new in %(name)s", **titles)
        if held
        else _("Ask for %(name)s", **titles)
        if asks
        else _("Switch on %(name)s", **titles)
        if on
        else _("Switch off %(name)s", **titles),
        button=_("Agree")
        if held
        else _("Ask head office")
        if asks
        else _("Switch on")
        if on
        else _("Switch off"),
        on=on,
    )


@tools.post("/<tool>/switch")
@requires("tools.choose")
def do_switch(brand: str, store: str, tool: str) -> Response:
    """Switch a tool on or off, or ask for it."""
    with current.session(write=True) as s:
        effective = state.explain(s, tool)
        on = request.form.get("on") == "1"
        changes = _wished(s, tool, on)
        title = toolfaces.face(current.house.host, tool, effective).title
    after = changes[0].after.state if changes else ""
    if not changes:
        flash(_("Nothing changed."), "")
    elif after == "waiting":
        flash(_("Asked for %(tool)s. Head office answers.", tool=title), "good")
    elif on:
        flash(_("%(tool)s is on.", tool=title), "good")
    else:
        flash(_("%(tool)s is off. What it owes goes on.", tool=title), "good")
    return redirect(here("tools.list_all"), 303)


@tools.post("/<tool>/agree")
@requires("tools.choose")
def agree(brand: str, store: str, tool: str) -> Response:
    """Agree to what a new version declares, so that it goes on."""
    with current.session(write=True) as s:
        policy.agree(s, tool)
    title = toolfaces.face(current.house.host, tool).title
    flash(_("%(tool)s goes on. What it missed is done now.", tool=title), "good")
    return redirect(here("tools.list_all"), 303)


@tools.post("/<tool>/withdraw")
@requires("tools.choose")
def withdraw(brand: str, store: str, tool: str) -> Response:
    """Take a request back."""
    with current.session(write=True) as s:
        policy.choose(s, tool, False)
    flash(_("The request is withdrawn."), "good")
    return redirect(here("tools.list_all"), 303)


@tools.post("/<tool>/resume")
@requires("tools.choose")
def resume(brand: str, store: str, tool: str) -> Response:
    """Let a paused tool go on."""
    with current.session(write=True) as s:
        policy.resume(s, tool)
    title = toolfaces.face(current.house.host, tool).title
    flash(_("%(tool)s goes on. What it missed is done now.", tool=title), "good")
    return redirect(here("tools.list_all"), 303)


@tools.get("/<tool>/faults", endpoint="faults")
@requires("tools.view")
def what_failed(brand: str, store: str, tool: str) -> str:
    """What failed, newest first."""
    with current.session() as s:
        effective = state.explain(s, tool)
        face = toolfaces.face(current.house.host, tool, effective)
        found = faults.recent(s, tool, limit=MOST_FAULTS)
        debts = owed.debts(s, tool)
    return render_template(
        "store/faults.html",
        tool=face,
        faults=[fault_shown(one) for one in found],
        debts=[debt_shown(one, effective) for one in debts],
    )


@tools.get("/<tool>/health")
@requires("tools.view")
def health(brand: str, store: str, tool: str) -> str:
    """What its hooks cost here and how often they failed."""
    with current.session() as s:
        face = toolfaces.face(current.house.host, tool, state.explain(s, tool))
        lines = usage.lines(s, tool)
    return render_template(
        "shared/tool_health.html",
        tool=face,
        lines=lines,
        slow_ms=current.house.host.slow_ms,
        back_href=here("tools.list_all"),
        faults_href=here("tools.faults", tool=tool),
        failing=[],
    )


def debt_shown(one: owed.Debt, effective: Effective) -> dict[str, Any]:
    """A line of what a tool still has to do. next_try: None where it waits until the tool is on."""
    hook = current.house.host.hooks.get(one.hook)
    waits = not effective.on and not (hook is not None and hook.winddown)
    return {
        "where": one.hook,
        "parts": one.parts,
        "since": one.since,
        "tries": one.tries,
        "next_try": None if waits else one.next_try,
    }


@tools.post("/<tool>/again")
@requires("tools.choose")
def again(brand: str, store: str, tool: str) -> Response:
    """Try what the tool still has to do now, without waiting for its time."""
    with current.session(write=True) as s:
        effective = state.explain(s, tool)
        parts = sum(
            owed.hand(s, tool, None, [one.hook], everything=True)
            for one in owed.debts(s, tool)
            if debt_shown(one, effective)["next_try"]
        )
    words = ngettext("%(num)d part is tried now.", "%(num)d parts are tried now.", parts)
    flash(words if parts else _("There is nothing that could be tried now."), "good")
    return redirect(here("tools.faults", tool=tool), 303)


def fault_shown(one: faults.Fault) -> dict[str, Any]:
    """A fault in words that a store's owner can pass on."""
    trace = ""
    if one.kind == "slow":
        message = _("It took %(ms)s ms", ms=round(one.milliseconds))
    elif current.may("customers.read"):
        message, trace = one.message, one.traceback
    else:  # head office, where customers are the store's: an error may name one, its lines too
        message = _("Only the store can read this: it may name a customer.")
    return {
        "at": one.at,
        "where": one.hook,
        "message": message,
        "trace": trace,
        "outcome": _outcome(one),
    }


def _outcome(one: faults.Fault) -> str:
    hook = current.house.host.hooks.get(one.hook)
    if one.kind == "slow":
        return _("done, but too slow")
    return _("kept, tried again") if hook is not None and hook.writes else _("left out")


def change_shown(one: Change) -> dict[str, str]:
    """One line of a dry run."""
    return {
        "title": toolfaces.face(current.house.host, one.plugin).title,
        "store": one.place.name,
        "reason": one.after.reason,
        "before_sign": toolfaces.SIGNS[one.before.state],
        "before_word": toolfaces.words(one.before.state),
        "after_sign": toolfaces.SIGNS[one.after.state],
        "after_word": toolfaces.words(one.after.state),
    }


@tools.route("/<tool>/set-up", methods=["GET", "POST"])
@requires("settings.edit")
def set_up(brand: str, store: str, tool: str) -> Response | tuple[str, int]:
    """The store's own settings of a tool."""
    loaded = current.house.host.plugins.get(tool)
    if loaded is None:
        raise NotFound(_("No such tool is installed."))
    schema, place = loaded.plugin.settings, current.place
    errors: dict[str, list[str]] = {}
    status, trial = 200, None
    with current.session() as s:
        state.require(s, tool)
        resolved = settings.resolve(s, tool) if schema else None
        pieces = only(slots.render(s, "tool.set_up"), tool)
    items = settings_form.build(schema, resolved, "store", place) if schema and resolved else []
    if request.method == "POST":
        answer = settings_read.read(items, request.form)
        try:
            answer.check()
            if request.form.get("try"):
                trial = settings_trial.in_store(tool, answer)
                settings_read.fill(items, request.form)
            else:
                with current.session(write=True) as s:
                    settings.put(s, tool, answer.values, clear=answer.clear)
                flash(_("Saved."), "good")
                return redirect(here("tools.set_up", tool=tool), 303)
        except HighstreetError as error:
            errors = answer.in_form(error.fields) or {"": [error.detail]}
            status = error.status
            settings_read.fill(items, request.form)
    title = toolfaces.face(current.house.host, tool).title
    page = render_template(
        "shared/tool_settings.html",
        heading=_("Set up %(tool)s", tool=title),
        back_href=here("tools.list_all"),
        fields=items,
        errors=errors,
        labels=labels_of(items, errors),
        pieces=pieces,
        lockable=False,
        editable=any(not one.locked for one in items),
        levels=[],
        offer=settings_trial.offer(tool),
        trial=trial,
    )
    return page, status


def only(answers: Iterable[Any], tool: str) -> list[Any]:
    """The pieces of one tool."""
    return [answer.value for answer in answers if answer.plugin == tool]


def labels_of(
    items: Iterable[settings_form.Item], errors: dict[str, list[str]]
) -> dict[str, tuple[str, str]]:
    """Where each error's link leads, and what it is called."""
    names = {one.path: one.label for one in items}
    return {
        path: (
            settings_form.PREFIX + path,
            names.get(path.split(".")[0], path or _("these settings")),
        )
        for path in errors
    }


def _more(s: ScopedSession, tool: str) -> frozenset[str]:
    """What a tool declares here beyond what was agreed to."""
    rows = snapshot.load(s, current.place.store_id)
    return rows.more(current.house.host, tool, rows.places[current.place.store_id])


def _wished(s: ScopedSession, tool: str, on: bool, dry_run: bool = False) -> list[Change]:
    return policy.choose(s, tool, on, dry_run=dry_run)
