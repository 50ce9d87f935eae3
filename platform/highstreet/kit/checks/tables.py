"""Its tables: made by migrations, taken away again, and holding what they say they hold."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import sqlalchemy as sa

from highstreet.host.spec import Hook
from highstreet.kit.bench import Bench, customer_columns
from highstreet.kit.check import Finding, check
from highstreet.kit.checks.manifest import set_aside
from highstreet.kit.subject import Subject
from highstreet_migrations import runner
from highstreet_migrations.histories import History

#: What a tool that keeps rows about people answers.
PERSONAL = ("export_customer", "erase_customer", "customers_merged", "customers_unmerged")


@check("tables-migrations", needs="files")
def tables_have_migrations(subject: Subject) -> Iterator[Finding]:
    """Tables come by migrations."""
    mend = 'Plugin(migrations="the_package.migrations"), with a first revision that makes them.'
    yield from set_aside(subject, "tables-migrations", mend)


def _history(bench: Bench) -> History | None:
    house = bench.app.extensions["highstreet"]
    return next((one for one in house.histories if one.name == bench.tool.name), None)


def _differences(bench: Bench, history: History) -> list[Any]:
    house = bench.app.extensions["highstreet"]
    with bench.database.owner.connect() as connection:
        return runner.differences(connection, history, house.histories)


def _differs(
    bench: Bench, history: History, when: str, but: Collection[str] = ()
) -> Iterator[Finding]:
    for one in _differences(bench, history):
        if _shown(one) in but:
            continue
        named = next((t for t in sorted(bench.tool.tables) if t in repr(one)), "")
        yield Finding(
            f"{when} the tables are not those of the models: {_shown(one)}",
            "Write a further migration that makes up the difference (a first one that nobody has"
            " run yet may be changed instead).",
            bench.place_of_table(named) if named else "",
        )


def _shown(difference: Any) -> str:
    """An Alembic operation in few words."""
    flat: list[Any] = list(difference) if isinstance(difference, tuple) else [difference]
    while flat and isinstance(flat[0], list | tuple):
        flat = [*flat[0], *flat[1:]]
    return ", ".join(str(one) for one in flat if one is not None)[:300]


@check("tables-migrated")
def tables_migrated(bench: Bench) -> Iterator[Finding]:
    """The migrations make the very tables that the models declare."""
    history = _history(bench)
    if history is not None:
        yield from _differs(bench, history, "After `highstreet migrate`")


def migration_failed(subject: Subject, why: str) -> Finding:
    """What is said of a tool without tables: nothing else can be asked of it."""
    return Finding(
        f"`highstreet migrate` failed: {why}",
        "Run it on an empty database of each kind until it goes through; upgrade() makes the tables"
        " that the models declare.",
        subject.at("def upgrade", ".py"),
    )


@check("tables-down")
def tables_down(bench: Bench) -> Iterator[Finding]:
    """The migrations go down to nothing, and up again to the same."""
    history = _history(bench)
    if history is None:
        return
    before = {_shown(one) for one in _differences(bench, history)}
    house = bench.app.extensions["highstreet"]
    url = bench.database.extra["owner_url"]
    bench.database.engine.dispose()
    house.engine.dispose()
    where = bench.subject.at("def downgrade", ".py")
    try:
        try:
            runner.downgrade(url, history, house.histories)
        except Exception as error:
            yield Finding(
                f"Going down raised {type(error).__name__}: {getattr(error, 'orig', error)}",
                "downgrade() undoes what upgrade() did, in the opposite order.",
                bench.subject.blame(error.__traceback__) or where,
            )
        left = [
            name
            for name in sa.inspect(bench.database.owner).get_table_names()
            if name in bench.tool.tables
        ]
        for name in left:
            yield Finding(
                f"The table {name} is still there after going down: uninstalling leaves it behind.",
                f'op.drop_table("{name}") in downgrade().',
                where,
            )
    finally:
        _start_over(bench, history)
    yield from _differs(bench, history, "After going down and up again", before)


def _start_over(bench: Bench, history: History) -> None:
    """Whatever downgrade() left, the next check finds tables as they should be."""
    owner, names = bench.database.owner, [history.version_table]
    there = set(sa.inspect(owner).get_table_names())
    names += [t.name for t in reversed(bench.tables()) if t.name in there]
    with owner.begin() as connection:
        cascade = " CASCADE" if bench.database.kind == "postgresql" else ""
        for name in names:
            connection.exec_driver_sql(f"DROP TABLE IF EXISTS {name}{cascade}")
    bench.app.extensions["highstreet"].migrate()


@check("tables-personal", needs="tool")
def tables_personal(bench: Bench) -> Iterator[Finding]:
    """Rows about people are marked as such, and point at their customer by a foreign key."""
    for table in bench.tables():
        columns = customer_columns(table)
        if columns and "store_id" in table.c and not table.info.get("personal", True):
            yield Finding(
                f"{table.name} names customers, and says that it does not ({', '.join(columns)}):"
                " head office would see every store's.",
                "Leave out __personal__ = False.",
                bench.place_of_table(table.name),
            )
        loose = [
            c.name for c in table.c if c.name.endswith("customer_id") and c.name not in columns
        ]
        if loose and not columns:
            yield Finding(
                f"{table.name}.{loose[0]} points at a customer without a foreign key.",
                f'brand_fk("{loose[0]}", "core_customer") in __constraints__, and a migration.',
                bench.place_of_table(table.name),
            )


@check("tables-people", needs="tool")
def tables_people(bench: Bench) -> Iterator[Finding]:
    """Whoever keeps rows about people shows, forgets, merges and parts them."""
    about = [table.name for table in bench.tables() if customer_columns(table)]
    answered = {hook.name for hook in bench.hooks()}
    for name in PERSONAL:
        if about and name not in answered:
            hook: Hook = bench.host.hooks[name]
            yield Finding(
                f"It keeps rows about people ({', '.join(about)}) and does not answer {name}.",
                f"Answer it: {hook.doc.splitlines()[0]}",
                bench.place_of_table(about[0]),
            )


@check("tables-filled")
def tables_filled(bench: Bench) -> Iterator[Finding]:
    """The kit sees rows about people: what is never filled here could leak unseen."""
    assert bench.lives
    there = {row.table for row in bench.rows()}
    for table in bench.tables():
        if customer_columns(table) and table.name not in there:
            yield Finding(
                f"Nothing that the kit does (joining, buying, bringing back) fills {table.name}.",
                "Give the kit a hand: `highstreet_fill = package.module:function` in pytest's"
                " settings names a function that gets the town and lets members use the tool.",
                bench.place_of_table(table.name),
            )
