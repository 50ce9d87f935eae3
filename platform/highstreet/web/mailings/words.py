"""A mailing in words: its state, its channel, and where everybody went, as the page shows it."""

from __future__ import annotations

from msgspec import Struct

from highstreet.i18n import gettext as _
from highstreet.mailings.facts import MailingFact, Waterfall
from highstreet.web import formats


def state(status: str) -> tuple[str, str]:
    """(sign, words) of a status; what waits for somebody stands out."""
    return {
        "draft": ("waiting", _("Draft")),
        "selected": ("waiting", _("Waits for approval")),
        "approved": ("waiting", _("Approved")),
        "running": ("on", _("Going out")),
        "paused": ("paused", _("Paused")),
        "finished": ("done", _("Gone out")),
        "stopped": ("off", _("Stopped")),
        "discarded": ("off", _("Thrown away")),
    }[status]


def channel(name: str) -> str:
    """How it reaches people."""
    return {"post": _("By post"), "email": _("By e-mail")}.get(name, name)


def piece(name: str) -> tuple[str, str]:
    """(sign, words) of a piece's state."""
    return {
        "ready": ("off", _("Waiting to go out")),
        "sent": ("done", _("Sent")),
        "withheld": ("off", _("Gets nothing")),
        "failed": ("wrong", _("Failed")),
        "returned": ("wrong", _("Came back")),
    }[name]


class Bar(Struct, frozen=True):
    """A line of the waterfall. count: as it is written; start, width: of its bar, in people;
    share: of all who were selected; wanted: what leads to its people."""

    words: str
    count: str
    start: int
    width: int
    share: str
    note: str = ""
    total: bool = False
    wanted: dict[str, str] = {}


def fall(fact: MailingFact, told: Waterfall) -> list[Bar]:
    """The waterfall of a mailing, from everybody who was selected to what was sent."""
    left = told.selected

    def share(people: int) -> str:
        return formats.percent(100 * people / told.selected, 1) if told.selected else ""

    def less(words: str, people: int, note: str = "", **wanted: str) -> Bar:
        return Bar(words, f"{formats.MINUS}{formats.num(people)}" if people else "0",
                   left, people, share(people), note, wanted=wanted)  # fmt: skip

    def total(words: str, people: int, start: int = 0, note: str = "", **wanted: str) -> Bar:
        return Bar(words, formats.num(people), start, people, share(people), note, True, wanted)

    bars = [total(_("Selected"), told.selected)]
    for step in told.steps:
        left -= step.people
        note = _("asked again at the release") if step.late else ""
        bars.append(less(step.words, step.people, note, reason=step.reason))
    if told.failed:
        left -= told.failed
        bars.append(less(_("Could not be sent."), told.failed, state="failed"))
    if fact.status in ("selected", "approved"):
        return [*bars, total(_("Would get it"), told.ready, state="ready")]
    if told.ready:
        bars.append(total(_("Waiting to go out"), told.ready, told.sent, state="ready"))
    bars.append(total(_("Sent"), told.sent))
    if told.returned:
        bars.append(
            Bar(_("Came back with the post"), formats.num(told.returned),
                told.sent - told.returned, told.returned, share(told.returned),
                _("of those that were sent"), wanted={"state": "returned"})
        )  # fmt: skip
    return bars


def adds_up(told: Waterfall) -> bool:
    """Whether everybody who was selected is accounted for, to the piece."""
    steps = sum(step.people for step in told.steps)
    return told.selected == told.ready + told.sent + told.failed + steps
