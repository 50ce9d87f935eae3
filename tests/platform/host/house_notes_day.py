"""A day of a shop that installed house notes; run in an interpreter of its own by the test.

It prints one JSON object: what a person would have seen.
"""

import json
import sys
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from highstreet.app import create_app
from highstreet.customers import service as customers
from highstreet.host import policy, settings, state
from highstreet.kit.brands import make_brand
from highstreet_migrations import runner
from highstreet_tenants.models import Brand, Store
from highstreet_tenants.people.tree import Node
from highstreet_tenants.scopes import Scope
from people_site import Site


def day(folder: Path) -> dict[str, Any]:
    """Install, migrate, switch on, enrol, read, switch off, uninstall."""
    app = create_app(
        {
            "instance": str(folder),
            "secret_key": "for tests only",
            "password_hasher": "cheap",
            "testing": True,
        }
    )
    site = Site(app)
    house = site.house
    seen: dict[str, Any] = {
        "quarantined": {n: str(q) for n, q in house.host.quarantined.items()},
        "distribution": house.host.plugins["house_notes"].distribution,
        "from": sys.modules["highstreet_house_notes"].__file__,
        "moved": [line for line in house.migrate() if line.startswith("house_notes")],
        "again": house.migrate(),
    }
    with house.engine.connect() as connection:
        mine = [h for h in house.histories if h.name == "house_notes"]
        seen["differences"] = [
            str(d) for h in mine for d in runner.differences(connection, h, house.histories)
        ]
    brand = make_brand(house.tenancy, "corner", "store", stores=2)
    here, there = brand.stores
    with house.tenancy.session(Scope.operator(brand.id)) as s:
        node = Node.of(s.get_one(Brand, brand.id), s.get_one(Store, (brand.id, here.id)))
    clerk = site.browser(site.person("clara", ("till_staff", node)))
    page = f"/store/corner/{here.slug}/t/house_notes/"

    def enrol(store: Any, name: str) -> None:
        with house.tenancy.session(Scope.store(brand.id, store.id), write=True) as s:
            customers.enrol(s, name=name)

    enrol(here, "Before it was on")
    answer = clerk.get(page)
    seen["off"] = [answer.status_code, "Off. Each store may switch it on." in answer.text]
    with house.tenancy.session(Scope.store(brand.id, here.id), write=True) as s:
        policy.choose(s, "house_notes", True)
        settings.put(s, "house_notes", {"welcome": "Say hello <b>"})
    enrol(here, "Ann")
    enrol(there, "Bob, where it is off")
    answer = clerk.get(page)
    seen["on"] = [answer.status_code, answer.text.count("Say hello &lt;b&gt;")]
    seen["nav"] = f'href="{page}"' in answer.text
    seen["stranger"] = site.browser().get(page).status_code
    with house.tenancy.session(Scope.store(brand.id, here.id), write=True) as s:
        policy.choose(s, "house_notes", False)
        seen["state"] = state.explain(s, "house_notes").state
    seen["off_again"] = clerk.get(page).status_code
    runner.downgrade(house.config["owner_database_url"], mine[0], house.histories)
    with house.engine.connect() as connection:
        names = sa.inspect(connection).get_table_names()
    seen["left"] = [name for name in names if name.startswith("house_notes")]
    return seen


if __name__ == "__main__":
    print(json.dumps(day(Path(sys.argv[1]))))
