"""Stores by the hundred: what a file says is made so, once, and nothing else is touched."""

import multiprocessing
import os
import signal
from pathlib import Path

import pytest
import sqlalchemy as sa

from highstreet.stores import closing, onboarding
from highstreet_tenants.errors import Conflict, Forbidden
from highstreet_tenants.models import Brand, Owner, Region, Store
from highstreet_tenants.people import accounts, links, operate
from highstreet_tenants.people.held import grants_of
from highstreet_tenants.people.models import RoleGrant, User
from highstreet_tenants.people.permissions import Catalogue
from highstreet_tenants.scopes import SYSTEM, Scope
from highstreet_tenants.trail import reading
from highstreet_tenants.trail.reading import Wanted

HEAD = "number,name,region,owner,zone,currency,city,manager_email,manager_name"


@pytest.fixture
def brand(app, two_brands):
    return two_brands[0]


@pytest.fixture
def take(house, brand, tmp_path):
    def go(*lines, head=HEAD, **more):
        path = tmp_path / "stores.csv"
        path.write_text("\n".join((head, *lines)) + "\n", encoding="utf-8")
        with house.tenancy.control() as c:
            row = c.get_one(Brand, brand.id)
        return onboarding.take_in(
            house.tenancy, row, path, catalogue=Catalogue(), errors_beside=True, **more
        )

    return go


@pytest.fixture
def see(house, brand):
    """see(Store): everything of the kind there is."""

    def go(model):
        with house.tenancy.session(Scope.operator(brand.id)) as s:
            return list(s.scalars(sa.select(model).order_by(model.slug)))

    return go


def stores(see):
    return {store.code: store for store in see(Store)}


def test_stores_are_made_and_changed_only_where_a_row_says_so(take, see):
    before = stores(see)["102"]
    done = take(
        "501,Quay,Coast,owner-1,,EUR,Kiel,,",
        "101,New name,,,,,,,",
        "102,,,,,,,,",
    )
    assert [(one.number, one.action) for one in done.told] == [
        ("501", "add"), ("101", "change"), ("102", "same"),
    ]  # fmt: skip
    there = stores(see)
    quay = there["501"]
    assert (quay.name, quay.slug, quay.currency, quay.zone) == ("Quay", "quay", "EUR", before.zone)
    assert quay.address == {"city": "Kiel"}
    assert quay.region_id is not None and quay.owner_id is not None
    assert there["101"].name == "New name"
    assert there["101"].region_id == before.region_id
    assert there["102"].name == before.name


def test_the_same_file_again_changes_nothing_and_invites_nobody_twice(take, see, house, brand):
    lines = ("501,Quay,Coast,,,,,ann@people.example,Ann",)
    first, second = take(*lines), take(*lines)
    assert (first.count("add"), len(first.links)) == (1, 1)
    assert (second.count("same"), len(second.links)) == (1, 0)
    with house.tenancy.session(Scope.operator(brand.id)) as s:
        assert len(reading.page(s, Wanted(action="store.added"))) == 1
        assert len(reading.page(s, Wanted(action="person.role_given"))) == 1
    again = take(*lines, again=True)
    (link,) = again.links
    with house.tenancy.control() as s:
        assert links.look(s, link.token).email == "ann@people.example"
        with pytest.raises(Exception, match="used"):
            links.look(s, first.links[0].token)


def test_unknown_regions_and_owners_are_told_or_made(take, see):
    done = take("501,Quay,Cost,,,,,,", "502,Pier,,Nobody,,,,,", "503,Mole,coast,,,,,,")
    assert [one.reason for one in done.refused] == [
        "there is no region “Cost”; there are: Coast",
        "there is no owner “Nobody”; there are: O1, O2",
    ]
    assert done.count("add") == 1
    text = Path(done.errors_file).read_text(encoding="utf-8-sig")
    assert "there is no region" in text and "501" in text
    made = take("501,Quay,North,Smith & Sons,,,,,", "502,Pier,north,smith & sons,,,,,", make=True)
    assert made.made == ["North", "Smith & Sons"] and not made.refused
    assert {one.name for one in see(Region)} == {"Coast", "North"}
    assert "smith-sons" in {one.slug for one in see(Owner)}


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (",Quay,,,,,,,", "needs the store’s number"),
        ("501,Quay,,,Mars/City,,,,", "not a time zone"),
        ("501,Quay,,,,Taler,,,", "currency"),
        ("501,Quay,,,,,,no address,", "not an e-mail address"),
        ("501,=1+1,,,,,,,", "formula"),
        ("501,4242 4242 4242 4242,,,,,,,", "card"),
        ("501," + "x" * 200 + ",,,,,,,", "longer"),
    ],
)
def test_a_row_that_is_wrong_says_why_and_the_others_go_in(take, see, line, why):
    done = take(line, "777,Good,,,,,,,")
    assert len(done.refused) == 1 and why in done.refused[0].reason
    assert done.refused[0].line == 2
    assert "777" in stores(see) and "501" not in stores(see)


def test_a_number_that_comes_twice_is_refused_the_second_time(take, see):
    done = take("501,Quay,,,,,,,", "501,Pier,,,,,,,")
    assert "stands in line 2 already" in done.refused[0].reason
    assert stores(see)["501"].name == "Quay"


def test_a_dry_run_tells_what_then_happens_and_changes_nothing(take, see, house):
    lines = ("501,Quay,North,,,,,ann@people.example,Ann", "101,Other,,,,,,,", "502,,Nil,,Mars,,,,")
    dry = take(*lines, make=True, dry_run=True)
    assert "501" not in stores(see) and len(see(Region)) == 1
    assert dry.links == []
    with house.tenancy.control() as s:
        assert accounts.find_user(s, "ann@people.example") is None
    real = take(*lines, make=True)
    assert (real.told, real.refused, real.made) == (dry.told, dry.refused, dry.made)


def test_a_manager_with_an_account_of_their_own_is_offered_the_role(take, house, brand):
    user_id = operate.create_user(house, "bea@people.example", "Bea", password="correct horse")
    done = take("501,Quay,,,,,,bea@people.example,")
    with house.tenancy.control() as s:
        assert grants_of(s, user_id) == ()
        assert links.look(s, done.links[0].token).purpose == "join"
    assert take("501,Quay,,,,,,bea@people.example,").links == []


def test_six_hundred_stores_go_in_at_once(take, see):
    lines = [
        f"{n},Store {n},Coast,owner-{n % 2 + 1},,,City {n},m{n}@people.example,M {n}"
        for n in range(1000, 1600)
    ]
    done = take(*lines)
    assert done.count("add") == 600 and len(done.links) == 600
    assert take(*lines).count("same") == 600


def _take_and_die(config, brand_id, path):
    from highstreet.app import create_app, house_of

    app = create_app(config, faces=False)
    with app.app_context():
        house = house_of(app)
        with house.tenancy.control() as c:
            brand = c.get_one(Brand, brand_id)
        finish = onboarding._Work.finish

        def killed(work):
            finish(work)
            work.s.flush()
            os.kill(os.getpid(), signal.SIGKILL)

        onboarding._Work.finish = killed
        onboarding.take_in(house.tenancy, brand, path, catalogue=Catalogue())


def test_killed_in_the_middle_it_leaves_nothing_and_again_makes_each_once(
    take, see, house, brand, tmp_path
):
    lines = [f"{n},Store {n},,,,,,m{n}@people.example,M" for n in range(500, 600)]
    path = tmp_path / "killed.csv"
    path.write_text("\n".join((HEAD, *lines)), encoding="utf-8")
    config = {
        name: house.config[name] for name in ("database_url", "owner_database_url", "secret_key")
    } | {"instance": str(tmp_path), "password_hasher": "cheap", "testing": True}
    process = multiprocessing.get_context("spawn").Process(
        target=_take_and_die, args=(config, brand.id, path)
    )
    process.start()
    process.join(120)
    assert process.exitcode == -signal.SIGKILL
    assert len(see(Store)) == 2
    done = take(*lines)
    assert done.count("add") == 100 and len(see(Store)) == 102
    with house.tenancy.control() as s:
        managers = sa.select(sa.func.count()).where(RoleGrant.role == "store_manager")
        assert s.scalar(managers) == 100
        assert s.scalar(sa.select(sa.func.count()).select_from(User)) == 100


def test_closing_ends_what_its_dry_run_lists_and_opening_is_written_down(house, brand):
    store = brand.stores[0]
    office = Scope.operator(brand.id, SYSTEM)
    node = operate.node_at(house, f"{brand.slug}/store/{store.slug}")
    from highstreet_tenants.people import keys

    with house.tenancy.session(office, write=True) as s:
        keys.create_key(s, node, "Till", ["till.read"], by=None, catalogue=Catalogue())
    with house.tenancy.session(office, write=True) as s:
        dry = closing.close(s, store.slug, dry_run=True)
    with house.tenancy.session(office) as s:
        assert s.get_one(Store, (brand.id, store.id)).status == "open"
        assert not reading.page(s, Wanted(action="store.closed"))
    with house.tenancy.session(office, write=True) as s:
        assert closing.close(s, store.slug) == dry == closing.Closing(1, 0, 0)
    with house.tenancy.session(office, write=True) as s, pytest.raises(Conflict):
        closing.close(s, store.slug)
    with house.tenancy.session(office, write=True) as s:
        closing.reopen(s, store.slug)
        assert [e.action for e in reading.page(s, Wanted(object=store.slug.title()))] == []
        found = reading.page(s, Wanted(object=str(store.id)))
        assert [e.action for e in found] == ["store.reopened", "store.closed"]
    with (
        house.tenancy.session(Scope.store(brand.id, store.id), write=True) as s,
        pytest.raises(Forbidden),
    ):
        closing.close(s, store.slug)
