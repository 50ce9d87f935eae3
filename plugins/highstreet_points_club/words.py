"""Points and rewards in the words that cashiers and members read."""

from datetime import date, time
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from babel import Locale
from babel.dates import format_date, format_skeleton, format_time, get_day_names
from babel.numbers import format_decimal

from highstreet.sdk import SummaryRow, format_locale, format_minor
from highstreet.sdk import gettext as _
from highstreet_points_club.programme import Accrual, Bonus, EarnResult, Programme, RewardRule
from highstreet_points_club.rules import Place

if TYPE_CHECKING:
    from highstreet_points_club.award import Awarded
    from highstreet_points_club.history import Balance, Lapsing, Line
    from highstreet_points_club.returns import Reversed


def number(value: int) -> str:
    """A number as the reader writes it, with a real minus."""
    return _number(value, format_locale())


@lru_cache(maxsize=8192)
def _number(value: int, locale: Locale) -> str:
    # Kept, because Babel takes as long for one as the database for the whole award.
    return format_decimal(value, locale=locale).replace("-", "−")


def signed(value: int) -> str:
    """A change: "+12", "−150"."""
    return f"+{number(value)}" if value > 0 else number(value)


def amount(programme: Programme, points: int) -> str:
    """ "12 points"."""
    return f"{number(points)} {unit(programme, points)}"


def unit(programme: Programme, points: int) -> str:
    """The unit's name; the default ones are translated, a brand's own are as it wrote them."""
    if (programme.unit_one, programme.unit_many) == ("point", "points"):
        return _("point") if abs(points) == 1 else _("points")
    return programme.unit(points)


def day(when: date, place: Place) -> str:
    """A day: "31 May"."""
    return format_skeleton("MMMMd", when, locale=format_locale(place.locale))


def of_award(programme: Programme, done: "Awarded") -> str:
    """What the cashier reads after a purchase."""
    if not done.created:
        return ""
    said = []
    if done.points:
        said.append(
            _("%(points)s given, %(balance)s in all.", points=amount(programme, done.points),
              balance=number(done.balance))
        )  # fmt: skip
    else:
        said.append(_("This purchase earns no %(unit)s.", unit=unit(programme, 2)))
    said += [_("Reward earned: %(reward)s", reward=reward.name) + "." for reward in done.rewards]
    return " ".join(said)


def of_return(programme: Programme, done: "Reversed") -> str:
    """What the cashier reads after a return."""
    said = []
    if done.points:
        said.append(
            _("%(points)s taken back, %(balance)s left.", points=amount(programme, done.points),
              balance=number(done.balance))
        )  # fmt: skip
    said += [_("%(reward)s given back", reward=name) + "." for name in done.given_back]
    return " ".join(said)


def of_result(programme: Programme, result: EarnResult, place: Place) -> tuple[str, ...]:
    """Why a basket earns what it earns."""
    if not result.points:
        return (_("This purchase earns no %(unit)s.", unit=unit(programme, 2)),)
    by_mode = {rule.mode: rule for rule in programme.accruals}
    said = []
    for part in result.why:
        if part.rule == "bonus":
            said.append(
                _("%(bonus)s: %(points)s more.", bonus=part.name, points=number(part.points))
            )
        else:
            said.append(of_rule(programme, by_mode[part.rule], place))  # type: ignore[index]  # a mode
    return tuple(said)


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
    return _("%(unit)s by the piece, as the department says.", unit=unit(programme, 2).capitalize())


def of_bonus(bonus: Bonus, place: Place) -> str:
    """A bonus time: "Double points, Tue, 07:00–11:00"."""
    locale = format_locale(place.locale)
    said = []
    if bonus.percent == 200:
        said.append(_("double points"))
    elif bonus.percent != 100:
        said.append(_("%(number)s times the points", number=_times(bonus.percent)))
    if bonus.extra:
        said.append(_("%(points)s on top", points=number(bonus.extra)))
    if bonus.weekdays:
        names = get_day_names("abbreviated", locale=locale)
        said.append(", ".join(names[day] for day in sorted(bonus.weekdays)))
    if bonus.hours_from or bonus.hours_to:
        clocks = (one or time.min for one in (bonus.hours_from, bonus.hours_to))
        said.append("–".join(format_time(one, "short", locale=locale) for one in clocks))
    if bonus.first_day:
        said.append(_("from %(day)s", day=_full_day(bonus.first_day, place)))
    if bonus.last_day:
        said.append(_("until %(day)s", day=_full_day(bonus.last_day, place)))
    text = ", ".join(said)
    return text[:1].upper() + text[1:]


def _times(percent: int) -> str:
    return format_decimal(percent / 100, locale=format_locale())


def _full_day(when: date, place: Place) -> str:
    return format_date(when, "medium", locale=format_locale(place.locale))


def money(minor: int, place: Place) -> str:
    """An amount without needless decimals: "£1", "£1.50"."""
    text = format_minor(minor, place.currency, str(format_locale(place.locale)))
    for tail in (".00", ",00"):
        if text.endswith(tail):
            return text.removesuffix(tail)
    return text


def next_reward(balance: "Balance") -> str:
    """ "16 more for Lunch for two"; empty without a next reward."""
    if balance.next_reward is None:
        return ""
    return _(
        "%(missing)s more for %(reward)s",
        missing=number(balance.missing),
        reward=balance.next_reward.name,
    )


def lapsing(programme: Programme, what: "Lapsing", place: Place) -> str:
    """ "24 points lapse on 31 May"."""
    if what.unless_visit:
        return _("%(points)s lapse after %(day)s unless there is a visit before",
                 points=amount(programme, what.points), day=day(what.last_day, place))  # fmt: skip
    return _("%(points)s lapse on %(day)s", points=amount(programme, what.points),
             day=day(what.last_day, place))  # fmt: skip


def notes(balance: "Balance", place: Place) -> list[str]:
    """What a member should know beside the balance."""
    programme = balance.programme
    said = []
    if balance.balance < 0:
        said.append(_("The next purchases make up for goods that were returned."))
    if balance.lapsing:
        said.append(lapsing(programme, balance.lapsing[0], place))
    if balance.pending:
        said.append(_("%(points)s can be spent later", points=amount(programme, balance.pending)))
    return said


def summary(balance: "Balance") -> list[SummaryRow]:
    """Figures for a customer's page."""
    programme = balance.programme
    rows = [SummaryRow(unit(programme, 2).capitalize(), number(balance.balance), 10)]
    if balance.rewards:
        rows.append(SummaryRow(_("Rewards waiting"), number(len(balance.rewards)), 11))
    coming = next_reward(balance)
    if coming:
        rows.append(SummaryRow(_("Next reward"), coming, 12))
    return rows


def offer(rule: RewardRule, steps: int, place: Place) -> str:
    """A reward on a button: "Coffee", "Auto dollars £15"."""
    if rule.kind == "money":
        return f"{rule.name} {money(rule.value_minor * steps, place)}"
    return rule.name


class Told(NamedTuple):
    """A line of a member's story in words: what, when and where, and the change of points."""

    what: str
    when: str
    change: str


def told(line: "Line", place: Place) -> Told:
    """A line of a member's story as pages show it."""
    local = line.at.astimezone(place.zone).date()
    parts = [format_skeleton("yMMMEd", local, locale=format_locale(place.locale))]
    if line.store and line.kind != "earn":
        parts.append(line.store)
    if line.amount_minor:
        amount_paid = money(abs(line.amount_minor), place)
        parts.append(
            _("%(amount)s returned", amount=amount_paid) if line.amount_minor < 0 else amount_paid
        )
    return Told(_what(line), ", ".join(parts), signed(line.points))


def _what(line: "Line") -> str:
    reward = line.reward or _("Reward")
    if line.kind == "earn":
        return line.store or _("Another store")
    if line.kind == "hold":
        if line.status == "issued":
            return _("%(reward)s, waiting", reward=reward)
        return reward
    if line.kind == "adjust":
        return _("Corrected: %(why)s", why=line.reason) if line.reason else _("Corrected")
    return {
        "reverse_earn": _("Goods returned"),
        "burn": reward,
        "release": _("%(reward)s given back", reward=reward),
        "reverse_burn": _("%(reward)s given back", reward=reward),
        "expire": _("Lapsed"),
        "opening": _("Brought from an earlier programme"),
        "forfeit": _("Closed"),
        "merge_in": _("From a merged record"),
        "merge_out": _("To a merged record"),
    }[line.kind]
