"""What tools missed they hear later, about customers as they are by then."""

import pytest
import sqlalchemy as sa

from highstreet.customers import parts, places, queries, service
from highstreet.customers.hooks import CustomerHooks
from highstreet.host import state
from highstreet.host.spec import Hook, hooks_in
from highstreet_tenants.errors import NotFound
from highstreet_tenants.models import Store
from rooms_given import Floor

HOOKS = {hook.name: hook for hook in hooks_in(CustomerHooks)}


def owed(hook: str) -> Hook:
    assert HOOKS[hook].retry is not None
    return HOOKS[hook]


def test_obligations_reach_tools_that_are_off() -> None:
    assert {name for name, hook in HOOKS.items() if hook.winddown} == {
        "customers_merged",
        "customers_unmerged",
        "export_customer",
        "erase_customer",
    }
    assert {name for name, hook in HOOKS.items() if hook.writes} == {
        "customers_enrolled",
        "customers_merged",
        "customers_unmerged",
        "erase_customer",
    }


def test_an_enrolment_heard_late_is_of_the_record_that_is_left(floor: Floor) -> None:
    retry = owed("customers_enrolled").retry
    assert retry is not None
    with floor.till(floor.shops) as s:
        ana, old = service.enrol(s, name="Ana"), service.enrol(s, name="Ana")
        kept = retry.dump(s, {"customers": (ana, old)})
        assert kept == {"ids": [str(ana.id), str(old.id)]}
        service.merge(s, ana.id, old.id)
        heard = retry.load(s, kept)
        assert heard is not None and [one.id for one in heard["customers"]] == [ana.id]
        service.erase(s, ana.id, "asked")
        assert retry.load(s, kept) is None


def test_a_merge_heard_late_still_names_both(floor: Floor) -> None:
    retry = owed("customers_merged").retry
    assert retry is not None
    with floor.till(floor.shops) as s:
        ana, old = service.enrol(s, name="Ana"), service.enrol(s, name="Ana")
        service.merge(s, ana.id, old.id)
        kept = retry.dump(s, {"kept": ana, "gone": old})
        heard = retry.load(s, kept)
        assert heard is not None
        assert (heard["kept"].id, heard["gone"].id) == (ana.id, old.id)


def test_a_merge_that_was_taken_back_is_not_heard_late(floor: Floor) -> None:
    retry = owed("customers_merged").retry
    assert retry is not None
    with floor.till(floor.shops) as s:
        ana, bea, old = (service.enrol(s, name="Ana") for _ in range(3))
        service.merge(s, ana.id, old.id)
        kept = retry.dump(s, {"kept": ana, "gone": old})
        service.unmerge(s, old.id)
        assert retry.load(s, kept) is None
        service.merge(s, bea.id, old.id)  # it is another's by now
        assert retry.load(s, kept) is None
        service.unmerge(s, old.id)
        service.merge(s, ana.id, old.id)
        assert retry.load(s, kept) is not None


def test_an_erasure_heard_late_is_still_done_though_the_name_is_gone(floor: Floor) -> None:
    retry = owed("erase_customer").retry
    assert retry is not None
    with floor.till(floor.shops) as s:
        ana = service.enrol(s, name="Ana")
        kept = retry.dump(s, {"customer": ana})
        service.erase(s, ana.id, "asked")
        heard = retry.load(s, kept)
        assert heard is not None
        assert (heard["customer"].id, heard["customer"].name) == (ana.id, "")


def test_no_export_without_every_room(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(parts._parts, "purchases")
    with floor.till(floor.shops) as s:
        ana = service.enrol(s, name="Ana")
        with pytest.raises(RuntimeError, match="purchases"):
            service.export(s, ana.id)
        with pytest.raises(RuntimeError, match="purchases"):
            service.erase(s, ana.id, "asked")
        assert queries.get(s, ana.id).name == "Ana"


def test_a_store_that_moved_is_known_at_once(floor: Floor) -> None:
    store = floor.club.stores[0].id
    with floor.till(floor.club, write=False) as s:
        before = places.place(s, store)
        assert (before.zone, before.country) == ("Europe/London", "GB")
        with pytest.raises(NotFound):
            places.place(s, floor.club.stores[1].id)
    with floor.office(floor.club) as s:
        row = s.scalars(sa.select(Store).where(Store.id == store)).one()
        row.zone, row.address, row.locale = "Australia/Perth", {}, "en_AU"
        state.touch(s)
    with floor.till(floor.club, write=False) as s:
        after = places.place(s, store)
        assert (after.zone, after.country) == ("Australia/Perth", "AU")
