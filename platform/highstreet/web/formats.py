"""How numbers, money and times are written on a page: the reader's language, the place's habits."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from babel import Locale, dates, numbers
from flask import Flask, g

from highstreet.i18n import format_locale, parse_amount
from highstreet.i18n import gettext as _
from highstreet_tenants import clock
from highstreet_tenants.money import format_minor, major, minor_digits

MINUS = "−"


def init_app(app: Flask) -> None:
    """Give templates the filters."""
    for function in (
        num,
        signed,
        money,
        day,
        day_short,
        month,
        weekday,
        moment,
        time_of_day,
        since,
        card,
    ):
        app.add_template_filter(function)
    app.jinja_env.tests["in_part"] = lambda path, part: str(path).startswith(f"{part}.")


def percent(value: float, decimals: int = 0) -> str:
    """ "6 %": a number of hundredths with the sign after a narrow space."""
    return f"{num(value, decimals)}\u202f%"


def trend(change: float) -> str:
    """ "▲ 4", "▼ 2", or "=" for less than one either way."""
    whole = round(change)
    return f"{_arrow(whole)} {num(abs(whole))}" if whole else _("as usual")


def trend_percent(now: float, before: float) -> str:
    """ "▲ 6 %" of `now` against `before`; nothing without a before."""
    if not before:
        return ""
    change = round(100 * (now - before) / before)
    return f"{_arrow(change)} {percent(abs(change))}" if change else _("as usual")


def trend_money(now: int | None, before: float | None, currency: str) -> str:
    """ "▲ £0.21" of minor units; nothing where one of the two is missing."""
    if now is None or before is None:
        return ""
    change = round(now - before)
    return f"{_arrow(change)} {money(abs(change), currency)}" if change else _("as usual")


def joined(*parts: str) -> str:
    """The parts that are there, with a dot between."""
    return " · ".join(part for part in parts if part)


def _arrow(change: float) -> str:
    return "▲" if change > 0 else "▼"


def locale() -> Locale:
    """Of this request."""
    found = g.get("format_locale")
    if found is None:
        place = g.get("place")
        found = g.format_locale = format_locale(place.locale if place else None)
    return found  # type: ignore[no-any-return]  # g is untyped


def zone_name() -> str:
    """IANA zone of the place at hand, else UTC."""
    place = g.get("place")
    return place.zone if place else str(g.get("zone", "UTC"))


def num(value: float | Decimal, decimals: int | None = None) -> str:
    """A number with the reader's separators and a real minus."""
    pattern = None if decimals is None else "#,##0" + ("." + "0" * decimals if decimals else "")
    text = numbers.format_decimal(value, format=pattern, locale=locale())
    return text.replace("-", MINUS)


def signed(value: float) -> str:
    """A change: "+12", "−150", "0"."""
    text = num(abs(value))
    return f"+{text}" if value > 0 else f"{MINUS}{text}" if value < 0 else text


def money(minor: int, currency: str, *, whole: bool = False) -> str:
    """Minor units of an ISO currency; `whole` drops the cents for large figures."""
    if whole:
        units = round(major(minor, currency))
        text = numbers.format_currency(
            units, currency, locale=locale(), currency_digits=False, format=_whole(str(locale()))
        )
        return text.replace("-", MINUS)
    return format_minor(minor, currency, str(locale()))


@lru_cache(maxsize=64)
def _whole(tag: str) -> str:
    pattern = Locale.parse(tag).currency_formats["standard"].pattern
    return str(pattern).replace(".00", "")


def parse_money(text: str, currency: str) -> int:
    """Minor units in an amount as this reader types it ("12.40", "12,40"). Raises Invalid."""
    return parse_amount(text, currency, locale())


def amount(minor: int, currency: str) -> str:
    """Minor units as an input holds them, for `parse_money` to read again: "12.40", "12,40"."""
    digits = minor_digits(currency)
    pattern = f"0.{'0' * digits}" if digits else "0"
    text = numbers.format_decimal(major(minor, currency), pattern, locale=locale())
    return text.replace("-", MINUS)


def symbol(currency: str) -> str:
    """The sign before an amount, e.g. "£"."""
    return numbers.get_currency_symbol(currency, locale=locale())


def day(value: date | datetime, *, year: bool = False) -> str:
    """ "14 May", with the year where it is another year or asked for."""
    when = _local_date(value)
    skeleton = "yMMMMd" if year or when.year != _today().year else "MMMMd"
    return dates.format_skeleton(skeleton, when, locale=locale())


def month(value: date | datetime) -> str:
    """ "February 2024"."""
    return dates.format_skeleton("yMMMM", _local_date(value), locale=locale())


def day_month(value: date) -> str:
    """ "14 May" in its short form, for axes and columns."""
    return dates.format_skeleton("MMMd", value, locale=locale())


def day_short(value: date | datetime) -> str:
    """ "Thu 14 May"."""
    when = _local_date(value)
    skeleton = "MMMEd" if when.year == _today().year else "yMMMEd"
    return dates.format_skeleton(skeleton, when, locale=locale())


def weekday(value: date, *, width: str = "wide") -> str:
    """ "Thursday"; `width` "day" gives "Thursday 14 May"."""
    if width == "day":
        name = dates.format_date(value, "EEEE", locale=locale())
        return _("%(weekday)s, %(day)s", weekday=name, day=day(value))
    return dates.format_date(value, "EEEE", locale=locale())


def time_of_day(value: datetime) -> str:
    """ "10:41" in the place's zone, as its people write it."""
    return dates.format_time(value, "short", tzinfo=clock.zone(zone_name()), locale=locale())


def moment(value: datetime) -> str:
    """Today "10:41", else "14 May, 10:41"."""
    if _local_date(value) == _today():
        return time_of_day(value)
    return _("%(day)s, %(time)s", day=day(value), time=time_of_day(value))


def since(value: datetime) -> str:
    """How long ago, in words: "3 minutes ago"."""
    gone: timedelta = value - clock.now()
    return dates.format_timedelta(gone, add_direction=True, locale=locale())


def card(number: str) -> str:
    """A card number in groups of four, as it is printed."""
    plain = number.replace(" ", "")
    return " ".join(plain[i : i + 4] for i in range(0, len(plain), 4))


def hidden(address: str) -> str:
    """Enough of a phone or e-mail to know it again: "•••142", "m•••@example.org"."""
    name, at, domain = address.partition("@")
    if at:
        return f"{name[:1]}•••@{domain}"
    return f"•••{address[-3:]}" if address else ""


def _today() -> date:
    return clock.business_date(clock.now(), zone_name())


def _local_date(value: date | datetime) -> date:
    if isinstance(value, datetime):
        return clock.business_date(value, zone_name())
    return value
