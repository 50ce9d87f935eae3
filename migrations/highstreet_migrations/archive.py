"""A tool's rows in files: how they leave with it, and come back. docs/uninstalling.md has the format.

A folder with `manifest.json` and, for head office and each store of each brand, a file of JSON lines
for each table that has rows there. Values are what the database holds, by the kind of their column;
a column that is NULL is left out of its line.
"""

import base64
import gzip
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from msgspec import Struct, field
from msgspec.structs import asdict
from datetime import UTC, date, datetime, time
from decimal import Decimal
from io import TextIOWrapper
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from highstreet_tenants.base import UTCDateTime
from highstreet_tenants.errors import Conflict, Invalid
from highstreet_tenants.words import gettext as _

FORMAT = 1
MANIFEST = "manifest.json"
#: Head office's own rows; a store's slug has no underscore in it.
OFFICE = "_head_office"


class Kind(NamedTuple):
    """How values of one kind of column stand in a file, and in a statement."""

    type: sa.types.TypeEngine[Any]
    write: Callable[[Any], Any]
    read: Callable[[Any], Any]


def _same(value: Any) -> Any:
    return value


def _moment(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


KINDS: Mapping[str, Kind] = {
    "uuid": Kind(sa.Uuid(), str, UUID),
    "moment": Kind(UTCDateTime(), _moment, datetime.fromisoformat),
    "day": Kind(sa.Date(), date.isoformat, date.fromisoformat),
    "time": Kind(sa.Time(), time.isoformat, time.fromisoformat),
    "flag": Kind(sa.Boolean(), _same, _same),
    "whole": Kind(sa.BigInteger(), _same, _same),
    "number": Kind(sa.Float(), _same, _same),
    "decimal": Kind(sa.Numeric(), str, Decimal),
    "text": Kind(sa.Text(), _same, _same),
    "bytes": Kind(
        sa.LargeBinary(), lambda value: base64.b64encode(value).decode(), base64.b64decode
    ),
    # Read as text, for a NULL and a JSON null are two things and SQLAlchemy gives None for both.
    "json": Kind(sa.JSON(none_as_null=True), json.loads, lambda v: sa.JSON.NULL if v is None else v),
}  # fmt: skip

_BY_PYTHON = {
    UUID: "uuid",
    datetime: "moment",
    date: "day",
    time: "time",
    bool: "flag",
    int: "whole",
    float: "number",
    Decimal: "decimal",
    str: "text",
    bytes: "bytes",
}


def kind_of(column: sa.Column[Any]) -> str:
    """The kind of a column, a key of KINDS. Raises Invalid for one that has none."""
    plain: sa.types.TypeEngine[Any] = column.type
    while isinstance(plain, sa.types.TypeDecorator) and not isinstance(plain, UTCDateTime):
        plain = plain.impl_instance  # what is stored, whatever the tool makes of it
    if isinstance(plain, UTCDateTime):
        return "moment"
    if isinstance(plain, sa.JSON):
        return "json"
    if isinstance(plain, sa.Enum) and not plain.native_enum:
        return "text"
    try:
        return _BY_PYTHON[plain.python_type]
    except (KeyError, NotImplementedError):
        raise Invalid(
            _("The column %(name)s is of a kind that can't be exported.", name=str(column))
        ) from None


def stored(name: str, columns: Mapping[str, str]) -> sa.Select[Any]:
    """The rows of a table with its owner, as they are stored."""
    there = light(name, columns)
    return sa.select(
        *(
            sa.cast(there.c[one], sa.Text).label(one) if kind == "json" else there.c[one]
            for one, kind in columns.items()
        )
    )


def light(name: str, columns: Mapping[str, str]) -> sa.TableClause:
    """A table for statements, from its columns' kinds alone: the models may have moved on."""
    return sa.table(name, *(sa.column(one, KINDS[kind].type) for one, kind in columns.items()))


class File(Struct, frozen=True):
    """One file of an archive. path: within the folder; sha256: of the file's bytes."""

    path: str
    table: str
    rows: int
    sha256: str


class Contents(Struct, frozen=True):
    """What `manifest.json` says. tables: name → column → kind, each after those it points at.

    revision: how far the tool's schema was. at: the moment (UTC) of the rows.
    """

    tool: str
    version: str
    highstreet: str
    revision: str
    at: datetime
    tables: dict[str, dict[str, str]]
    files: list[File] = field(default_factory=list)

    def rows(self) -> dict[str, int]:
        """How many rows there are of each table."""
        count = dict.fromkeys(self.tables, 0)
        for one in self.files:
            count[one.table] += one.rows
        return count


def part_of(folder: Path) -> Path:
    """Where an archive is written, until it gets its name."""
    return folder.with_name(f"{folder.name}.part")


def finish(folder: Path) -> None:
    """Give an archive that is whole its name. Raises Conflict where something has it already."""
    if folder.exists():
        raise Conflict(_("%(path)s is there already; name another folder.", path=folder))
    part_of(folder).rename(folder)
    _sync(folder.parent)


def _sync(folder: Path) -> None:
    """See that the names in a folder are on the disk, as far as the system can."""
    if os.name == "posix":
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


class Writing:
    """A new archive beside the folder whose name it gets by `finish`; whole and on the disk at the
    end of the `with`, and not there at all if that ends by an error.
    """

    def __init__(self, folder: Path, contents: Contents) -> None:
        self._part = part_of(folder)
        self.contents = contents

    def __enter__(self) -> "Writing":
        shutil.rmtree(self._part, ignore_errors=True)  # of a run that was killed
        self._part.mkdir(parents=True, mode=0o700)  # it holds personal data
        return self

    def add(self, table: str, brand: str, store: str | None, rows: Iterable[sa.RowMapping]) -> int:
        """Write rows of one table and place (slugs; store None: head office); gives how many."""
        columns = self.contents.tables[table]
        path = self._part / brand / (OFFICE if store is None else store) / f"{table}.jsonl.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        count = 0
        with path.open("wb") as raw:
            with gzip.GzipFile(fileobj=raw, mode="wb", mtime=0) as packed:  # same rows, same bytes
                out = TextIOWrapper(packed, encoding="utf-8", newline="\n")
                for row in rows:
                    out.write(json.dumps(line(columns, row), ensure_ascii=False) + "\n")
                    count += 1
                out.flush()
                out.detach()
            raw.flush()
            os.fsync(raw.fileno())
        self.contents.files.append(
            File(str(path.relative_to(self._part).as_posix()), table, count, _digest(path))
        )
        return count

    def __exit__(
        self,
        kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            shutil.rmtree(self._part, ignore_errors=True)
            return
        unnamed = self._part / f"{MANIFEST}.part"
        with unnamed.open("w", encoding="utf-8") as file:
            json.dump(said(self.contents), file, ensure_ascii=False, indent=1)
            file.flush()
            os.fsync(file.fileno())
        unnamed.rename(self._part / MANIFEST)  # it says that the archive is whole
        for path, _folders, _files in os.walk(self._part):
            _sync(Path(path))
        _sync(self._part.parent)


def said(contents: Contents) -> dict[str, Any]:
    """The manifest of an archive, as JSON has it."""
    return {
        "format": FORMAT,
        **asdict(contents),
        "at": _moment(contents.at),
        "files": [asdict(one) for one in contents.files],
    }


def heard(said: dict[str, Any]) -> Contents:
    """What a manifest says, its format aside. Raises what values of a wrong kind raise."""
    files = [File(**one) for one in said.pop("files")]
    return Contents(**{**said, "at": datetime.fromisoformat(said["at"]), "files": files})


def contents_of(folder: Path) -> Contents:
    """What an archive holds, once every file was found as it was written. Raises Invalid."""
    try:
        said = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        known = said.pop("format")
        if known != FORMAT:
            raise Invalid(
                _(
                    "%(path)s has format %(found)s, and this Highstreet reads %(known)s.",
                    path=folder,
                    found=known,
                    known=FORMAT,
                )
            )
        contents = heard(said)
        for table in contents.tables.values():
            for kind in table.values():
                KINDS[kind]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Invalid(
            _("%(path)s is not an export of a tool: %(why)s", path=folder, why=error)
        ) from error
    for one in contents.files:
        path = (folder / one.path).resolve()
        if not path.is_relative_to(folder.resolve()) or not path.is_file():
            raise Invalid(_("%(path)s is missing from the export.", path=one.path))
        if one.table not in contents.tables or _digest(path) != one.sha256:
            raise Invalid(_("%(path)s is not as it was written.", path=one.path))
    return contents


def line(columns: Mapping[str, str], row: sa.RowMapping) -> dict[str, Any]:
    """A row (as of `stored`) as its line has it."""
    return {
        name: KINDS[kind].write(row[name])
        for name, kind in columns.items()
        if row[name] is not None
    }


def lines_in(folder: Path, contents: Contents, table: str) -> Iterator[dict[str, Any]]:
    """The lines of one table."""
    for one in contents.files:
        if one.table == table:
            with gzip.open(folder / one.path, "rt", encoding="utf-8") as lines:
                yield from map(json.loads, lines)


def rows_in(folder: Path, contents: Contents, table: str) -> Iterator[dict[str, Any]]:
    """The rows of one table, every column in each."""
    columns = {name: KINDS[kind] for name, kind in contents.tables[table].items()}
    for row in lines_in(folder, contents, table):
        yield {
            name: kind.read(row[name]) if name in row else None for name, kind in columns.items()
        }


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
