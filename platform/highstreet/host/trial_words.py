"""What is to be said beside the figures of a trial, on a page as in a command."""

from babel.numbers import format_decimal

from highstreet.host.trial_sums import Summed
from highstreet.host.trying import TriedStores
from highstreet.i18n import format_locale, ngettext
from highstreet.i18n import gettext as _


def about_stores(done: TriedStores) -> list[str]:
    """In how many stores it was tried, and why not in others."""
    good = [one for one in done.tried if one.outcome is not None]
    if not done.tried and not done.waiting:
        return [_("The tool is on in no store, so there is nothing to try it on.")]
    said = [
        ngettext(
            "Tried in %(num)d store where the tool is on, each by its own calendar.",
            "Tried in %(num)d stores where the tool is on, each by its own calendar.",
            len(good),
        )
    ]
    if same := sum(one.unchanged for one in good):
        said.append(
            _("Nothing changes in %(count)s of them: it is set otherwise there.", count=same)
        )
    if bad := len(done.tried) - len(good):
        said.append(
            ngettext(
                "In %(num)d store the tool failed at it; that is noted there.",
                "In %(num)d stores the tool failed at it; that is noted there.",
                bad,
            )
        )
    if done.waiting:
        said.append(
            ngettext(
                "%(num)d store was not tried: it would have taken too long.",
                "%(num)d stores were not tried: it would have taken too long.",
                done.waiting,
            )
        )
    return said


def capped(found: Summed) -> list[str]:
    """That only the latest were reckoned, where there are very many."""
    if found.read >= found.there:
        return []
    return [
        _(
            "The month has %(there)s of them, too many for one look: reckoned were the %(read)s"
            " latest.",
            there=format_decimal(found.there, locale=format_locale()),
            read=format_decimal(found.read, locale=format_locale()),
        )
    ]
