"""Cuts the small extract of real purchases in ``data/`` out of the whole Complete Journey.

Run it on the folder that holds the original files::

    python -m highstreet.demo.extract /path/to/complete_journey

It takes the thirty-six busiest stores and deals them to the three demo brands, twelve each. The
brand whose customers belong to the whole chain gets the stores that share the most households,
because a club that is good in every store shows nothing where nobody shops in two. From each
brand's stores it keeps the *whole year* of some households, chosen by a hash of their number, so
that visits, gaps and returns stay what they were. Households seen more often than
:data:`MOST_BASKETS` times are left out: a few daily shoppers would fill the extract.

The result is the same on every run and on every machine, to the byte.
"""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from decimal import Decimal
from itertools import combinations
from pathlib import Path
from zlib import crc32

from highstreet.demo import history
from highstreet.demo.files import read, write

SHARED = "car-parts"
"""The blueprint whose customers use several stores."""

OTHERS = ("sandwich", "video")
STORES_PER_BRAND = 12
BASKETS_PER_BRAND = 3_334
MOST_BASKETS = 45

DATA = Path(__file__).parent / "data"


def deal(visits: dict[str, Counter[str]]) -> dict[str, str]:
    """Give each of the busiest stores to a brand: ``{store: brand}``.

    ``visits`` holds for each store how often each household came.
    """
    wanted = STORES_PER_BRAND * (1 + len(OTHERS))
    busiest = sorted(visits, key=lambda store: (-visits[store].total(), store))[:wanted]
    homes = {store: set(visits[store]) for store in busiest}

    def together(a: str, b: str) -> int:
        return len(homes[a] & homes[b])

    chain = list(max(combinations(busiest, 2), key=lambda pair: together(*pair)))
    while len(chain) < STORES_PER_BRAND:
        rest = [store for store in busiest if store not in chain]
        chain.append(max(rest, key=lambda store: sum(together(store, mine) for mine in chain)))
    brands = dict.fromkeys(chain, SHARED)
    for place, store in enumerate(store for store in busiest if store not in brands):
        brands[store] = OTHERS[place % len(OTHERS)]
    return brands


def households(visits: dict[str, Counter[str]], brands: dict[str, str]) -> dict[str, set[str]]:
    """Choose for each brand the households whose baskets are kept."""
    seen: dict[str, Counter[str]] = defaultdict(Counter)
    for store, brand in brands.items():
        seen[brand].update(visits[store])
    chosen: dict[str, set[str]] = {}
    for brand, counts in seen.items():
        kept, total = set(), 0
        for home in sorted(counts, key=lambda home: (crc32(home.encode()), home)):
            if total >= BASKETS_PER_BRAND:
                break
            if counts[home] <= MOST_BASKETS:
                kept.add(home)
                total += counts[home]
        chosen[brand] = kept
    return chosen


def cents(dollars: str) -> int:
    """Dollars and cents as written in the original, in cents."""
    return int(Decimal(dollars) * 100)


def by_brand(dealt: tuple[str, str]) -> tuple[str, int]:
    """How (store, brand) pairs are sorted."""
    return dealt[1], int(dealt[0])


def extract(original: Path, target: Path = DATA) -> dict[str, int]:
    """Make the four files of the extract out of the folder ``original``; returns their rows."""
    baskets = list(read(original / "baskets.csv.gz"))
    visits: dict[str, Counter[str]] = defaultdict(Counter)
    for row in baskets:
        visits[row["store_id"]][row["household_id"]] += 1
    brands = deal(visits)
    homes = households(visits, brands)
    kept = [
        row
        for row in baskets
        if (brand := brands.get(row["store_id"])) and row["household_id"] in homes[brand]
    ]
    kept.sort(key=lambda row: (row["occurred_at"], int(row["basket_id"])))
    wanted = {row["basket_id"] for row in kept}
    department = {
        row["product_id"]: row["department"] for row in read(original / "products.csv.gz")
    }
    pieces: Counter[tuple[str, str]] = Counter()
    amounts: Counter[tuple[str, str]] = Counter()
    for row in read(original / "lines.csv.gz"):
        if row["basket_id"] in wanted:
            key = row["basket_id"], department.get(row["product_id"], "MISCELLANEOUS")
            pieces[key] += 1
            amounts[key] += cents(row["sales_value"])
    target.mkdir(parents=True, exist_ok=True)
    mailed = list(history.pieces(original, homes[SHARED]))
    dealt = sorted(brands.items(), key=by_brand)
    return {
        "stores": write(
            target / "stores.csv.gz",
            ("store_id", "brand"),
            dealt,
        ),
        "baskets": write(
            target / "baskets.csv.gz",
            ("basket_id", "household_id", "store_id", "occurred_at", "sales_minor"),
            (
                (
                    row["basket_id"],
                    row["household_id"],
                    row["store_id"],
                    row["occurred_at"],
                    cents(row["sales_value"]),
                )
                for row in kept
            ),
        ),
        "mailed": write(target / "mailed.csv.gz", mailed[0], mailed[1:]),
        "departments": write(
            target / "departments.csv.gz",
            ("basket_id", "department", "lines", "amount_minor"),
            (
                (basket, name, pieces[basket, name], amounts[basket, name])
                for basket, name in sorted(amounts, key=lambda key: (int(key[0]), key[1]))
            ),
        ),
    }


if __name__ == "__main__":
    for name, rows in extract(Path(sys.argv[1])).items():
        print(f"{name}: {rows:,} rows")
