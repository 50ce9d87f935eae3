"""Whose rows are whose, and that nobody else's were touched."""

from collections.abc import Iterator
from uuid import UUID

from highstreet.kit import marks
from highstreet.kit.rows import Row, changed, everything, fingerprint
from probe.world import Site, World


def users_of(rows: list[Row]) -> dict[UUID, set[tuple[UUID, UUID]]]:
    """Where each person holds a role: (brand, node)."""
    held: dict[UUID, set[tuple[UUID, UUID]]] = {}
    for row in rows:
        if row.table == "core_role_grant":
            place = (row.values["brand_id"], row.values["node_id"])
            held.setdefault(row.values["user_id"], set()).add(place)
    return held


def of(rows: list[Row], sites: list[Site]) -> Iterator[Row]:
    """The rows that belong to some sites: a store's own, a head office's brand-wide ones.

    A person belongs to where they hold roles, a link or device to its person.
    """
    stores = {site.store.id: site.brand.id for site in sites if site.store is not None}
    brands = {site.brand.id for site in sites if site.store is None}
    held = users_of(rows)
    # A person's grants need not be in `rows` any more, so users are told by the site's own list.
    people = {user for site in sites for user in site.ids.get("user", ())}
    people |= {
        user for user, places in held.items() if any(b in brands or n in stores for b, n in places)
    }
    for row in rows:
        node = row.values.get("node_id")
        node = node if stores.get(node) == row.brand else None
        if row.table == "core_user":
            mine = row.values["id"] in people
        elif row.table in ("core_user_session", "core_one_time_link") and row.brand is None:
            mine = row.values["user_id"] in people
        elif row.store is not None or node is not None:
            mine = (row.store or node) in stores
        else:
            mine = row.brand in brands
        if mine:
            yield row


class Untouched:
    """`with Untouched(world, sites, findings, what):` notes every table in which rows of these
    sites were changed meanwhile. learns: also those in which a row of somebody else bears one of
    their marks that it did not bear before: it was read here and written there.
    """

    def __init__(
        self,
        world: World,
        sites: list[Site],
        findings: list[str],
        what: str,
        *,
        learns: bool = False,
    ) -> None:
        self._world, self._sites = world, sites
        self._findings, self._what = findings, what
        self._learns = learns
        self._before: dict[str, tuple[int, str]] = {}
        self._known: set[tuple[str, marks.Mark]] = set()

    def _look(self) -> tuple[dict[str, tuple[int, str]], set[tuple[str, marks.Mark]]]:
        found = everything(self._world.database)
        theirs = list(of(found, self._sites))
        known: set[tuple[str, marks.Mark]] = set()
        if self._learns:
            secrets = marks.all_of(site.owner for site in self._sites)
            same = {id(row) for row in theirs}
            for row in found:
                if id(row) not in same:
                    known |= {(row.table, mark) for mark in marks.found(row.text) & secrets}
        return fingerprint(iter(theirs)), known

    def __enter__(self) -> None:
        self._before, self._known = self._look()

    def __exit__(self, kind: object, *_rest: object) -> None:
        if kind is not None:
            return
        after, known = self._look()
        for name in changed(self._before, after):
            owners = ", ".join(site.owner for site in self._sites)
            self._findings.append(f"{self._what} changed rows of {owners} in {name}")
        for name, mark in sorted(known - self._known):
            self._findings.append(f"{self._what} wrote {mark} into somebody else's {name}")
