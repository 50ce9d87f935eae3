"""What it publishes of customers by name."""

from __future__ import annotations

from collections.abc import Iterator

from highstreet.customers import published
from highstreet.kit.bench import Bench
from highstreet.kit.check import Finding, check
from highstreet.kit.checks.leaks import others, shared
from highstreet.kit.subject import place_of


@check("fields-values")
def fields_values(bench: Bench) -> Iterator[Finding]:
    """Each field gives one value of its kind for a customer, and none for another store's."""
    names = [one.name for one in bench.tool.plugin.fields]
    if not names:
        return
    for life in bench.lives.values():
        strangers = [
            person.id
            for shop in others(bench, life.shop)
            if not shared(life.shop, shop, "customer")
            for person in bench.lives[shop.slug].people
        ]
        with life.shop.session() as s:
            found = published.read(s, names, [*(one.id for one in life.people), *strangers])
        for customer_id in strangers:
            for name in found.get(customer_id, {}):
                yield Finding(
                    f"The field {name} gives, in {life.shop.slug}, a value for another store's"
                    " customer.",
                    "Read the tool's own tables by a SELECT that ctx.s can hold to the scope.",
                    place_of(next(o for o in bench.tool.plugin.fields if o.name == name).query),
                )
    yield from bench.faults()
