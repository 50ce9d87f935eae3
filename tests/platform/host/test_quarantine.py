"""A tool that does anything wrong while it loads is set aside, with its reason, without a trace."""

import os
import signal
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import orm

from highstreet.host import spec as specs_module
from highstreet.host.registry import Host
from highstreet.host.spec import hooks_in
from highstreet_tenants import aggregates, append_only
from highstreet_tenants.base import Base

PLUGIN = "from highstreet.host.plugin import Plugin\n"
MODELS = """
from datetime import datetime
from uuid import UUID
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column
from highstreet.host.plugin import Plugin
from highstreet_tenants.base import Base, BrandOwned, StoreOwned, brand_fk
"""
SCREEN = """
from highstreet.host.plugin import NavEntry, Plugin
from highstreet.sdk import screens
page = screens(__name__.removeprefix("hs_test_"))
"""
HOOKS = """
from types import SimpleNamespace
from highstreet.host.plugin import Plugin
from highstreet.host.spec import hookimpl
"""


def table(name: str, body: str = "", *, base: str = "BrandOwned, Base", more: str = "") -> str:
    """The source of a tool with one table."""
    lines = "\n".join(f"    {line}" for line in (body or "text: Mapped[str]").splitlines())
    return f"{MODELS}\nclass Row({base}):\n    __tablename__ = {name!r}\n{lines}\n{more}\n"


# Each: reason, what the message must say, the tool's source, its manifest's keys.
BAD: dict[str, tuple[str, str, str, dict[str, Any]]] = {
    "wrong_version": ("version", "highstreet<1,>=7", "", {"requires": "highstreet>=7,<1"}),
    "other_product": ("manifest", "must name highstreet", "", {"requires": "flask>=3"}),
    "no_specifier": ("manifest", "requires", "", {"requires": "highstreet >> 1"}),
    "unknown_key": ("manifest", "colour", "", {"colour": "red"}),
    "bad_level": ("manifest", "levels", "", {"levels": ["region"]}),
    "bad_capability": ("manifest", "capabilities", "", {"capabilities": ["world.rule"]}),
    "foreign_permission": ("manifest", "till.use", "", {"permissions": {"till.use": "Rob"}}),
    "bad_role": (
        "manifest",
        "roles",
        "",
        {"permissions": {"bad_role.read": {"title": "Read", "roles": ["emperor"]}}},
    ),
    "till": ("manifest", "the core's own", "", {}),
    "absent_need": ("missing-dependency", "nowhere", "", {"depends": ["nowhere"]}),
    "raises": ("import-error", "ZeroDivisionError", "1 / 0", {}),
    "exits": ("import-error", "SystemExit", "import sys; sys.exit(3)", {}),
    "syntax": ("import-error", "SyntaxError", "def (:", {}),
    "missing_module": ("import-error", "no_such_module", "import no_such_module", {}),
    "half_mapped": (
        "import-error",
        "primary key",
        table("half_mapped_row", "text = sa.Column(sa.String)", base="Base"),
        {},
    ),
    "no_object": ("no-plugin", "plugin", "x = 1", {}),
    "not_a_plugin": ("no-plugin", "Plugin", "plugin = object()", {}),
    "renamed": ("name-mismatch", "other", PLUGIN + "plugin = Plugin('other')", {}),
    "unprefixed": (
        "tables",
        "must be called unprefixed_",
        table("row", more="plugin = Plugin('unprefixed')"),
        {},
    ),
    "core_table": (
        "tables",
        "must be called core_table_",
        table("core_secret", more="plugin = Plugin('core_table')"),
        {},
    ),
    "bare_table": (
        "tables",
        "must be called bare_table_",
        MODELS
        + "sa.Table('loose', Base.metadata, sa.Column('id', sa.Integer, primary_key=True))\n"
        + "plugin = Plugin('bare_table')",
        {},
    ),
    "wrong_key": (
        "tables",
        "keyed (brand_id, id)",
        table(
            "wrong_key_row",
            "id: Mapped[int] = mapped_column(primary_key=True)",
            base="Base",
            more="plugin = Plugin('wrong_key')",
        ),
        {},
    ),
    "unowned": (
        "tables",
        "BrandOwned",
        table(
            "unowned_row",
            "brand_id: Mapped[UUID] = mapped_column(primary_key=True)\n"
            "id: Mapped[UUID] = mapped_column(primary_key=True)",
            base="Base",
            more="plugin = Plugin('unowned')",
        ),
        {},
    ),
    "points_at_user": (
        "tables",
        "core_user",
        table(
            "points_at_user_row",
            "user_id: Mapped[UUID] = mapped_column(sa.ForeignKey('core_user.id'))",
            more="plugin = Plugin('points_at_user')",
        ),
        {},
    ),
    "narrow_key": (
        "tables",
        "must carry brand_id",
        table(
            "narrow_key_row",
            "other: Mapped[UUID] = mapped_column(sa.ForeignKey('narrow_key_row.id'))",
            more="plugin = Plugin('narrow_key')",
        ),
        {},
    ),
    "narrow_unique": (
        "tables",
        "unique constraint",
        table(
            "narrow_unique_row",
            "text: Mapped[str] = mapped_column(unique=True)",
            more="plugin = Plugin('narrow_unique')",
        ),
        {},
    ),
    "narrow_index": (
        "tables",
        "index",
        table(
            "narrow_index_row",
            "text: Mapped[str] = mapped_column(index=True)",
            more="plugin = Plugin('narrow_index')",
        ),
        {},
    ),
    "set_null": (
        "tables",
        "would unset the brand",
        table(
            "set_null_row",
            "__constraints__ = (sa.ForeignKeyConstraint(['brand_id', 'store'],"
            " ['core_store.brand_id', 'core_store.id'], ondelete='SET NULL'),)\n"
            "store: Mapped[UUID | None]",
            more="plugin = Plugin('set_null')",
        ),
        {},
    ),
    "own_base": (
        "tables",
        "outside of the house",
        MODELS
        + "from sqlalchemy.orm import DeclarativeBase\nclass Mine(DeclarativeBase): pass\n"
        + "plugin = Plugin('own_base')",
        {},
    ),
    "meddles": (
        "tables",
        "changes the table core_store",
        MODELS
        + "spy = sa.Column('spy', sa.String)\n"
        + "sa.Table('core_store', Base.metadata, spy, extend_existing=True)\n"
        + "plugin = Plugin('meddles')",
        {},
    ),
    "replaces": (
        "tables",
        "replaces the table core_region",
        MODELS
        + "Base.metadata.remove(Base.metadata.tables['core_region'])\n"
        + "plugin = Plugin('replaces')",
        {},
    ),
    "no_such_hook": (
        "hooks",
        "no hook hapened",
        HOOKS
        + "plugin = Plugin('no_such_hook',"
        + " hooks=SimpleNamespace(hapened=hookimpl(lambda ctx, thing: 1)))",
        {},
    ),
    "strange_argument": (
        "hooks",
        "colour",
        HOOKS
        + "plugin = Plugin('strange_argument',"
        + " hooks=SimpleNamespace(happened=hookimpl(lambda ctx, colour: 1)))",
        {},
    ),
    "unmarked": (
        "hooks",
        "not marked with @hookimpl",
        HOOKS + "plugin = Plugin('unmarked', hooks=SimpleNamespace(happened=lambda ctx, thing: 1))",
        {},
    ),
    "wrapper": (
        "hooks",
        "wrapper",
        HOOKS
        + "@hookimpl(wrapper=True)\ndef happened(ctx, thing):\n    return (yield)\n"
        + "plugin = Plugin('wrapper', hooks=SimpleNamespace(happened=happened))",
        {},
    ),
    "asynchronous": (
        "hooks",
        "ordinary function",
        HOOKS
        + "@hookimpl\nasync def happened(ctx, thing): pass\n"
        + "plugin = Plugin('asynchronous', hooks=SimpleNamespace(happened=happened))",
        {},
    ),
    "no_default": (
        "contribution",
        "no load_default",
        "from marshmallow import Schema, fields\n"
        + PLUGIN
        + "class S(Schema):\n    rate = fields.Integer(required=True)\n"
        + "plugin = Plugin('no_default', settings=S)",
        {},
    ),
    "strange_job": (
        "contribution",
        "must be called strange_job.",
        PLUGIN
        + "from highstreet.jobs import JobHandler\n"
        + "plugin = Plugin('strange_job', jobs=[JobHandler('core.sweep', print)])",
        {},
    ),
    "strange_blueprint": (
        "contribution",
        "sdk.screens",
        PLUGIN
        + "from flask import Blueprint\n"
        + "plugin = Plugin('strange_blueprint', screens=[Blueprint('till', __name__)])",
        {},
    ),
    "strange_route": (
        "contribution",
        "can't be mounted: LookupError",
        PLUGIN
        + "from highstreet.sdk import screens\n"
        + "page = screens('strange_route')\n"
        + "page.get('/<nonesuch:x>')(lambda x: x)\n"
        + "plugin = Plugin('strange_route', screens=[page])",
        {},
    ),
    "twice_named": (
        "contribution",
        "can't be mounted: SyntaxError",
        PLUGIN
        + "from highstreet.sdk import screens\n"
        + "page = screens('twice_named')\n"
        + "page.get('/<x>/<x>')(lambda x: x)\n"
        + "plugin = Plugin('twice_named', screens=[page])",
        {},
    ),
    "not_a_list": (
        "contribution",
        "screens must be a list",
        PLUGIN + "plugin = Plugin('not_a_list', screens=5)",
        {},
    ),
    "refuses_itself": (
        "contribution",
        "refuse their own defaults",
        "from marshmallow import Schema, ValidationError, fields, validates_schema\n"
        + PLUGIN
        + "class S(Schema):\n"
        + "    rate = fields.Integer(load_default=0)\n"
        + "    @validates_schema\n"
        + "    def check(self, data, **rest):\n"
        + "        raise ValidationError('never')\n"
        + "plugin = Plugin('refuses_itself', settings=S)",
        {},
    ),
    "strange_slot": (
        "contribution",
        "no page has a slot cellar",
        PLUGIN + "plugin = Plugin('strange_slot', slots={'cellar': print})",
        {},
    ),
    "unmade": (
        "tables",
        "no migrations, so nothing would make them",
        table("unmade_row", more="plugin = Plugin('unmade')"),
        {},
    ),
    "lost_relation": (
        "tables",
        "a relationship is wrong",
        table(
            "lost_relation_row",
            "nobody = sa.orm.relationship('NoSuchClass')",
            more="plugin = Plugin('lost_relation', migrations='x')",
        ),
        {},
    ),
    "everywhere": (
        "contribution",
        "before_request_funcs to every page",
        SCREEN
        + "page.before_app_request(lambda: 'mine')\n"
        + "plugin = Plugin('everywhere', screens=[page])",
        {},
    ),
    "catches_all": (
        "contribution",
        "error_handler_spec to every page",
        SCREEN
        + "page.app_errorhandler(404)(lambda error: 'mine')\n"
        + "plugin = Plugin('catches_all', screens=[page])",
        {},
    ),
    "strange_file": (
        "contribution",
        "must be called strange_file.…",
        PLUGIN
        + "from highstreet.host.taking import ImportKind\n"
        + "kind = ImportKind('core.notes', 'x', {'note': ('note',)}, (), print, print)\n"
        + "plugin = Plugin('strange_file', imports=[kind])",
        {},
    ),
    "file_of_cards": (
        "contribution",
        "may not name columns that each has: card",
        PLUGIN
        + "from highstreet.host.taking import ImportKind\n"
        + "kind = ImportKind('file_of_cards.x', 'x', {'card': ('card',)}, (), print, print)\n"
        + "plugin = Plugin('file_of_cards', imports=[kind])",
        {},
    ),
    "file_without": (
        "contribution",
        "has no columns day, sum",
        PLUGIN
        + "from highstreet.host.taking import ImportKind\n"
        + "kind = ImportKind('file_without.x', 'x', {}, ('sum',), print, print, ('day',))\n"
        + "plugin = Plugin('file_without', imports=[kind])",
        {},
    ),
    "strange_verb": (
        "contribution",
        "must be called strange_verb.…",
        PLUGIN
        + "from highstreet.host.plugin import Verb\n"
        + "plugin = Plugin('strange_verb', verbs=[Verb('core.drop', 'x', print)])",
        {},
    ),
    "foreign_field": (
        "contribution",
        "the field points_club.x must be called foreign_field.…, in small letters; the field"
        " foreign_field.y is of no kind that there is",
        PLUGIN
        + "from highstreet.host.customer_fields import CustomerField\n"
        + "plugin = Plugin('foreign_field', fields=["
        + "CustomerField('points_club.x', 'x', 'text', print),"
        + "CustomerField('foreign_field.y', 'x', 'colour', print)])",
        {},
    ),
    "twin_fields": (
        "contribution",
        "two fields are called twin_fields.x",
        PLUGIN
        + "from highstreet.host.customer_fields import CustomerField\n"
        + "plugin = Plugin('twin_fields', fields=["
        + "CustomerField('twin_fields.x', 'x', 'text', print)] * 2)",
        {},
    ),
    "lost_entry": (
        "contribution",
        "leads to no screen",
        SCREEN
        + "plugin = Plugin('lost_entry', screens=[page],"
        + " nav=[NavEntry('Lost', 'lost_entry-store.nowhere', 'till.use')])",
        {},
    ),
    "asking_entry": (
        "contribution",
        "asks for more",
        SCREEN
        + "page.get('/<int:number>', endpoint='one')(lambda number: 'one')\n"
        + "plugin = Plugin('asking_entry', screens=[page],"
        + " nav=[NavEntry('One', 'asking_entry-store.one', 'till.use')])",
        {},
    ),
    "mute_entry": (
        "contribution",
        "can't be shown: KeyError",
        SCREEN
        + "from highstreet.sdk import lazy_gettext\n"
        + "page.get('/', endpoint='all')(lambda: 'all')\n"
        + "plugin = Plugin('mute_entry', screens=[page],"
        + " nav=[NavEntry(lazy_gettext('%(who)s', x=1), 'mute_entry-store.all', 'till.use')])",
        {},
    ),
    "round_twice": (
        "contribution",
        "comes round twice",
        PLUGIN
        + "from highstreet.jobs import JobHandler, Periodic\n"
        + "plugin = Plugin('round_twice', jobs=[JobHandler('round_twice.x', print)],"
        + " periodic=[Periodic('round_twice.x'), Periodic('round_twice.x', at='04:00')])",
        {},
    ),
    "idle_job": (
        "contribution",
        "is not a function",
        PLUGIN
        + "from highstreet.jobs import JobHandler\n"
        + "plugin = Plugin('idle_job', jobs=[JobHandler('idle_job.x', None)])",
        {},
    ),
    "mixed_up": (
        "contribution",
        "must hold Periodic alone",
        PLUGIN
        + "from highstreet.jobs import JobHandler\n"
        + "job = JobHandler('mixed_up.x', print)\n"
        + "plugin = Plugin('mixed_up', jobs=[job], periodic=[job])",
        {},
    ),
    "huge_default": (
        "contribution",
        "refuse their own defaults",
        "from marshmallow import Schema, fields, validate\n"
        + PLUGIN
        + "class S(Schema):\n"
        + "    rate = fields.Integer(load_default=999, validate=validate.Range(max=10))\n"
        + "plugin = Plugin('huge_default', settings=S)",
        {},
    ),
    "broken_schema": (
        "contribution",
        "can't be read: RuntimeError",
        "from marshmallow import Schema\n"
        + PLUGIN
        + "class S(Schema):\n    def __init__(self, **k): raise RuntimeError('never')\n"
        + "plugin = Plugin('broken_schema', settings=S)",
        {},
    ),
    "filters": (
        "contribution",
        "the template filters of every page: upper",
        SCREEN
        + "page.app_template_filter('upper')(str)\nplugin = Plugin('filters', screens=[page])",
        {},
    ),
    "globals": (
        "contribution",
        "the template globals of every page: url_for",
        SCREEN
        + "page.app_template_global('url_for')(str)\nplugin = Plugin('globals', screens=[page])",
        {},
    ),
    "settler": (
        "contribution",
        "the settings of every page: SECRET_KEY",
        SCREEN
        + "page.record(lambda state: state.app.config.update(SECRET_KEY='mine'))\n"
        + "plugin = Plugin('settler', screens=[page])",
        {},
    ),
    "squatter": (
        "contribution",
        "its address /signin belongs to",
        SCREEN
        + "page.record(lambda state: state.app.add_url_rule('/signin', 'signin', print))\n"
        + "plugin = Plugin('squatter', screens=[page])",
        {},
    ),
    "stubborn": (
        "contribution",
        "ZeroDivisionError",
        SCREEN + "page.record(lambda state: 1 / 0)\nplugin = Plugin('stubborn', screens=[page])",
        {},
    ),
    "generator": (
        "contribution",
        "nav must be a list",
        PLUGIN + "plugin = Plugin('generator', nav=(one for one in []))",
        {},
    ),
    "odd_permission": (
        "manifest",
        "write it like house_notes.read",
        "",
        {"permissions": {"odd_permission.read all": "Read"}},
    ),
    "bent_title": ("manifest", "nobody can see", "", {"title": "Red\u202etxt.exe"}),
    "conditional": (
        "manifest",
        "versions alone",
        "",
        {"requires": "highstreet; python_version<'3'"},
    ),
    "own_exit": (
        "contribution",
        "SystemExit",
        PLUGIN
        + "class H:\n    @property\n    def look(self): raise SystemExit(3)\n"
        + "plugin = Plugin('own_exit', hooks=H())",
        {},
    ),
    "far_words": (
        "contribution",
        "the name of a folder beside the package",
        PLUGIN + "plugin = Plugin('far_words', translations='../words')",
        {},
    ),
    "no_migrations": (
        "contribution",
        "no package",
        PLUGIN + "plugin = Plugin('no_migrations', migrations='hs_test_no_migrations.nowhere')",
        {},
    ),
}


def load(specs: list[type], *points: EntryPoint, **options: Any) -> Host:
    return Host.load(specs, entry_points=points, slots=["till"], **options)


@pytest.mark.parametrize("name", BAD)
def test_each_bad_tool_is_set_aside_for_its_reason_and_the_others_load(
    name: str, shelf: Callable[..., EntryPoint], specs: list[type]
) -> None:
    reason, says, source, keys = BAD[name]
    tables = dict(Base.metadata.tables)
    columns = {n: set(t.c) for n, t in tables.items()}
    mapped = {m.class_ for m in Base.registry.mappers}
    good = shelf("good")
    host = load(specs, shelf(name, source, **keys), good)

    assert list(host.plugins) == ["good"]
    assert host.quarantined[name].reason == reason
    assert says in str(host.quarantined[name].detail)
    # Nothing is left behind.
    assert dict(Base.metadata.tables) == tables
    assert {n: set(t.c) for n, t in Base.metadata.tables.items()} == columns
    assert {m.class_ for m in Base.registry.mappers} == mapped
    orm.configure_mappers()
    assert not host.manager.has_plugin(name)
    known = {h.name for c in specs for h in hooks_in(c)}
    assert set(vars(host.manager.hook)) - {"_hookexec"} <= known
    assert not [h for h in host.calls if name in host.calls[h]]
    assert f"hs_test_{name}" not in sys.modules


def test_a_tool_that_was_put_right_loads_in_the_same_process(
    shelf: Callable[..., EntryPoint], specs: list[type]
) -> None:
    made = "plugin = Plugin('mended', migrations='hs_test_mended.migrations')"
    point = shelf("mended", table("row", more=made), files={"migrations/__init__.py": ""})
    assert load(specs, point).quarantined["mended"].reason == "tables"
    package = sys.path[0] + "/hs_test_mended/__init__.py"
    source = table("mended_row", more=f"{made}  # put right")
    with open(package, "w", encoding="utf-8") as file:
        file.write(source)
    host = load(specs, point)
    try:
        assert host.plugins["mended"].tables == {"mended_row"}
        # A second host in one process imports nothing anew, yet knows whose the table is.
        assert load(specs, point).plugins["mended"].tables == {"mended_row"}
    finally:
        Base.metadata.remove(Base.metadata.tables["mended_row"])


def test_manifest_is_read_without_importing_the_tool(
    shelf: Callable[..., EntryPoint], specs: list[type]
) -> None:
    point = shelf("loud", "raise KeyboardInterrupt", requires="highstreet>=9")
    assert load(specs, point).quarantined["loud"].reason == "version"
    absent = shelf("bare", "raise KeyboardInterrupt", toml="")
    assert load(specs, absent).quarantined["bare"].reason == "manifest"
    broken = shelf("broken", "raise KeyboardInterrupt", toml="name = ")
    assert load(specs, broken).quarantined["broken"].reason == "manifest"
    nowhere = EntryPoint("nowhere", "hs_test_nowhere", "highstreet.plugins")
    assert load(specs, nowhere).quarantined["nowhere"].reason == "manifest"


def test_what_a_tool_prints_stays_out_of_what_a_command_prints(
    shelf: Callable[..., EntryPoint], specs: list[type], capsys: pytest.CaptureFixture[str]
) -> None:
    load(specs, shelf("chatty", "print('hello')"))
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "hello" in printed.err


def test_ctrl_c_still_ends_the_start(shelf: Callable[..., EntryPoint], specs: list[type]) -> None:
    pressed = "import signal\nsignal.raise_signal(signal.SIGINT)"
    # Where tests run in the background, a shell has told Python to ignore it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            load(specs, shelf("interrupted", pressed))
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_tool_that_raises_keyboard_interrupt_itself_is_set_aside(
    shelf: Callable[..., EntryPoint], specs: list[type]
) -> None:
    host = load(specs, shelf("pretends", "raise KeyboardInterrupt"), shelf("good"))
    assert list(host.plugins) == ["good"]
    assert "KeyboardInterrupt" in str(host.quarantined["pretends"].detail)


@pytest.mark.parametrize("hang", ["while True: pass", "import time; time.sleep(1e6)"])
def test_an_import_that_never_ends_is_given_up(
    hang: str,
    shelf: Callable[..., EntryPoint],
    specs: list[type],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("highstreet.host.importing.load.__kwdefaults__", {"limit": 0.2})
    host = load(specs, shelf("sleepy", hang), shelf("good"))
    assert list(host.plugins) == ["good"]
    assert "takes longer than 0.2 s" in str(host.quarantined["sleepy"].detail)


def test_a_tool_keeps_neither_signals_nor_the_folder(
    shelf: Callable[..., EntryPoint], specs: list[type]
) -> None:
    def kept() -> tuple[object, ...]:
        return signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT), os.getcwd()

    before = kept()
    load(
        specs,
        shelf(
            "grabber",
            "import os, signal\nos.chdir('/')\n"
            "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
            "signal.signal(signal.SIGINT, signal.SIG_IGN)\n",
        ),
    )
    assert before == (
        signal.getsignal(signal.SIGTERM),
        signal.getsignal(signal.SIGINT),
        os.getcwd(),
    )


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ('name = "odd"'.encode("utf-16"), "save it as UTF-8"),
        (b'name = "o\x00dd"', "can't be read"),
        (b"#" * 300_000, "larger than 256 KiB"),
        (b"a = " + b"[" * 100_000, "can't be read"),
        (b"\x00" * 64, "can't be read"),
    ],
)
def test_a_manifest_that_nobody_can_read_is_said_to_be_so(
    raw: bytes, says: str, shelf: Callable[..., EntryPoint], specs: list[type]
) -> None:
    point = shelf("odd")
    Path(sys.path[0], "hs_test_odd", "plugin.toml").write_bytes(raw)
    host = load(specs, point, shelf("good"))
    assert list(host.plugins) == ["good"]
    assert host.quarantined["odd"].reason == "manifest"
    assert says in str(host.quarantined["odd"].detail)


def test_a_manifest_with_a_byte_order_mark_is_read(
    shelf: Callable[..., EntryPoint], specs: list[type]
) -> None:
    point = shelf("marked")
    path = Path(sys.path[0], "hs_test_marked", "plugin.toml")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert list(load(specs, point).plugins) == ["marked"]


@pytest.mark.parametrize("value", ["", ":plugin", "  ", "a b", "../etc", "no-such", "1st", "a..b"])
def test_an_entry_point_that_names_no_package_is_set_aside(
    value: str, shelf: Callable[..., EntryPoint], specs: list[type]
) -> None:
    host = load(specs, EntryPoint("lost", value, "highstreet.plugins"), shelf("good"))
    assert list(host.plugins) == ["good"]
    assert host.quarantined["lost"].reason == "entry-point"
    assert "lost = highstreet_lost" in str(host.quarantined["lost"].detail)


def test_broken_metadata_of_one_package_hides_no_other(
    tmp_path: Path, specs: list[type], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, metadata, points in (
        ("nameless-1.0", "", "[highstreet.plugins]\nnameless = nameless\n"),
        ("valueless-1.0", "Name: valueless\nVersion: 1.0\n", "[highstreet.plugins]\nvalueless\n"),
    ):
        info = tmp_path / f"{name}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(metadata)
        (info / "entry_points.txt").write_text(points)
    monkeypatch.syspath_prepend(str(tmp_path))
    host = Host.load(specs, safe_mode=True)
    assert host.quarantined["points_club"].reason == "safe-mode"
    broken = [one for one in host.quarantined.values() if one.reason == "entry-point"]
    assert {one.name for one in broken} >= {"valueless-1.0.dist-info"}
    assert all("Install it anew" in str(one.detail) for one in broken)


def test_what_a_refused_tool_registered_is_taken_back(
    shelf: Callable[..., EntryPoint], specs: list[type]
) -> None:
    aggregates_before, guarded = set(aggregates.registry), append_only.registered()
    source = (
        "import sqlalchemy as sa\nfrom highstreet.sdk import aggregates, append_only, Base\n"
        + PLUGIN
        + "@aggregates.aggregate({name!r}, people='people')\n"
        "def sums(scope): return sa.select(sa.literal(1).label('people'))\n"
        "append_only.register(Base.metadata.tables[{table!r}])\n"
        "plugin = Plugin('greedy')\n"
    )
    point = shelf("greedy", source.format(name="other.sums", table="core_brand"))
    host = load(specs, point)
    detail = str(host.quarantined["greedy"].detail)
    assert "the aggregate other.sums must be called greedy.…" in detail
    assert "core_brand append-only" in detail
    assert (set(aggregates.registry), append_only.registered()) == (aggregates_before, guarded)


def test_of_two_with_one_name_none_loads_unless_one_is_ours(
    shelf: Callable[..., EntryPoint], specs: list[type], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = shelf("twin", package="hs_test_twin_a"), shelf("twin", package="hs_test_twin_b")
    host = load(specs, one, two)
    assert not host.plugins
    assert {q.reason for q in host.quarantined.values()} == {"duplicate-entry-point"}
    assert len(host.quarantined) == 2

    monkeypatch.setattr(
        "highstreet.host.candidates._distribution",
        lambda point: "highstreet 0.1" if point.value == "hs_test_twin_a" else "impostor 3.0",
    )
    host = load(specs, one, two)
    assert host.plugins["twin"].package == "hs_test_twin_a"
    assert host.quarantined["twin"].distribution == "impostor 3.0"


def test_of_two_manifests_with_one_name_none_loads(
    shelf: Callable[..., EntryPoint], specs: list[type]
) -> None:
    host = load(
        specs,
        shelf("same", package="hs_test_same_a", entry="first"),
        shelf("same", package="hs_test_same_b", entry="second"),
    )
    assert {n: q.reason for n, q in host.quarantined.items()} == {
        "first": "duplicate-name",
        "second": "duplicate-name",
    }


def test_the_same_entry_point_seen_twice_is_one_tool(
    shelf: Callable[..., EntryPoint], specs: list[type]
) -> None:
    point = shelf("once")
    assert list(load(specs, point, point).plugins) == ["once"]


def test_entry_point_and_manifest_must_agree(
    shelf: Callable[..., EntryPoint], specs: list[type]
) -> None:
    host = load(specs, shelf("inner", entry="outer"))
    assert host.quarantined["outer"].reason == "name-mismatch"


def test_tools_load_as_they_depend_and_fall_with_what_they_need(
    shelf: Callable[..., EntryPoint], specs: list[type]
) -> None:
    host = load(
        specs,
        shelf("alpha", depends=["zeta>=1"]),
        shelf("zeta"),
        shelf("beta", depends=["zeta>=2"]),
        shelf("gamma", depends=["delta"]),
        shelf("delta", "1 / 0"),
    )
    assert list(host.plugins) == ["zeta", "alpha"]
    assert {n: q.reason for n, q in host.quarantined.items()} == {
        "beta": "missing-dependency",
        "gamma": "missing-dependency",
        "delta": "import-error",
    }


def test_a_ring_of_tools_is_named_and_what_hangs_on_it_falls(
    shelf: Callable[..., EntryPoint], specs: list[type]
) -> None:
    host = load(
        specs,
        shelf("one", depends=["two"]),
        shelf("two", depends=["three"]),
        shelf("three", depends=["one"]),
        shelf("hanger", depends=["one"]),
        shelf("free"),
    )
    assert list(host.plugins) == ["free"]
    assert {n: q.reason for n, q in host.quarantined.items()} == {
        "one": "cycle",
        "two": "cycle",
        "three": "cycle",
        "hanger": "missing-dependency",
    }


def test_safe_mode_loads_none_and_imports_none(
    shelf: Callable[..., EntryPoint], specs: list[type]
) -> None:
    host = load(specs, shelf("any", "raise KeyboardInterrupt"), safe_mode=True)
    assert not host.plugins
    assert {name: one.reason for name, one in host.quarantined.items()} == {"any": "safe-mode"}


def test_a_longer_name_owns_its_tables(shelf: Callable[..., EntryPoint], specs: list[type]) -> None:
    host = load(
        specs,
        shelf("club", table("club_x_rule", more="plugin = Plugin('club')")),
        shelf("club_x"),
    )
    assert host.quarantined["club"].reason == "tables"
    assert "club_x" in str(host.quarantined["club"].detail)
    assert "club_x" in host.plugins


def test_words_of_the_manifest_follow_the_language(
    shelf: Callable[..., EntryPoint], specs: list[type]
) -> None:
    toml = """
        name = "points"
        title = "Points"
        summary = "Gives points."
        version = "1.2"
        requires = "highstreet>=0.1,<1"
        [permissions]
        "points.adjust" = {title = "Adjust", roles = ["store_manager"], personal = true}
        [words.zh_Hans]
        title = "积分"
        summary = "送积分。"
    """
    host = load(specs, shelf("points", toml=toml))
    assert host.title("points") == "Points"
    assert host.title("points", "zh_Hans") == "积分"
    permission = host.permissions()[0]
    assert (permission.name, permission.roles, permission.personal) == (
        "points.adjust",
        ("store_manager",),
        True,
    )


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("kind='loud'", "no kind"),
        ("kind='veto', writes=True", "only a collect or all hook"),
        ("kind='collect', retry=object()", "only a writing collect hook"),
        ("kind='all', writes=True, retry=object()", "only a writing collect hook"),
    ],
)
def test_a_wrong_hookspec_is_refused_where_it_is_written(source: str, says: str) -> None:
    with pytest.raises(TypeError, match=says):
        eval(f"spec(since='1', {source})", vars(specs_module))(_documented)


def _documented(ctx: Any) -> Any:
    """Called."""
