"""Points and rewards in the words that cashiers and members read."""

from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from babel import Locale
from babel.dates import format_interval, format_skeleton
from babel.numbers import format_decimal, get_currency_symbol

from highstreet.sdk import SummaryRow, clock, format_locale, format_minor
from highstreet.sdk import gettext as _
from highstreet_points_club.programme import Programme, RewardRule
from highstreet_points_club.rules import Place

if TYPE_CHECKING:
    from highstreet_points_club.award import Awarded
    from highstreet_points_club.history import Balance, Lapsing, Line
    from highstreet_points_club.often import Often
    from highstreet_points_club.returns import Reversed


def number(value: int) -> str:
    """A number as the reader writes it, with a real minus."""
    if 0 <= value < 1000:
        return str(value)  # nobody groups three digits, and a cashier seldom reads more
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


def units(programme: Programme) -> str:
    """The unit's name as a heading: "Points"."""
    many = unit(programme, 2)
    return many[:1].upper() + many[1:]


def day(when: date, place: Place) -> str:
    """A day: "31 May", with the year where it is another."""
    return _written(when, "MMMMd", place)


def day_short(when: date, place: Place) -> str:
    """ "Thu 14 May", with the year where it is another."""
    return _written(when, "MMMEd", place)


def span(first: date, last: date, place: Place) -> str:
    """ "1 – 28 May 2026"."""
    return format_interval(first, last, "yMMMd", locale=format_locale(place.locale))


def month(first: date, place: Place) -> str:
    """ "May 2026"."""
    return format_skeleton("yMMMM", first, locale=format_locale(place.locale))


def _written(when: date, skeleton: str, place: Place) -> str:
    this_year = clock.now().astimezone(place.zone).year
    full = skeleton if when.year == this_year else f"y{skeleton}"
    return format_skeleton(full, when, locale=format_locale(place.locale))


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
    if done.often is not None:
        said.append(unusual(programme, done.often))
    said += [_("Reward earned: %(reward)s", reward=reward.name) + "." for reward in done.rewards]
    return " ".join(said)


def unusual(programme: Programme, often: "Often") -> str:
    """What the cashier reads at a purchase that is one too many in a day."""
    said = _(
        "Purchase %(times)s of this member today; %(usual)s are usual.",
        times=number(often.times),
        usual=number(programme.often_most),
    )
    more = _("More earn nothing.") if often.blocked else _("Is it the member’s own card?")
    return f"{said} {more}"


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


def money(minor: int, place: Place) -> str:
    """An amount without needless decimals: "£1", "£1.50"."""
    text = format_minor(minor, place.currency, str(format_locale(place.locale)))
    for tail in (".00", ",00"):
        if text.endswith(tail):
            return text.removesuffix(tail)
    return text


def sign(place: Place) -> str:
    """The currency's sign, as it stands before an amount."""
    return get_currency_symbol(place.currency, locale=format_locale(place.locale))


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
    rows = [SummaryRow(units(programme), number(balance.balance), 10)]
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


def waiting(reward: str, count: int = 1) -> str:
    """A reward that was earned and can be had: "Coffee, waiting", "Coffee, 3 waiting"."""
    if count == 1:
        return _("%(reward)s, waiting", reward=reward)
    return _("%(reward)s, %(count)s waiting", reward=reward, count=number(count))


class Told(NamedTuple):
    """A line of a member's story in words: what, when and where, and the change of points."""

    what: str
    when: str
    change: str


def told(line: "Line", place: Place) -> Told:
    """A line of a member's story as pages show it."""
    parts = [day_short(line.at.astimezone(place.zone).date(), place)]
    if line.store and line.kind != "earn":
        parts.append(line.store)
    if line.amount_minor:
        amount_paid = format_minor(
            abs(line.amount_minor), place.currency, str(format_locale(place.locale))
        )
        parts.append(
            _("%(amount)s returned", amount=amount_paid) if line.amount_minor < 0 else amount_paid
        )
    parts += [
        _("%(campaign)s: %(points)s", campaign=name, points=signed(points))
        for name, points in line.campaigns
    ]
    return Told(_what(line), " · ".join(parts), signed(line.points))


def _what(line: "Line") -> str:
    reward = line.reward or _("Reward")
    if line.kind == "earn":
        return line.store or _("Another store")
    if line.kind == "hold":
        if line.status == "issued":
            return waiting(reward)
        return reward
    if line.kind == "adjust":
        return _("Corrected: %(why)s", why=line.reason) if line.reason else _("Corrected")
    return {
        "reverse_earn": _("Goods returned"),
        "burn": reward,
        "release": _("%(reward)s given back", reward=reward),
        "reverse_burn": _("%(reward)s given back", reward=reward),
        "expire": _("Lapsed"),
        "revive": _("Back: a purchase in time was sent late"),
        "opening": _("Brought from an earlier programme"),
        "welcome": _("Welcome"),
        "birthday": _("Happy birthday"),
        "forfeit": _("Closed"),
        "merge_in": _("From a merged record"),
        "merge_out": _("To a merged record"),
        "unmerge_in": _("Back: a merge was taken back"),
        "unmerge_out": _("Back to the other record: a merge was taken back"),
    }[line.kind]
