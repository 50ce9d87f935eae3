"""plugin.toml: what a tool says of itself, read without importing a line of it."""

import importlib.util
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from marshmallow import (
    RAISE,
    Schema,
    ValidationError,
    fields,
    post_load,
    validate,
    validates_schema,
)
from msgspec import Struct, field
from packaging.requirements import InvalidRequirement, Requirement
from packaging.version import InvalidVersion, Version

from highstreet.host.lattice import Level
from highstreet.i18n import LazyText
from highstreet.i18n import lazy_gettext as _l
from highstreet_tenants.people.permissions import CORE, ROLES

FILE = "plugin.toml"
PRODUCT = "highstreet"
#: Prefixes of tables, jobs and permissions that are the core's own: no tool may have these names.
RESERVED = frozenset(
    {"core", "alembic", "sqlite", "pg", "highstreet", "host", "rest", "slot", "place", "self"}
    | {permission.name.split(".")[0] for permission in CORE}
)
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*\Z")
_PERMISSION = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+\Z")
#: Bytes. Somebody writes this by hand; a file of megabytes is none.
MOST = 256 * 1024
#: What a name that people read may not hold: control characters (they move a terminal's cursor)
#: and those that turn the direction of the text around them.
_UNSEEN = re.compile("[\\x00-\\x1f\\x7f-\\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

#: What a tool can declare that it does, and how that is said at switch-on. `ctx` holds it to these;
#: they are promises that a reader can check, not a sandbox: a tool is Python code in the process.
CAPABILITIES: Mapping[str, object] = {
    "customers.read": _l("reads customers"),
    "customers.write": _l("enrols and changes customers"),
    "purchases.read": _l("reads purchases"),
    "timeline.read": _l("reads the timeline of customers"),
    "timeline.write": _l("writes to the timeline of customers"),
    "consent.read": _l("asks whether a customer agreed to be contacted"),
    "consent.write": _l("records what customers agree to"),
    "addresses.read": _l("reads postal addresses and who lives together"),
    "segments.read": _l("asks who is in a segment"),
    "jobs": _l("works in the background"),
    "mail.send": _l("sends e-mail"),
    "mailings": _l("writes to many customers, by mailings"),
    "print": _l("prints"),
    "network": _l("talks to services outside of this installation"),
}


class BadManifestError(Exception):
    """plugin.toml is missing or wrong; `detail` says what to put right."""

    def __init__(self, detail: LazyText) -> None:
        super().__init__(detail)
        self.detail = detail


class Words(Struct, frozen=True):
    """A tool's title and summary, and its permissions' titles by name, in another language."""

    title: str
    summary: str
    permissions: Mapping[str, str] = field(default_factory=dict)


class Manifest(Struct, frozen=True):
    """A valid plugin.toml.

    requires: which versions of Highstreet it works with. depends: tools it can't do without.
    levels: where it works, "store" and "brand". permissions: name → title of what it adds;
    granted: name → roles that hold it by default. personal: permissions that reach people's
    records; at_till: those that a staff PIN leaves its holder. words: title and summary by
    Babel locale. demo: how `highstreet demo` shows the tool, as a blueprint would say it; None
    leaves it as it is, which is off.
    """

    name: str
    title: str
    summary: str
    version: str
    requires: Requirement
    depends: tuple[Requirement, ...] = ()
    levels: frozenset[str] = frozenset({"store"})
    capabilities: frozenset[str] = frozenset()
    permissions: Mapping[str, str] = field(default_factory=dict)
    granted: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    personal: frozenset[str] = frozenset()
    at_till: frozenset[str] = frozenset()
    author: str = ""
    words: Mapping[str, Words] = field(default_factory=dict)
    demo: Mapping[str, Any] | None = None

    def titled(self, language: str = "en") -> str:
        """The title in a language, English if it has none."""
        return self.words[language].title if language in self.words else self.title

    def summed_up(self, language: str = "en") -> str:
        """The summary in a language, English if it has none."""
        return self.words[language].summary if language in self.words else self.summary

    def permitted(self, name: str, language: str = "en") -> str:
        """What a permission lets somebody do, in a language, English if it has none."""
        said = self.words[language].permissions if language in self.words else {}
        return said.get(name) or self.permissions.get(name, name)


class _Requirement(fields.Field[Requirement]):
    def _deserialize(self, value: Any, *_rest: Any, **_options: Any) -> Requirement:
        try:
            said = Requirement(value)
        except (InvalidRequirement, TypeError) as error:
            raise ValidationError(f"write it like highstreet>=0.1,<1 ({error})") from error
        if said.url or said.marker or said.extras:
            raise ValidationError("write it like highstreet>=0.1,<1: a name and versions alone")
        return said


class _Version(fields.String):
    def _deserialize(self, value: Any, *rest: Any, **options: Any) -> str:
        text = super()._deserialize(value, *rest, **options)
        try:
            Version(text)
        except InvalidVersion as error:
            raise ValidationError("write it like 1.2.0 (PEP 440)") from error
        return text


class _Strict(Schema):
    class Meta:
        """A misspelt key must not be silent."""

        unknown = RAISE


def _seen(text: str) -> None:
    if _UNSEEN.search(text):
        raise ValidationError("write plain text: it holds characters that nobody can see")


_LINE = validate.And(validate.Length(min=1, max=300), _seen)


class PermissionSchema(_Strict):
    """One `[permissions]` entry in its long form."""

    title = fields.String(required=True, validate=_LINE)
    roles = fields.List(fields.String(validate=validate.OneOf(list(ROLES))), load_default=list)
    personal = fields.Boolean(load_default=False)
    at_till = fields.Boolean(load_default=False)


class _Permission(fields.Field[dict[str, Any]]):
    """A title, or a table with title, roles, personal and at_till."""

    def _deserialize(self, value: Any, *_rest: Any, **_options: Any) -> dict[str, Any]:
        loaded: dict[str, Any] = PermissionSchema().load(
            {"title": value} if isinstance(value, str) else value
        )
        return loaded


class WordsSchema(_Strict):
    """One `[words.<locale>]` table."""

    title = fields.String(required=True, validate=_LINE)
    summary = fields.String(required=True, validate=_LINE)
    permissions = fields.Dict(fields.String(), fields.String(validate=_LINE), load_default=dict)


class DemoSchema(_Strict):
    """The `[demo]` table."""

    policy = fields.String(
        load_default=Level.DEFAULT_ON.value,
        validate=validate.OneOf([level.value for level in Level]),
    )
    settings = fields.Dict(fields.String(), load_default=dict)


class ManifestSchema(_Strict):
    """The keys of plugin.toml."""

    name = fields.String(
        required=True,
        validate=[
            validate.Length(max=30),
            validate.Regexp(
                _NAME, error="use small letters and digits, words joined by one underscore"
            ),
            validate.NoneOf(RESERVED, error="this name is the core's own"),
        ],
    )
    title = fields.String(required=True, validate=_LINE)
    summary = fields.String(required=True, validate=_LINE)
    version = _Version(required=True)
    requires = _Requirement(required=True)
    author = fields.String(load_default="", validate=validate.And(validate.Length(max=120), _seen))
    depends = fields.List(_Requirement(), load_default=list)
    levels = fields.List(
        fields.String(validate=validate.OneOf(["store", "brand"])),
        load_default=lambda: ["store"],
        validate=validate.Length(min=1),
    )
    capabilities = fields.List(
        fields.String(validate=validate.OneOf(list(CAPABILITIES))), load_default=list
    )
    permissions = fields.Dict(
        fields.String(
            validate=[
                validate.Length(max=80),
                validate.Regexp(_PERMISSION, error="write it like house_notes.read"),
            ]
        ),
        _Permission(),
        load_default=dict,
    )
    words = fields.Dict(fields.String(), fields.Nested(WordsSchema), load_default=dict)
    demo = fields.Nested(DemoSchema, load_default=None)

    @validates_schema
    def _hang_together(self, data: dict[str, Any], **_options: Any) -> None:
        errors: dict[str, list[str]] = {}
        if data["requires"].name != PRODUCT:
            errors["requires"] = [f"must name {PRODUCT}, as in {PRODUCT}>=0.1,<1"]
        if any(need.name == data["name"] for need in data["depends"]):
            errors["depends"] = ["a tool can't depend on itself"]
        foreign = [n for n in data["permissions"] if not n.startswith(f"{data['name']}.")]
        if foreign:
            errors["permissions"] = [f"must begin with {data['name']}.: {', '.join(foreign)}"]
        for locale, words in data["words"].items():
            if unknown := words["permissions"].keys() - data["permissions"].keys():
                errors[f"words.{locale}.permissions"] = [f"not declared: {', '.join(unknown)}"]
        if errors:
            raise ValidationError(errors)

    @post_load
    def _make(self, data: dict[str, Any], **_options: Any) -> Manifest:
        permissions = data.pop("permissions")
        return Manifest(
            **{
                **data,
                "depends": tuple(data["depends"]),
                "levels": frozenset(data["levels"]),
                "capabilities": frozenset(data["capabilities"]),
                "words": {k: Words(**v) for k, v in data["words"].items()},
            },
            permissions={name: said["title"] for name, said in permissions.items()},
            granted={name: tuple(said["roles"]) for name, said in permissions.items()},
            personal=frozenset(name for name, said in permissions.items() if said["personal"]),
            at_till=frozenset(name for name, said in permissions.items() if said["at_till"]),
        )


def faults_of_name(name: str) -> list[str]:
    """What is wrong with a tool's name, empty for one that a manifest may bear."""
    try:
        ManifestSchema().fields["name"].deserialize(name)
    except ValidationError as error:
        return [str(one) for one in error.messages]
    return []


def find(package: str) -> Path:
    """Where a package keeps its plugin.toml, found without importing anything of it.

    Only the top-level package is looked up: finding a dotted name would import its parents.
    Raises BadManifestError if there is no such package or file.
    """
    top, *rest = package.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except Exception as error:  # an odd name, or a finder of another package's that is broken
        raise BadManifestError(_l("There is no package %(name)s.", name=top)) from error
    if spec is None:
        raise BadManifestError(_l("There is no package %(name)s.", name=top))
    for place in spec.submodule_search_locations or ():
        path = Path(place, *rest, FILE)
        if path.is_file():
            return path
    raise BadManifestError(_l("%(package)s has no %(file)s beside it.", package=package, file=FILE))


def read(path: Path) -> Manifest:
    """Load and check a plugin.toml. Raises BadManifestError, naming every wrong key."""
    try:
        with path.open("rb") as file:
            raw = file.read(MOST + 1)
        if len(raw) > MOST:
            raise ValueError(f"it is larger than {MOST // 1024} KiB")
        data = tomllib.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise BadManifestError(
            _l("%(file)s can't be read: save it as UTF-8 (%(why)s).", file=FILE, why=error)
        ) from error
    except (OSError, ValueError, RecursionError) as error:  # TOML's own errors are ValueErrors
        raise BadManifestError(
            _l("%(file)s can't be read: %(why)s", file=FILE, why=error)
        ) from error
    try:
        manifest: Manifest = ManifestSchema().load(data)
    except ValidationError as error:
        raise BadManifestError(
            _l("%(file)s is wrong: %(what)s", file=FILE, what=_messages(error))
        ) from error
    return manifest


def _messages(error: ValidationError) -> str:
    return _flat(error.normalized_messages())  # type: ignore[no-untyped-call]


def _flat(messages: Any, path: str = "") -> str:
    """marshmallow's nested messages in one line: "depends.0: …; name: …"."""
    if isinstance(messages, Mapping):
        parts = [_flat(m, f"{path}.{key}" if path else str(key)) for key, m in messages.items()]
        return "; ".join(parts)
    return f"{path}: {' '.join(str(m) for m in messages)}"
