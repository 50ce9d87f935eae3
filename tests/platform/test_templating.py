"""Texts with merge fields are filled with data, and end."""

import time
from datetime import date

import pytest

from highstreet import templating
from highstreet.templating import MissingField, check, fields_of, render
from highstreet_tenants.errors import Invalid

#: Each would take memory or time without end.
HUNGRY = {
    "a long loop": "{% for i in (1..100000000) %}x{% endfor %}",
    "loops in loops": "{% for i in (1..900) %}{% for j in (1..900) %}x{% endfor %}{% endfor %}",
    "a long list": "{{ (1..100000000) | join: ',' }}",
    "a list beyond counting": "{{ (1..99999999999999999999) | size }}",
    "doubling a variable": "{% assign x = 'aaaaaaaaaa' %}"
    + "{% assign x = x | append: x %}" * 60
    + "{{ x }}",
    "multiplying in one go": "{{ 'aaaaaaaaaa' " + "| replace: 'a', 'aaaaaaaaaa' " * 20 + "}}",
    "a number without end": "{{ 9999999999 " + "| times: 9999999999 " * 300 + "}}",
    "blocks in blocks": "{% if a %}" * 50 + "{% endif %}" * 50,
    "a wide date": "{{ 'now' | date: '%99999999d' }}",
    "a long output": "{% for i in (1..999) %}" + "x" * 5000 + "{% endfor %}",
}


def test_names_with_dots_and_within_each_other() -> None:
    values = {"customer.name": "张伟", "points_club": {"points": 12}, "points_club.due": 3}
    text = "{{ customer.name }}: {{ points_club.points }} / {{ points_club.due }}"
    assert render(text, values) == "张伟: 12 / 3"


def test_values_are_data_and_never_template() -> None:
    assert render("{{ a }}", {"a": "{{ b }} {% include 'x' %}", "b": "no"}) == (
        "{{ b }} {% include 'x' %}"
    )
    assert render("{{ a }}", {"a": "<b>&"}, html=True) == "&lt;b&gt;&amp;"
    assert render("{{ a }}", {"a": "<b>&"}) == "<b>&"


def test_no_attribute_of_a_value_is_reached() -> None:
    class Secret:
        password = "hidden"

        def __str__(self) -> str:
            return "shown"

    text = "{{ a.password }}{{ a.__class__ }}{{ b.__class__ }}{{ b.upper }}|{{ a }}"
    assert render(text, {"a": Secret(), "b": "text"}) == "|shown"


@pytest.mark.parametrize("text", HUNGRY.values(), ids=HUNGRY)
def test_what_grows_without_end_is_ended(text: str) -> None:
    start = time.perf_counter()
    with pytest.raises(Invalid, match="limits"):
        render(text, {"a": True})
    assert time.perf_counter() - start < 2


@pytest.mark.parametrize("tag", ["include 'x'", "render 'x'", "tablerow i in a", "capture x"])
def test_tags_that_reach_elsewhere_are_not_there(tag: str) -> None:
    [wrong] = check(f"first line\n{{% {tag} %}}")
    assert "line 2" in wrong


def test_a_missing_value_is_an_error_only_where_it_would_be_printed() -> None:
    with pytest.raises(MissingField) as caught:
        render("Dear {{ customer.name }}", {"customer.name": ""}, strict=True)
    assert caught.value.name == "customer.name"
    with pytest.raises(MissingField) as caught:
        render("Dear {{ name | upcase }}", {}, strict=True)
    assert caught.value.name == "name"
    for text in ("{{ a.b | default: 'friend' }}", "{% if a.b %}x{% else %}friend{% endif %}"):
        assert render(text, {"a": {"b": None}}, strict=True) == "friend"
    assert render("Dear {{ customer.name }}", {}) == "Dear "


def test_what_a_text_asks_for() -> None:
    text = (
        "{{ a.b | default: c }}{% for x in list %}{{ x.y }}{% endfor %}{% if d.e > 2 %}{% endif %}"
    )
    assert fields_of(text) == {"a.b", "c", "list", "d.e"}


def test_a_text_is_checked_when_it_is_written() -> None:
    assert check("Dear {{ customer.name }}", {"customer.name"}) == []
    assert len(check("{{ customer.nmae }}{{ x | shout }}", {"customer.name"})) == 3
    assert "line 1" in check("Dear {{ customer.name")[0]
    assert "too long" in check("x" * (templating.LONGEST + 1))[0]


def test_dates_and_numbers() -> None:
    values = {"day": date(2026, 5, 14), "points": 1200}
    assert render("{{ day | date: '%d.%m.%Y' }} {{ points | plus: 1 }}", values) == (
        "14.05.2026 1201"
    )
    with pytest.raises(Invalid):
        render("{{ points | divided_by: 0 }}", values)


def test_parts_for_a_page_that_shows_the_fields() -> None:
    assert list(templating.shown("Hi {{ a }}!")) == [
        ("Hi ", False),
        ("{{ a }}", True),
        ("!", False),
    ]
