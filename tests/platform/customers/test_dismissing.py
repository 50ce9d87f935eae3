"""Not the same person: said once, it holds through merges, can be undone, and leaves with them."""

import threading
from types import SimpleNamespace
from uuid import uuid4

import pytest
import sqlalchemy as sa

from highstreet.customers import service
from highstreet.customers.dismissing import dismissals
from highstreet.customers.duplicates import likely_duplicates
from highstreet.customers.facts import CustomerFact
from highstreet.customers.models import Dismissal
from highstreet_tenants.errors import Invalid, NotFound
from highstreet_tenants.scopes import Actor
from highstreet_tenants.sessions import ScopedSession
from rooms_given import Floor

DANA = Actor("user", None, "Dana")


def namesakes(s: ScopedSession, many: int = 3) -> list[CustomerFact]:
    """People whom everybody would take for one."""
    return [service.enrol(s, name="Ana Núñez", phone="020 7946 0018") for _ in range(many)]


def offered(s: ScopedSession) -> set[frozenset[object]]:
    return {frozenset((p.one.id, p.other.id)) for p in likely_duplicates(s)}


@pytest.mark.parametrize("brand", ["club", "shops"])
def test_a_dismissed_pair_is_not_offered_again_until_that_is_undone(
    floor: Floor, brand: str
) -> None:
    where: SimpleNamespace = getattr(floor, brand)
    with floor.till(where, actor=DANA) as s:
        a, b, c = namesakes(s)
        said = service.dismiss_pair(s, b.id, a.id)
        service.dismiss_pair(s, a.id, b.id)  # the other way round it is the same pair
        assert (said.one.id, said.other.id, said.actor) == (a.id, b.id, "Dana")
    with floor.till(where) as s:
        assert offered(s) == {frozenset((a.id, c.id)), frozenset((b.id, c.id))}
        assert [p.other.id for p in likely_duplicates(s, a.id)] == [c.id]
        (row,) = s.scalars(sa.select(Dismissal))
        assert (row.actor, row.store_id) == (
            "Dana",
            where.stores[0].id if brand == "shops" else None,
        )
        assert [(d.one.id, d.other.id, d.actor) for d in dismissals(s)] == [(a.id, b.id, "Dana")]
        assert service.restore_pair(s, b.id, a.id) == 1
        assert service.restore_pair(s, b.id, a.id) == 0
        assert len(offered(s)) == 3
        assert dismissals(s) == []


def test_it_holds_for_whatever_either_becomes(floor: Floor) -> None:
    with floor.till(floor.club) as s:
        a, b, c, d = namesakes(s, 4)
        service.dismiss_pair(s, a.id, b.id)
        service.merge(s, c.id, a.id)  # the one goes into a third,
        service.merge(s, d.id, b.id)  # and so does the other
        assert offered(s) == set()
        assert [(x.one.id, x.other.id) for x in dismissals(s)] == [(c.id, d.id)]
        service.dismiss_pair(s, a.id, b.id)  # said again of the old records
        assert len(s.scalars(sa.select(Dismissal)).all()) == 1
        assert service.restore_pair(s, d.id, c.id) == 1
        assert offered(s) == {frozenset((c.id, d.id))}


def test_two_who_were_merged_after_all_are_no_pair_any_more(floor: Floor) -> None:
    with floor.till(floor.club) as s:
        a, b, c = namesakes(s)
        service.dismiss_pair(s, a.id, b.id)
        service.merge(s, a.id, b.id)
        assert offered(s) == {frozenset((a.id, c.id))}
        assert dismissals(s) == []
        with pytest.raises(Invalid, match="one record already"):
            service.dismiss_pair(s, a.id, b.id)


def test_it_is_exported_without_the_other_and_erased_with_either(floor: Floor) -> None:
    with floor.till(floor.shops, actor=DANA) as s:
        a, b, c = namesakes(s)
        service.dismiss_pair(s, a.id, b.id)
        service.dismiss_pair(s, b.id, c.id)
        held = service.export(s, b.id)["customer"]["not_the_same_as_others"]
        assert [one["by"] for one in held] == ["Dana", "Dana"]
        assert str(a.id) not in str(held)
        done = service.erase(s, a.id, "asked by letter")
        assert done.parts["customers"]["dismissals"] == 1
        assert [(x.one_id, x.other_id) for x in s.scalars(sa.select(Dismissal))] == [(b.id, c.id)]


def test_what_is_another_stores_can_not_be_named(floor: Floor) -> None:
    with floor.till(floor.shops, 0) as s:
        ana = service.enrol(s, name="Ana")
    with floor.till(floor.shops, 1) as s:
        bea = service.enrol(s, name="Ana")
        for pair in ((ana.id, bea.id), (bea.id, ana.id), (bea.id, uuid4())):
            with pytest.raises(NotFound):
                service.dismiss_pair(s, *pair)
            with pytest.raises(NotFound):
                service.restore_pair(s, *pair)
    with floor.operator(floor.shops) as s, pytest.raises(Invalid, match="two stores"):
        service.dismiss_pair(s, ana.id, bea.id)
    with floor.operator(floor.shops, write=False) as s:
        assert s.scalars(sa.select(Dismissal)).all() == []


def test_two_who_say_it_at_once_leave_one_row(floor: Floor) -> None:
    with floor.till(floor.club) as s:
        a, b = namesakes(s, 2)
    start = threading.Barrier(2)

    def say(one: CustomerFact, other: CustomerFact) -> None:
        start.wait()
        with floor.till(floor.club) as s:
            service.dismiss_pair(s, one.id, other.id)

    threads = [threading.Thread(target=say, args=pair) for pair in ((a, b), (b, a))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    with floor.till(floor.club, write=False) as s:
        assert len(s.scalars(sa.select(Dismissal)).all()) == 1
