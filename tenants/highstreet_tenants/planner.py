"""What SQLite's planner has to know of our tables, put there by hand.

It takes it that the first column of an index leaves ten rows. With us that is `brand_id`, which
leaves them all: to spare itself a sort it walked through every customer of the brand for one card.
PostgreSQL counts for itself. Whoever runs ANALYZE on SQLite puts counted numbers in the place of
these, and they stay.
"""

import sqlalchemy as sa

_ROWS = 1_000_000
#: Columns that leave many rows: a store's, a state's.
_WIDE = frozenset({"store_id", "home_store_id", "realm_id", "region_id", "kind", "status"})


def apply(connection: sa.Connection) -> None:
    """Tell SQLite of each index that begins with a brand and of which it knows nothing yet."""
    if connection.dialect.name != "sqlite":
        return
    run = connection.exec_driver_sql
    run("ANALYZE core_brand")  # a small table; it makes `sqlite_stat1`, which can't be made
    unknown = run(
        'SELECT i.name, i.tbl_name, l."unique", i.sql FROM sqlite_schema AS i'
        " JOIN pragma_index_list(i.tbl_name) AS l ON l.name = i.name WHERE i.type = 'index'"
        " AND i.name NOT IN (SELECT s.idx FROM sqlite_stat1 AS s WHERE s.idx IS NOT NULL)"
    ).all()
    for index, table, unique, sql in unknown:
        columns = [row[0] for row in run("SELECT name FROM pragma_index_info(?)", (index,))]
        if columns[0] == "brand_id":
            _on, partial, when = (sql or "").partition(" WHERE ")
            conditions = 1 + when.count(" AND ") if partial else 0
            hint = " ".join(map(str, numbers(columns, bool(unique), conditions)))
            run("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (?, ?, ?)", (table, index, hint))
    run("ANALYZE sqlite_schema")  # read it again


def numbers(columns: list[str], unique: bool, conditions: int) -> list[int]:
    """Rows of the index, then how many are left once its first column is known, its first two, …

    conditions: how many a row meets to be in it (a partial index). As `sqlite_stat1` wants them (https://sqlite.org/fileformat2.html#stat1tab).
    """
    rows = left = _ROWS // 10**conditions
    found = [rows]
    for column in columns:
        if column == "brand_id":
            left = rows // 4  # less than all, or the table itself would be read
        elif column in _WIDE:
            left = max(left // 100, 10)
        else:
            left = min(left, 10)
        found.append(left)
    if unique:
        found[-1] = 1
    return found
