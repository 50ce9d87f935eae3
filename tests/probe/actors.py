"""Who walks the house, and what they may see there."""

from dataclasses import dataclass

from highstreet.kit import marks
from probe.world import Site, World


@dataclass(frozen=True)
class Actor:
    """Who walks. home: where they belong; places: where they have a role; visible: marks that they
    may read. kind: "user", "key", "member" or "nobody". login: as whom a user signs in (a key of
    World.emails), their home's unless given. by_pin: at a till, by nothing but a PIN. device:
    what they hold is the store's till, locked.
    """

    name: str
    kind: str
    home: Site
    places: tuple[Site, ...]
    visible: frozenset[marks.Mark]
    login: str = ""
    by_pin: bool = False
    device: bool = False

    @property
    def owners(self) -> frozenset[str]:
        """Owners whose people they may meet."""
        return frozenset(mark.owner for mark in self.visible if mark.kind == "folk")


def actors(world: World) -> dict[str, Actor]:
    """Everybody who walks: an owner, a till and a member of the first store of each brand, whoever
    unlocked its till by a PIN or looks after its region, each head office, and nobody.
    """
    found = {}
    for slug in ("harbour", "quarry"):
        office, shop = world.sites[slug], world.sites[f"{slug}-1"]
        stores = tuple(s for s in world.sites.values() if s.brand is office.brand and s.store)
        own = marks.all_of({slug, shop.owner})
        own_firms = marks.all_of({slug, shop.owner}, {"firm"})
        firms = marks.all_of({slug, *(s.owner for s in stores)}, {"firm"})
        # Of people a region's manager meets those of the brand's club only, in the region's stores.
        away = own if office.brand.customers == "brand" else own_firms
        club = marks.all_of({slug, *(s.owner for s in stores)})
        seen = club if office.brand.customers == "brand" else firms
        for one in (
            Actor(f"owner of {shop.owner}", "user", shop, (shop,), own),
            Actor(f"till of {shop.owner}", "key", shop, (), own),
            # A member reads what shops say of themselves, and of people only about themselves.
            Actor(f"member of {shop.owner}", "member", shop, (), firms),
            Actor(f"PIN at {shop.owner}", "user", shop, (shop,), own, by_pin=True),
            # It says where it stands, as its screen does to whoever passes by.
            Actor(f"locked till of {shop.owner}", "nobody", shop, (), own_firms, device=True),
            Actor(f"region of {slug}", "user", shop, (shop,), away, f"region of {slug}"),
            Actor(f"head office of {slug}", "user", office, (office, *stores), seen),
        ):
            found[one.name] = one
    found["nobody"] = Actor("nobody", "nobody", world.sites["harbour-1"], (), frozenset())
    return found


#: Who walks on SQLite, where no third wall stands behind the first two.
ALL = (
    "owner of {0}-1",
    "PIN at {0}-1",
    "till of {0}-1",
    "locked till of {0}-1",
    "member of {0}-1",
    "region of {0}",
    "head office of {0}",
)
#: Who walks in a club on SQLite: a PIN and a lock are the same in either house.
CLUB = tuple(name for name in ALL if name not in ("PIN at {0}-1", "locked till of {0}-1"))
#: Who walks on PostgreSQL, where some statements are written differently: a till in either brand,
#: and the one who may do most in a store, where stores keep their customers from one another.
FEW = {"harbour": ("till of {0}-1",), "quarry": ("owner of {0}-1", "till of {0}-1")}


def walkers(brand: str) -> list[tuple[str, str]]:
    """(kind of database, name) of those of a brand who walk; nobody walks with the stores."""
    names = [*ALL, "nobody"] if brand == "quarry" else CLUB
    return [
        *(("sqlite", name.format(brand)) for name in names),
        *(("postgresql", name.format(brand)) for name in FEW[brand]),
    ]
