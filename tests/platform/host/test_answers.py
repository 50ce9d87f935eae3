"""What tools answer is held to what the hook says, and copied, while their guard still stands."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from markupsafe import Markup

from highstreet.customers.hooks import SummaryRow
from highstreet.host import answers, faults, policy, slots, verbs
from highstreet.host.plugin import Verb
from highstreet.host.registry import Host
from highstreet.host.verbs import VerbFailed
from highstreet.i18n import lazy_gettext
from highstreet.results.hooks import Figure, Sums
from highstreet.till.hooks import Club


class Shouts:
    """It can't even be shown."""

    def __html__(self) -> str:
        raise RuntimeError("never")


def test_a_list_that_the_tool_changes_later_stays_as_it_was() -> None:
    rows = [SummaryRow("Points", "12")]
    given = answers.held(lambda: rows, [SummaryRow])()
    rows.append(SummaryRow("Debts", "all"))
    assert given == [SummaryRow("Points", "12")]
    told = {"cards": ["1"]}
    export = answers.held(lambda: told, dict)()
    told["cards"].append("2")
    assert export == {"cards": ["1"]}


@pytest.mark.parametrize(
    ("gives", "answer", "says"),
    [
        ([SummaryRow], (row for row in [SummaryRow("a", "b")]), "there is generator"),
        ([SummaryRow], "no rows", "there is str"),
        ([SummaryRow], [SummaryRow("a", "b"), {"a": "b"}], "there is dict"),
        ([SummaryRow], [SummaryRow("a", 5)], "SummaryRow.value"),  # type: ignore[arg-type]
        ([str], ["fine", 7], "there is int"),
        (Club, Club("12", "points"), "Club.balance"),  # type: ignore[arg-type]
        (Club, Club(1, "points", notes=["fine", object()]), "Club.notes"),  # type: ignore[list-item]
        (Sums, Sums(more={"notes": "many"}), "Sums.more"),  # type: ignore[dict-item]
        (dict, {"deep": [{"odd": object()}]}, "object can't be written down"),
        (dict, [("a", 1)], "must be dict"),
    ],
)
def test_an_answer_of_another_kind_is_refused_down_to_its_fields(
    gives: Any, answer: Any, says: str
) -> None:
    with pytest.raises(TypeError, match=says.replace(".", r"\.")):
        answers.held(lambda: answer, gives)()


def test_lazy_words_are_said_at_once() -> None:
    lazy: Any = lazy_gettext("Points")
    (figure,) = answers.held(lambda: (Figure(lazy, "12"),), [Figure])()
    assert type(figure.label) is str
    broken: Any = lazy_gettext("%(nobody)s")
    broken.values["somebody"] = 1
    with pytest.raises(KeyError):
        answers.held(lambda: [Figure(broken, "12")], [Figure])()


@pytest.mark.parametrize(
    ("piece", "drawn"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        (Markup("<b>bold</b>"), "<b>bold</b>"),
        (lazy_gettext("a & b"), "a &amp; b"),
    ],
)
def test_a_piece_of_a_page_is_markup_or_escaped(piece: Any, drawn: str) -> None:
    assert str(answers.markup(piece)) == drawn


def test_a_piece_that_can_not_be_drawn_is_left_out_and_recorded(
    make_host: Callable[..., Host], hung: Callable[[Host], Any], two_brands: list[Any]
) -> None:
    pieces: dict[str, Any] = {
        "good": lambda ctx, **_page: "<i>",
        "loud": lambda ctx, **_page: Shouts(),
        "odd": lambda ctx, **_page: ["no markup"],
        "ends": lambda ctx, **_page: exit(3),
    }
    about = {name: {"plugin": {"slots": {"till.member": one}}} for name, one in pieces.items()}
    host = make_host(dict.fromkeys(pieces), **about)
    opened, brand = hung(host), two_brands[0]
    with opened(brand, brand.stores[0]) as s:
        for name in pieces:
            policy.choose(s, name, True)
        drawn = slots.render(s, "till.member")
        assert [(one.plugin, str(one.value)) for one in drawn] == [("good", "&lt;i&gt;")]
        for name, said in (("loud", "never"), ("odd", "must be Markup or text"), ("ends", "3")):
            (fault,) = faults.recent(s, name)
            assert fault.hook == "slot:till.member" and said in fault.message


def test_a_verb_that_fails_says_so_and_is_noted(
    make_host: Callable[..., Host], hung: Callable[[Host], Any], two_brands: list[Any]
) -> None:
    def lines(_ctx: Any, options: Mapping[str, str]) -> Any:
        how = options.get("how")
        if how == "raise":
            raise ValueError("no such rate")
        if how == "late":
            return (1 / 0 for _one in [1])
        if how == "text":
            return "abc"
        return ({"a": 1, "b": lazy_gettext("two")}, {"c": 3})

    verb = Verb("club.lines", "Lines", lines, {"how": "how to go wrong"})
    host = make_host({"club": None}, club={"plugin": {"verbs": [verb]}})
    opened, brand = hung(host), two_brands[0]
    with opened(brand, brand.stores[0]) as s:
        policy.choose(s, "club", True)
        assert verbs.run(s, "club.lines", {}) == [{"a": 1, "b": "two"}, {"c": 3}]
    wrong = {"raise": "ValueError", "late": "ZeroDivisionError", "text": "TypeError"}
    for how, kind in wrong.items():
        with (
            pytest.raises(VerbFailed, match=rf"club failed at “club.lines”: {kind}"),
            opened(brand, brand.stores[0]) as s,
        ):
            verbs.run(s, "club.lines", {"how": how})
    with opened(brand, brand.stores[0]) as s:
        kinds = {one.error for one in faults.recent(s, "club")}
        assert kinds == set(wrong.values())
