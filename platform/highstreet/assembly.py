"""The one place where everything is put together."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NoReturn

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.orm import Session
from werkzeug.middleware.proxy_fix import ProxyFix

from highstreet import config as settings
from highstreet import i18n, rates, rooms
from highstreet.email.house import Mail
from highstreet.host import Host, gating, trial
from highstreet.host.counting import Counting
from highstreet.host.handing import Handing
from highstreet.house import House
from highstreet.jobs import JobRegistry, Runner, Upkeep
from highstreet.printing import shop
from highstreet.routes import Application
from highstreet.sdk import context
from highstreet.web.slots import SLOTS
from highstreet.webhooks.delivering import deliverer
from highstreet_tenants import words
from highstreet_tenants.base import Base
from highstreet_tenants.sealing import Sealing
from highstreet_tenants.sessions import ScopedSession, Tenancy

#: Seconds after which tools that are left out are looked at again: somebody may have migrated.
LOOK_AGAIN = 30.0


class _NoSession(Session):
    """Flask-SQLAlchemy's own session is closed: every query has a scope (`tenancy.session`)."""

    def __init__(self, *_args: Any, **_kwargs: Any) -> None:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise RuntimeError("db.session is closed: open tenancy.session(scope)")


db = SQLAlchemy(model_class=Base, session_options={"class_": _NoSession}, disable_autonaming=True)


def put_together(config: Mapping[str, Any] | None, *, faces: bool) -> Flask:
    """See `highstreet.app.create_app`."""
    values = settings.load(config)
    app = Application("highstreet", static_folder=None, template_folder=None)
    # Flask asks of ten functions in each request whether they are coroutines.
    app.ensure_sync = lru_cache(maxsize=1024)(app.ensure_sync)  # type: ignore[method-assign]
    app.config.update(
        SECRET_KEY=values["secret_key"],
        TESTING=values["testing"],
        SQLALCHEMY_DATABASE_URI=values["database_url"],
        SQLALCHEMY_ENGINE_OPTIONS={
            "pool_size": 20,
            "max_overflow": 20,
            "pool_use_lifo": True,
            "hide_parameters": True,
        },
        MAX_CONTENT_LENGTH=8 * 1024 * 1024,
        MAX_FORM_MEMORY_SIZE=2 * 1024 * 1024,  # a list of stores comes back from its preview
    )
    if hops := values["proxies"]:
        # Only so many entries of these headers are ours; a client can write the ones before.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    db.init_app(app)
    app.extensions["highstreet"] = house = _build(app, values, faces=faces)
    i18n.init_app(app, house.host.translations())
    sayings = house.host.sayings()
    # The ground floor shows titles of tools' permissions, which no catalogue has.
    words.use(lambda text: sayings.get(i18n.language(), {}).get(text) or i18n.gettext(text))
    if faces:
        from highstreet import rest, web

        web.init_app(app, house)
        rest.init_app(app, house)
    return app


def _build(app: Flask, values: dict[str, Any], *, faces: bool) -> House:
    rooms.load()  # the core's tables and hooks are known before any plugin is looked at
    host = Host.load(
        rooms.specs(),
        safe_mode=values["safe_mode"],
        make_ctx=context.make,
        slots=SLOTS,
        slow_ms=values["slow_hook_ms"],
        query_seconds=values["hook_query_seconds"],
        # An author's test run may die of the tool: that is plain enough.
        trial=None if values["testing"] else partial(trial.deadly, Path(values["instance"])),
    )
    with app.app_context():
        tenancy = Tenancy(db.engine, seconds=values["query_seconds"] if faces else 0)
    sealing = Sealing(values["secret_key"])
    registry = JobRegistry()
    registry.add(*rooms.jobs(), *host.jobs(), deliverer(local=values["webhooks_local"]))

    counting = Counting(tenancy, host.counts)
    upkeep = Upkeep(tenancy, registry, gating.stores_on, [Handing(tenancy), counting])
    runner = Runner(tenancy, registry, gating.job_guard, upkeep=upkeep)
    limits = rates.from_settings(
        values["redis_url"],
        per_key=values["rate_per_key"],
        per_address=values["rate_per_address"],
    )
    mail = Mail(app, values)
    house = House(values, tenancy.engine, tenancy, host, registry, runner, limits, counting, mail)

    print_shop = shop.of_config(values)

    def prepare(s: ScopedSession) -> None:
        s.info["host"] = host
        s.info["jobs"] = registry
        s.info["sealing"] = sealing
        s.info["mail"] = mail
        s.info["print"] = print_shop

    tenancy.on_open.append(prepare)
    return house
