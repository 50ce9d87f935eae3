"""The programme in words: how members earn, what counts more, how long points last."""

from datetime import date, datetime, time
from typing import Any

from babel import Locale
from babel.dates import format_date, format_interval, format_time, get_day_names
from babel.lists import format_list
from babel.numbers import format_decimal, format_percent

from highstreet.sdk import format_locale, ngettext
from highstreet.sdk import gettext as _
from highstreet_points_club.programme import Accrual, Bonus, EarnResult, Programme
from highstreet_points_club.rules import Place
from highstreet_points_club.words import amount, money, number, offer, unit, units

_ANY_DAY = date(2026, 1, 1)


def of_result(programme: Programme, result: EarnResult, place: Place) -> tuple[str, ...]:
    """Why a basket earns what it earns."""
    if not result.points:
        return (_("This purchase earns no %(unit)s.", unit=unit(programme, 2)),)
    said = []
    for part in result.why:
        if part.rule in ("bonus", "campaign"):
            said.append(
                _("%(bonus)s: %(points)s more.", bonus=part.name, points=number(part.points))
            )
        else:
            said.append(of_rule(programme, programme.accruals[part.place], place))
    return tuple(said)


def shown(programme: Programme, place: Place) -> dict[str, Any]:
    """The programme as `_rules.html` shows it."""
    return {
        "rules": earning(programme, place),
        "together": together(programme),
        "terms": [*gifts(programme), *keeping(programme), *limits(programme)],
        "rewards": [
            {"name": offer(rule, 1, place), "points": rule.points, "auto": rule.automatic}
            for rule in programme.rewards
        ],
        "unit": unit(programme, 2),
    }


def earning(programme: Programme, place: Place) -> list[tuple[str, str]]:
    """Every way to earn and every bonus time, each with what it says besides."""
    rules = [
        (of_rule(programme, rule, place), details(programme, rule, place))
        for rule in programme.accruals
    ]
    return rules + [(bonus.name, of_bonus(bonus, place)) for bonus in programme.bonuses]


def of_rule(programme: Programme, rule: Accrual, place: Place) -> str:
    """A way to earn: "1 point for each whole £1"."""
    if rule.mode == "visit":
        if rule.min_minor > 1:
            return _(
                "%(points)s for a visit from %(amount)s on.",
                points=amount(programme, rule.points),
                amount=money(rule.min_minor, place),
            )
        return _("%(points)s for each visit.", points=amount(programme, rule.points))
    if rule.mode == "spend":
        return _(
            "%(points)s for each whole %(amount)s.",
            points=amount(programme, rule.points),
            amount=money(rule.per_minor, place),
        )
    return _("%(unit)s by the piece, as the department says.", unit=units(programme))


def details(programme: Programme, rule: Accrual, place: Place) -> str:
    """What a way to earn says besides: departments, and the smallest purchase. May be empty."""
    said = []
    if rule.mode != "visit" and rule.min_minor > 1:
        said.append(_("purchases from %(amount)s on", amount=money(rule.min_minor, place)))
    for name, points in rule.departments.items():
        said.append(
            _("%(department)s: %(points)s a piece", department=name,
              points=amount(programme, points))
        )  # fmt: skip
    for name, percent in rule.factors.items():
        if percent:
            share = format_percent(percent / 100, locale=format_locale())
            said.append(_("%(department)s counts %(percent)s", department=name, percent=share))
        else:
            said.append(_("%(department)s earns nothing", department=name))
    return _sentence(said)


def together(programme: Programme) -> str:
    """How several ways to earn go together; empty for one."""
    if len(programme.accruals) < 2:
        return ""
    if programme.stacked:
        return _("All of these are added.")
    return _("Of these the one that is best for the member counts.")


def of_bonus(bonus: Bonus, place: Place) -> str:
    """A bonus time: "Double points · Tue · 07:00–11:00"."""
    locale = format_locale(place.locale)
    said = []
    if bonus.percent == 200:
        said.append(_("double points"))
    elif bonus.percent != 100:
        times = format_decimal(bonus.percent / 100, locale=locale)
        said.append(_("%(number)s times the points", number=times))
    if bonus.extra:
        said.append(_("%(points)s on top", points=number(bonus.extra)))
    if bonus.weekdays:
        names = get_day_names("abbreviated", locale=locale)
        said.append(format_list([names[day] for day in sorted(bonus.weekdays)], locale=locale))
    if bonus.hours_from or bonus.hours_to:
        said.append(_hours(bonus.hours_from or time.min, bonus.hours_to or time.min, locale))
    said += _days(bonus.first_day, bonus.last_day, locale)
    return _sentence(said)


def keeping(programme: Programme) -> list[str]:
    """From when points can be spent and when they lapse, a sentence each."""
    many = units(programme)
    said = []
    if programme.pending_days:
        said.append(
            ngettext(
                "%(unit)s can be spent %(num)d day after they were earned.",
                "%(unit)s can be spent %(num)d days after they were earned.",
                programme.pending_days,
                unit=many,
            )
        )
    said.append(_lapse(programme, many))
    if programme.idle_months:
        said.append(
            ngettext(
                "%(unit)s lapse after %(num)d month without a visit.",
                "%(unit)s lapse after %(num)d months without a visit.",
                programme.idle_months,
                unit=many,
            )
        )
    return said


def gifts(programme: Programme) -> list[str]:
    """What there is without a purchase; a sentence each."""
    said = []
    if programme.welcome_points:
        given = amount(programme, programme.welcome_points)
        said.append(_("Who joins gets %(points)s.", points=given))
    if programme.birthday_points:
        given = amount(programme, programme.birthday_points)
        said.append(_("Members get %(points)s on their birthday.", points=given))
    return said


def limits(programme: Programme) -> list[str]:
    """What is unusual at the till, and how much staff may give by hand; a sentence each."""
    said = []
    if programme.often_most:
        purchases = ngettext(
            "%(num)d purchase of a member in a day is usual.",
            "%(num)d purchases of a member in a day are usual.",
            programme.often_most,
        )
        more = (
            _("More earn nothing, and the cashier is told.")
            if programme.often_blocks
            else _("At more the cashier is told.")
        )
        said.append(f"{purchases} {more}")
    if programme.correct_most:
        said.append(
            _(
                "One person gives at most %(points)s by hand in a day.",
                points=amount(programme, programme.correct_most),
            )
        )
    return said


def _lapse(programme: Programme, many: str) -> str:
    months = programme.expiry_months
    if programme.expiry == "days":
        return ngettext(
            "%(unit)s lapse %(num)d day after they were earned.",
            "%(unit)s lapse %(num)d days after they were earned.",
            programme.expiry_days,
            unit=many,
        )
    if programme.expiry == "months":
        return ngettext(
            "%(unit)s lapse %(num)d month after they were earned.",
            "%(unit)s lapse %(num)d months after they were earned.",
            months,
            unit=many,
        )
    if programme.expiry == "month_end":
        if not months:
            return _("%(unit)s lapse at the end of the month.", unit=many)
        return ngettext(
            "%(unit)s lapse at the end of the month, %(num)d month after they were earned.",
            "%(unit)s lapse at the end of the month, %(num)d months after they were earned.",
            months,
            unit=many,
        )
    if programme.expiry == "year_end":
        if not months:
            return _("%(unit)s lapse at the end of the year.", unit=many)
        return ngettext(
            "%(unit)s lapse at the end of the year, %(num)d month after they were earned.",
            "%(unit)s lapse at the end of the year, %(num)d months after they were earned.",
            months,
            unit=many,
        )
    return _("%(unit)s do not lapse with time.", unit=many)


def _hours(start: time, end: time, locale: Locale) -> str:
    """ "7:00 – 11:00 AM", "07:00–11:00"."""
    if start == end:
        return format_time(start, "short", locale=locale)
    skeleton = "hm" if "a" in str(locale.time_formats["short"].pattern) else "Hm"
    first, last = datetime.combine(_ANY_DAY, start), datetime.combine(_ANY_DAY, end)
    return format_interval(first, last, skeleton, locale=locale)


def _days(first: date | None, last: date | None, locale: Locale) -> list[str]:
    """ "1–31 May 2026", "from 1 May 2026"; nothing without days."""
    if first and last:
        return [format_interval(first, last, "yMMMd", locale=locale)]
    if first:
        return [_("from %(day)s", day=format_date(first, "medium", locale=locale))]
    if last:
        return [_("until %(day)s", day=format_date(last, "medium", locale=locale))]
    return []


def _sentence(parts: list[str]) -> str:
    text = " · ".join(parts)
    return text[:1].upper() + text[1:]
