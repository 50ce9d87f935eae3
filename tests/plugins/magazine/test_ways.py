"""What members chose: by REST and file, merged and parted, told and forgotten."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from highstreet.customers import leaving, merging, unmerging
from highstreet.sdk import Conflict, ImportRow, Invalid, ctx_of
from highstreet.segments import queries as segments
from highstreet.segments.rules import load
from highstreet_magazine import forms, imports, publications
from highstreet_magazine.forms import Wish
from highstreet_magazine.imports import Choice
from highstreet_tenants.scopes import Scope

from .conftest import House


def begin(house: House) -> UUID:
    with house.office() as s:
        return publications.create(house.ctx(s), "Gear", "magazine", "print").id


def holds(ctx: Any, who: UUID) -> tuple[str, int]:
    (one,) = forms.of_customer(ctx, who)
    return one.form, one.copies


def test_many_choose_at_once_and_rules_find_them(house: House) -> None:
    gear = begin(house)
    with house.store() as s:
        ctx = house.ctx(s)
        people = [house.join(s, f"Ann {number}") for number in range(5)]
        with pytest.raises(Invalid, match="copies"):
            forms.choose(ctx, people[0], gear, "print", 6)  # five at most, as the setting has it
        wishes = [Wish(one, "email") for one in people[:3]]
        strange = Wish(gear, "print")  # nobody
        assert forms.choose_many(ctx, gear, [*wishes, strange]) == 3
        assert forms.choose_many(ctx, gear, wishes) == 0  # said again: they want to keep it
        row = ImportRow(people[3], s.store_id, Choice("none", 1, 1), "k", "f.csv, row 1")
        none = row._replace(value=Choice("print", 1, 9))
        done = imports.take(ctx, [row, none, row._replace(value=Choice("print", 9, 1))])
        assert (done.created, done.known, sorted(done.refused)) == (1, 0, [1, 2])
        assert imports.take(ctx, [row]).created == 0
    with house.office() as s:
        ctx = house.ctx(s)
        publication = publications.get(ctx, gear)
        found = {
            form: segments.counted(s, load(publications.form_is(publication, form))).people
            for form in ("print", "email", "none")
        }
        assert found == {"print": 1, "email": 3, "none": 1}
        assert ctx.fields.read(["magazine.form"], people)[people[3]] == {"magazine.form": "none"}


@pytest.mark.parametrize(
    ("kept", "gone", "together"),
    [
        ("email", "none", ("none", 1)),
        ("none", "print", ("none", 1)),
        ("email", "print", ("print", 3)),  # the later one
        ("", "email", ("email", 1)),
        ("email", "", ("email", 1)),
    ],
)
def test_records_that_merge_keep_the_stricter_and_part_as_they_were(
    house: House, kept: str, gone: str, together: tuple[str, int]
) -> None:
    gear = begin(house)
    with house.store() as s:
        ctx = house.ctx(s)
        one, other = house.join(s, "Ann Lee"), house.join(s, "Ann Leigh")
        for who, form in ((one, kept), (other, gone)):
            if form:
                forms.choose(ctx, who, gear, form, 3 if form == "print" else 1)
        before = [forms.export(ctx, who) for who in (one, other)]
    with house.office() as s:
        merging.merge(s, one, other)
        assert holds(house.ctx(s), one) == together
    with house.office() as s:
        unmerging.unmerge(s, other)
        ctx = house.ctx(s)
        assert [forms.export(ctx, who) for who in (one, other)] == before
        leaving.erase(s, one, "asked")
        assert forms.export(ctx, one) == [] and forms.export(ctx, other) == before[1]


def test_a_store_is_not_written_for_out_of_a_session_that_reaches_the_brand(house: House) -> None:
    with house.house.tenancy.session(Scope.operator(house.club.id)) as s:
        at_store = ctx_of(s, "magazine", house.club.stores[0].id)
        with pytest.raises(Conflict):
            at_store.mailings.listed()
