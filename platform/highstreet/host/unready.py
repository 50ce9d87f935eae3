"""Why a tool's tables are not ready, in words: for consoles and commands."""

from typing import TYPE_CHECKING

from highstreet.i18n import LazyText
from highstreet.i18n import lazy_gettext as _l

if TYPE_CHECKING:
    from highstreet_migrations.histories import Behind


def words(behind: "Behind") -> LazyText:
    """What stands in the quarantine. Of a migration that failed the kind of error alone: what it
    said may name anybody's customer, and stands where whoever runs this installation looks."""
    match behind.how:
        case "failed":
            return _l(
                "The migration of its tables failed (%(kind)s, %(at)s UTC). Whoever runs this"
                " installation reads what it said by: highstreet plugins doctor. Once that is"
                " mended, run: highstreet migrate",
                kind=behind.what,
                at=f"{behind.at:%Y-%m-%d %H:%M}",
            )
        case "unreadable":
            return _l("The migrations of its tables can't be read: %(why)s.", why=behind.what)
        case "other-version":
            return _l(
                "Its tables are those of another version (%(revision)s). Install that one or a"
                " newer one.",
                revision=behind.what,
            )
    return _l("Its tables are not up to date; run: highstreet migrate")
