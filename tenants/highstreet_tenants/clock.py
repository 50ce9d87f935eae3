"""Time: stored in UTC, shown and counted in a store's own zone."""

from datetime import UTC, date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from highstreet_tenants.errors import Invalid
from highstreet_tenants.words import gettext as _


def now() -> datetime:
    """The present moment, aware, UTC."""
    return datetime.now(UTC)


@lru_cache(maxsize=512)
def zone(name: str) -> ZoneInfo:
    """The named IANA zone. Raises Invalid for a name that the zone database lacks."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Invalid(
            _("“%(name)s” is not a time zone. Use a name such as Europe/London.", name=name)
        ) from error


def business_date(at: datetime, zone_name: str) -> date:
    """The store's calendar day of a moment (UTC or any aware time)."""
    return at.astimezone(zone(zone_name)).date()


def from_local(naive: datetime, zone_name: str) -> datetime:
    """A till's local wall time as UTC; in the repeated hour of autumn the first pass is meant."""
    return naive.replace(tzinfo=zone(zone_name), fold=0).astimezone(UTC)
