"""A blueprint makes a brand so, once, all or nothing, and says what it changed."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from highstreet.blueprints.apply import apply
from highstreet.blueprints.changes import Outcome
from highstreet.customers import service
from highstreet.host import Host, settings, state
from highstreet.kit.databases import Database
from highstreet.purchases import service as purchases
from highstreet.purchases.facts import PurchaseIn
from highstreet_tenants.errors import Conflict, Invalid
from highstreet_tenants.models import Brand, Store
from highstreet_tenants.people import accounts
from highstreet_tenants.people.held import grants_of
from highstreet_tenants.scopes import Scope
from highstreet_tenants.sessions import ScopedSession

GOOD = """
[brand]
slug = "harbour-bakery"
name = "Harbour Bakery"
currency = "GBP"
locale = "en_GB"
zone = "Europe/London"
customers = "brand"

[[regions]]
slug = "coast"
name = "Coast"

[[owners]]
slug = "finch"
name = "Finch & Sons"

[[stores]]
slug = "quay"
code = "1"
name = "The Quay"
region = "coast"
owner = "finch"
opened_on = 2015-06-01

[[stores]]
slug = "hill"
code = "2"
name = "The Hill"

[[users]]
email = "mo@bakery.example.org"
name = "Mo Finch"
roles = [{ role = "store_owner", owner = "finch" }]

[[fields]]
key = "bread"
label = "Favourite bread"

[tools.points_club]
policy = "optional"
regions = { coast = "restricted" }
on = ["quay", "hill"]
approved = ["quay"]
lock = ["pending_days"]

[tools.points_club.settings]
pending_days = 3
unit_one = "crumb"

[[tools.points_club.overrides]]
store = "hill"
settings = { unit_one = "slice" }
"""

Write = Callable[..., Path]


def brand_id(database: Database) -> object:
    with database.tenancy.control() as s:
        return s.scalar(sa.select(Brand.id).where(Brand.slug == "harbour-bakery"))


def operator(database: Database, *, write: bool = False) -> object:
    return database.tenancy.session(Scope.operator(brand_id(database)), write=write)  # type: ignore[arg-type]


def store(s: ScopedSession, slug: str) -> Store:
    return s.scalars(sa.select(Store).where(Store.slug == slug)).one()


def run(database: Database, host: Host, path: Path, *, dry_run: bool = False) -> Outcome:
    return apply(database.tenancy, host, path, dry_run=dry_run)


def test_a_brand_is_made_and_a_second_time_there_is_nothing_to_change(
    database: Database, host: Host, write: Write
) -> None:
    path = write(GOOD)
    made = run(database, host, path)
    assert {change.action for change in made.changes} == {"add"}
    assert [change.what for change in made.changes[:5]] == [
        "brand",
        "region",
        "owner",
        "store",
        "store",
    ]
    with operator(database) as s:  # type: ignore[attr-defined]
        quay, hill = store(s, "quay"), store(s, "hill")
        assert state.is_on(s, "points_club", quay.id)
        assert state.is_on(s, "points_club", hill.id)
        assert settings.resolve(s, "points_club", quay.id)["unit_one"] == "crumb"
        assert settings.resolve(s, "points_club", hill.id)["unit_one"] == "slice"
        assert settings.resolve(s, "points_club", hill.id).provenance["pending_days"].locked
        user = accounts.find_user(s, "mo@bakery.example.org")
        assert [grant.role for grant in grants_of(s, user.id)] == ["store_owner"]
        version = s.state_version
    again = run(database, host, path)
    assert again.changes == []
    with operator(database) as s:  # type: ignore[attr-defined]
        assert s.state_version == version


def test_what_differs_is_changed_and_told(database: Database, host: Host, write: Write) -> None:
    run(database, host, write(GOOD))
    changed = (
        GOOD.replace('name = "The Quay"', 'name = "The Old Quay"')
        .replace('name = "The Hill"', 'name = "The Hill"\nregion = "coast"')
        .replace('policy = "optional"', 'policy = "default_on"')
        .replace("pending_days = 3", "pending_days = 5")
        .replace('on = ["quay", "hill"]', 'on = ["quay"]\noff = ["hill"]')
        .replace('key = "bread"\nlabel = "Favourite bread"', 'key = "bread"\nlabel = "Bread"')
    )
    told = [str(change) for change in run(database, host, write(changed)).changes]
    assert told == [
        "~ store quay (name: The Quay → The Old Quay)",
        "~ store hill (region: — → coast)",
        "~ field bread (label: Favourite bread → Bread)",
        "~ policy points_club at brand (level: optional → default_on)",
        "~ choice points_club in hill (wanted: on → off)",
        "~ setting points_club pending_days at brand (value: 3 → 5)",
    ]
    assert run(database, host, write(changed)).changes == []


@pytest.mark.parametrize("there", [False, True])
def test_a_dry_run_says_the_same_and_writes_nothing(
    database: Database, host: Host, write: Write, there: bool
) -> None:
    path = write(GOOD)
    if there:
        run(database, host, path)
        path = write(GOOD.replace("The Quay", "The Old Quay"))
    dry = run(database, host, path, dry_run=True)
    if not there:
        assert brand_id(database) is None
    assert run(database, host, path).changes == dry.changes


def test_what_is_not_in_the_blueprint_stays_and_is_named(
    database: Database, host: Host, write: Write
) -> None:
    run(database, host, write(GOOD))
    less = GOOD.replace(', "hill"', "").replace(
        '[[stores]]\nslug = "hill"\ncode = "2"\nname = "The Hill"\n', ""
    )
    less = less[: less.index("[[tools.points_club.overrides]]")]
    outcome = run(database, host, write(less))
    assert outcome.changes == []
    assert outcome.left == ["store hill"]


def test_all_or_nothing(database: Database, host: Host, write: Write) -> None:
    bad = GOOD.replace("pending_days = 3", "pending_days = -3")
    with pytest.raises(Invalid, match=r"brand\.toml:\d+: tools\.points_club\.settings") as raised:
        run(database, host, write(bad))
    assert "pending_days" in raised.value.fields
    assert brand_id(database) is None
    run(database, host, write(GOOD))
    with pytest.raises(Invalid):
        run(database, host, write(bad.replace("The Quay", "The Old Quay")))
    with operator(database) as s:  # type: ignore[attr-defined]
        assert store(s, "quay").name == "The Quay"


def test_unknown_settings_are_told_with_their_line(
    database: Database, host: Host, write: Write
) -> None:
    bad = GOOD.replace('settings = { unit_one = "slice" }', 'settings = { unit_won = "slice" }')
    with pytest.raises(Invalid, match=r"overrides\[1\].unit_won: There is no such setting"):
        run(database, host, write(bad))


def test_a_locked_setting_is_not_overridden_below(
    database: Database, host: Host, write: Write
) -> None:
    bad = GOOD.replace('{ unit_one = "slice" }', "{ pending_days = 1 }")
    with pytest.raises(Invalid, match="Locked by"):
        run(database, host, write(bad))


def test_who_owns_customers_cannot_change_once_there_are_some(
    database: Database, host: Host, write: Write
) -> None:
    run(database, host, write(GOOD))
    other = write(GOOD.replace('customers = "brand"', 'customers = "store"'))
    assert run(database, host, other).changes
    run(database, host, write(GOOD))
    with operator(database, write=True) as s:  # type: ignore[attr-defined]
        service.enrol(s, name="Ana", store_id=store(s, "quay").id)
    with pytest.raises(Conflict, match="can't change any more"):
        run(database, host, write(GOOD.replace('customers = "brand"', 'customers = "store"')))


@pytest.mark.parametrize("name", ["sandwich_chain", "car_parts_chain", "video_rental"])
def test_the_shipped_blueprints_can_be_applied(database: Database, host: Host, name: str) -> None:
    import highstreet_tenants

    path = Path(highstreet_tenants.__file__).parent / "cases" / f"{name}.toml"
    assert run(database, host, path).changes
    assert run(database, host, path).changes == []


def test_rules_of_a_brand_without_purchases_hold_for_those_imported_later(
    database: Database, host: Host, write: Write
) -> None:
    long_ago, text = datetime(2001, 5, 1, tzinfo=UTC), GOOD
    run(database, host, write(text))
    with operator(database, write=True) as s:  # type: ignore[attr-defined]
        quay = store(s, "quay")
        assert settings.resolve(s, "points_club", quay.id, long_ago)["unit_one"] == "crumb"
        receipt = PurchaseIn(quay.id, "1", long_ago, 500, "GBP")
        purchases.record_batch(s, [receipt])
    assert run(database, host, write(text)).changes == []
    run(database, host, write(text.replace('"crumb"', '"loaf"')))
    with operator(database) as s:  # type: ignore[attr-defined]
        assert settings.resolve(s, "points_club", quay.id)["unit_one"] == "loaf"
        assert settings.resolve(s, "points_club", quay.id, long_ago)["unit_one"] == "crumb"
