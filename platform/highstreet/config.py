"""Settings of the installation: defaults, then a TOML file, then the environment."""

import os
import secrets
import tomllib
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from marshmallow import RAISE, Schema, ValidationError, fields, validate

from highstreet.i18n import gettext as _
from highstreet_tenants.errors import Invalid

PREFIX = "HIGHSTREET_"


class ConfigSchema(Schema):
    """Every setting, with its default. Unknown ones are refused, for a misspelt one is silent."""

    class Meta:
        """Refuse what nobody reads."""

        unknown = RAISE

    instance = fields.String(load_default="instance", metadata={"help": "folder for local files"})
    database_url = fields.String(
        load_default="", metadata={"help": "default: SQLite in `instance`"}
    )
    owner_database_url = fields.String(
        load_default="", metadata={"help": "PostgreSQL: the role that owns the tables; migrations"}
    )
    redis_url = fields.String(
        load_default="",
        validate=validate.Regexp(
            "$|(redis|rediss|unix)://", error="Write it like redis://HOST:6379/0"
        ),
        metadata={"help": "set: jobs travel through RQ"},
    )
    secret_key = fields.String(load_default="", metadata={"help": "default: kept in `instance`"})
    base_url = fields.Url(
        load_default="http://127.0.0.1:5050", require_tld=False, metadata={"help": "for links"}
    )
    smtp_url = fields.String(
        load_default="",
        metadata={"help": "where mail goes: smtp://USER:PASSWORD@HOST:587; default: none leaves"},
    )
    safe_mode = fields.Boolean(load_default=False, metadata={"help": "start without any plugin"})
    password_hasher = fields.String(
        load_default="argon2id", validate=validate.OneOf(["argon2id", "cheap"])
    )
    rate_per_key = fields.Integer(
        load_default=600,
        validate=validate.Range(min=0),
        metadata={"help": "REST calls a minute that one API key may make; 0: no limit"},
    )
    rate_per_address = fields.Integer(
        load_default=300,
        validate=validate.Range(min=0),
        metadata={"help": "requests a minute of strangers at one address; 0: no limit"},
    )
    proxies = fields.Integer(
        load_default=0,
        validate=validate.Range(min=0, max=5),
        metadata={"help": "how many proxies of yours stand in front and add X-Forwarded headers"},
    )
    migration_seconds = fields.Integer(
        load_default=600,
        validate=validate.Range(min=1),
        metadata={"help": "after this long a tool's migration is stopped"},
    )
    webhooks_local = fields.Boolean(
        load_default=False,
        metadata={"help": "for development: webhooks may go to http on this very machine"},
    )
    slow_hook_ms = fields.Integer(
        load_default=500,
        validate=validate.Range(min=1),
        metadata={"help": "a tool's hook that takes longer is a fault"},
    )
    query_seconds = fields.Float(
        load_default=20.0,
        validate=validate.Range(min=0),
        metadata={
            "help": "a page's or the REST API's statement that takes longer is given up; 0: never"
        },
    )
    hook_query_seconds = fields.Float(
        load_default=3.0,
        validate=validate.Range(min=0),
        metadata={
            "help": "PostgreSQL: the same for a statement in a tool's hook; 0: as the page's"
        },
    )
    font_folders = fields.String(
        load_default="",
        metadata={"help": "further folders of fonts for print, with : between (; on Windows)"},
    )
    testing = fields.Boolean(load_default=False)


def again(values: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a running installation, for `load` in another process of it."""
    return {name: values[name] for name in ConfigSchema._declared_fields if name in values}


def variables() -> list[str]:
    """Every environment variable that is read."""
    return sorted(PREFIX + name.upper() for name in (*ConfigSchema._declared_fields, "config"))


def strangers() -> list[str]:
    """Variables of the environment that look like ours and that nobody reads."""
    return sorted(
        name
        for name in os.environ.keys() - set(variables())
        if name.startswith(PREFIX) and not name.startswith((f"{PREFIX}TEST_", f"{PREFIX}BENCH_"))
    )


def load(given: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The settings: `given` beats the environment, which beats the file named by HIGHSTREET_CONFIG.

    Raises Invalid, naming the setting, for one that is unknown or wrong.
    """
    values: dict[str, Any] = {}
    file = os.environ.get(f"{PREFIX}CONFIG")
    if file:
        try:
            values |= tomllib.loads(Path(file).read_text(encoding="utf-8"))
        except (OSError, tomllib.TOMLDecodeError) as error:
            raise Invalid(
                _("The settings file %(file)s can't be read: %(why)s", file=file, why=error)
            ) from error
    for name in ConfigSchema._declared_fields:
        if (text := os.environ.get(PREFIX + name.upper())) is not None:
            values[name] = text
    values |= {name.lower(): value for name, value in (given or {}).items()}
    try:
        loaded: dict[str, Any] = ConfigSchema().load(values)
    except ValidationError as error:
        messages = error.messages_dict
        first = "; ".join(f"{key}: {' '.join(map(str, why))}" for key, why in messages.items())
        raise Invalid(_("A setting is wrong: %(what)s", what=first), fields=messages) from error
    return _complete(loaded)


def _complete(values: dict[str, Any]) -> dict[str, Any]:
    folder = Path(values["instance"]).absolute()
    values["instance"] = str(folder)
    try:
        if not values["database_url"]:
            _make_private(folder)
            values["database_url"] = f"sqlite:///{folder / 'highstreet.db'}"
        if not values["secret_key"]:
            values["secret_key"] = _kept_secret(folder)
    except OSError as error:
        raise Invalid(
            _(
                "The folder %(folder)s can't be used (%(why)s). Name another: "
                "highstreet --instance DIR, or HIGHSTREET_INSTANCE",
                folder=folder,
                why=error.strerror,
            )
        ) from error
    values["database_url"] = _database("database_url", values["database_url"])
    if values["owner_database_url"]:
        url = _database("owner_database_url", values["owner_database_url"])
        values["owner_database_url"] = url
    else:
        values["owner_database_url"] = values["database_url"]
    return values


def _database(name: str, url: str) -> str:
    """The URL with the driver that we use. Raises Invalid for one that we can't."""
    try:
        kind = sa.make_url(url).get_backend_name()
    except sa.exc.ArgumentError:
        kind = ""
    if url.startswith("postgres://"):  # as many hosts write it, SQLAlchemy no longer
        url, kind = f"postgresql{url.removeprefix('postgres')}", "postgresql"
    if kind not in ("sqlite", "postgresql"):
        raise Invalid(
            _(
                "A setting is wrong: %(what)s",
                what=f"{name}: postgresql://USER@HOST/DATABASE, or sqlite:////PATH/FILE.db",
            )
        )
    if kind == "postgresql" and find_spec("psycopg") is None:
        raise Invalid(_("PostgreSQL needs a driver: pip install 'highstreet[postgres]'"))
    if url.startswith("postgresql://"):
        url = f"postgresql+psycopg{url.removeprefix('postgresql')}"
    return url


def _make_private(folder: Path) -> None:
    """Make the folder, if need be, for its owner's eyes: it holds customers and the secret."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)


def _kept_secret(folder: Path) -> str:
    """A random secret, made once and readable by its owner only."""
    _make_private(folder)
    path = folder / "secret"
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(48))
    return path.read_text(encoding="ascii").strip()
