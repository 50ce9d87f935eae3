"""Whose a customer is, and where: owner and realm of a row, and a store's facts for the till."""

from uuid import UUID

from babel import Locale, UnknownLocaleError
from msgspec import Struct

from highstreet.host import state
from highstreet.host.kept import Kept
from highstreet.i18n import gettext as _
from highstreet_tenants.errors import Invalid, NotFound
from highstreet_tenants.sessions import ScopedSession
from highstreet_tenants.statements import Statement


class Place(Struct, frozen=True):
    """A store's facts: IANA zone, ISO 4217 currency, locale, ISO 3166 country if known."""

    id: UUID
    code: str
    name: str
    zone: str
    currency: str
    locale: str
    country: str | None
    owner_id: UUID | None


class Realm(Struct, frozen=True):
    """Where a customer's keys are unique. `id` is the brand's or the store's, `store_id` the
    owner that each of the customer's rows carries (None: the brand's)."""

    id: UUID
    store_id: UUID | None


_STORE = Statement(
    "SELECT t.id, t.code, t.name, t.zone, t.currency, t.locale, t.address, t.owner_id"
    " FROM core_store AS t WHERE t.brand_id = :brand_id AND t.id = :id",
    returns="row",
    types={"id": UUID, "address": dict, "owner_id": UUID},
)
_BRAND_LOCALE = Statement(
    "SELECT b.locale FROM core_brand AS b WHERE b.id = :brand_id", returns="value"
)
# Stale as soon as the brand's state_version moves on, so changing a store must count it up.
_kept: Kept[Place] = Kept(50_000)


def place(s: ScopedSession, store_id: UUID) -> Place:
    """The store's facts. Raises NotFound for a store that the scope does not reach."""
    scope = s.scope
    if scope.store_id is not None and store_id != scope.store_id:
        raise _no_store()
    key = (scope.brand_id, store_id)
    found = None if state.changed_here(s) else _kept.get(key, s.state_version)
    if found is None:
        row = _STORE(s, id=store_id)
        if row is None:
            raise _no_store()
        id_, code, name, zone, currency, locale, address, owner_id = row
        country = country_of(address, locale)
        found = Place(id_, code, name, zone, currency, locale, country, owner_id)
        if not state.changed_here(s):  # what this session changed may yet be rolled back
            _kept.put(key, s.state_version, found)
    return found


def _no_store() -> NotFound:
    return NotFound(_("There is no such store in this brand. Check its number."))


def country_of(address: dict[str, object] | None, locale: str) -> str | None:
    """A store's country (ISO 3166 alpha-2): of its address, else of its locale, else None."""
    given = (address or {}).get("country") or (address or {}).get("country_code")
    if isinstance(given, str) and len(given) == 2:
        return given.upper()
    try:
        territory: str | None = Locale.parse(locale.replace("-", "_")).territory
    except (UnknownLocaleError, ValueError):
        return None
    return territory


def realm(s: ScopedSession, store_id: UUID | None = None) -> Realm:
    """The realm of customers at `store_id`, or at the scope's own store.

    Raises Invalid where each store owns its customers and no store is named.
    """
    if s.customers == "brand":
        return Realm(s.scope.brand_id, None)
    owner = store_id or s.scope.store_id
    if owner is None:
        raise Invalid(
            _("In this brand each store keeps its own customers. Say which store you mean.")
        )
    if s.scope.store_id is not None and owner != s.scope.store_id:
        raise _no_store()
    return Realm(owner, owner)


def region(s: ScopedSession, store_id: UUID | None = None) -> str | None:
    """The country whose way of dialling applies: the store's, else the brand's, if known."""
    at = store_id or s.scope.store_id
    return place(s, at).country if at is not None else country_of(None, _BRAND_LOCALE(s))
