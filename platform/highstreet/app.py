"""The one place where everything is put together."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, NoReturn

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.orm import Session

from highstreet import config as settings
from highstreet import i18n
from highstreet.host import Host
from highstreet.house import House
from highstreet.jobs import JobRegistry, Runner
from highstreet_tenants import walls, words
from highstreet_tenants.base import Base
from highstreet_tenants.sessions import ScopedSession, Tenancy

__all__ = ["House", "create_app", "db", "house_of"]

log = logging.getLogger("highstreet")


class _NoSession(Session):
    """Flask-SQLAlchemy's own session is closed: every query has a scope (`tenancy.session`)."""

    def __init__(self, *_args: Any, **_kwargs: Any) -> None:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise RuntimeError("db.session is closed: open tenancy.session(scope)")


db = SQLAlchemy(model_class=Base, session_options={"class_": _NoSession}, disable_autonaming=True)


def create_app(config: Mapping[str, Any] | None = None, *, faces: bool = True) -> Flask:
    """The application. `config` beats environment and file; `faces=False` leaves out the web.

    Raises Invalid for a wrong setting. A plugin that can't load never stops the start.
    """
    values = settings.load(config)
    app = Flask("highstreet", static_folder=None, template_folder=None)
    app.config.update(
        SECRET_KEY=values["secret_key"],
        TESTING=values["testing"],
        SQLALCHEMY_DATABASE_URI=values["database_url"],
        SQLALCHEMY_ENGINE_OPTIONS={"pool_size": 20, "max_overflow": 20},
        MAX_CONTENT_LENGTH=8 * 1024 * 1024,
    )
    words.use(i18n.gettext)
    db.init_app(app)
    app.extensions["highstreet"] = house = _build(app, values)
    i18n.init_app(app, house.host.translations())
    if faces:
        from highstreet import rest, web

        web.init_app(app, house)
        rest.init_app(app, house)
    return app


def _build(app: Flask, values: dict[str, Any]) -> House:
    _core_tables()
    host = Host.load(safe_mode=values["safe_mode"])
    walls.forget()  # plugins brought tables
    with app.app_context():
        engine = db.engine
    tenancy = Tenancy(engine)
    jobs = _jobs(host)

    def prepare(s: ScopedSession) -> None:
        s.info["host"] = host
        s.info["jobs"] = jobs

    tenancy.on_open.append(prepare)
    runner = Runner(tenancy, jobs, guard=host.job_guard(tenancy))
    return House(values, engine, tenancy, host, jobs, runner)


def _core_tables() -> None:
    """Every room's tables and hooks, known before any plugin is looked at."""
    from highstreet import rooms

    rooms.load()


def _jobs(host: Host) -> JobRegistry:
    from highstreet import rooms

    registry = JobRegistry()
    for job in (*rooms.jobs(), *host.jobs()):
        registry.add(job)
    return registry


def house_of(app: Flask) -> House:
    """The house of an application."""
    house: House = app.extensions["highstreet"]
    return house
