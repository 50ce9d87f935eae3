"""People of two brands: whoever a test needs, with the roles it names."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from msgspec.structs import replace

from highstreet_tenants.models import Brand
from highstreet_tenants.people import accounts, roles
from highstreet_tenants.people.held import grants_of
from highstreet_tenants.people.logins import Person, Visit, find_person, start_session
from highstreet_tenants.people.passwords import Passwords
from highstreet_tenants.people.permissions import Catalogue
from highstreet_tenants.people.tree import Node
from highstreet_tenants.scopes import Scope

VISIT = Visit(address="192.0.2.7", agent="Test browser")

Nodes = Callable[..., Node]
MakePerson = Callable[..., Person]


@pytest.fixture(scope="session")
def hasher() -> Passwords:
    """Cheap hashes: a test is about who gets in, not about argon2's cost."""
    return Passwords("cheap")


@pytest.fixture
def catalogue() -> Catalogue:
    """The core's permissions."""
    return Catalogue()


@pytest.fixture
def tenancy(database):
    """The database's tenancy."""
    return database.tenancy


@pytest.fixture
def node() -> Nodes:
    """node(brand), node(brand, store=1), node(brand, owner=2), node(brand, region=True)."""

    def make(
        brand: SimpleNamespace,
        *,
        store: int | None = None,
        owner: int | None = None,
        region: bool = False,
    ) -> Node:
        row: Brand = brand.row
        if store is not None:
            it = brand.stores[store - 1]
            return Node(row.id, row.customers, brand.region_id, it.owner_id, it.id)
        if owner is not None:
            return Node(row.id, row.customers, owner_id=brand.stores[owner - 1].owner_id)
        if region:
            return Node(row.id, row.customers, region_id=brand.region_id)
        return Node(row.id, row.customers)

    return make


@pytest.fixture
def make_person(tenancy, catalogue, hasher) -> MakePerson:
    """make_person("ann", ("store_owner", node), …, password="…") → signed in."""

    def make(name: str, *held: tuple[str, Node], password: str | None = "correct horse") -> Person:
        with tenancy.control(write=True) as s:
            user = accounts.create_user(s, f"{name}@people.example", name.title())
            user.password_hash = hasher.hash(password) if password else None
        for role, at in held:
            with tenancy.session(Scope.operator(at.brand_id), write=True) as s:
                roles.grant(s, user.id, role, at, by=None, catalogue=catalogue)
        with tenancy.control(write=True) as s:
            token = start_session(s, user, VISIT).token
        with tenancy.control() as s:
            person = find_person(s, token)
        assert person is not None
        return person

    return make


@pytest.fixture
def reload(tenancy) -> Callable[[Person], Person]:
    """The person with the roles they hold now."""

    def load(person: Person) -> Person:
        with tenancy.control() as s:
            return replace(person, grants=grants_of(s, person.id))

    return load
