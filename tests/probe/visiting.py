"""Visits: one request as somebody, whose answer (and what is logged meanwhile) is searched for what
they may not see.
"""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from uuid import uuid4

from flask import Flask
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from highstreet.kit import marks
from probe.actors import Actor
from probe.bodies import Bodies
from probe.world import Site, World

SAFE = ("GET",)
#: It answers 503 while nobody runs jobs, and nobody does here.
SAYS_NOT_READY = "health.ready"
#: Routes that count wrong passwords, of which the probe sends many.
COUNTS_TRIES = frozenset({"/signin", "/me/password"})
LOGGERS = ("highstreet", "highstreet_tenants")


@dataclass
class Visitor:
    """Somebody with a browser or a key. `findings` says what is wrong; `counts` what was done."""

    world: World
    actor: Actor
    findings: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    _said: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.app: Flask = self.world.app
        self.bodies = Bodies(self.app)
        self._log = _Lines()
        self._client = self._fresh()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Meanwhile whatever the house logs is searched too: a log names nobody."""
        loggers = [logging.getLogger(name) for name in LOGGERS]
        levels = [one.level for one in loggers]
        for one in loggers:
            one.addHandler(self._log)
            one.setLevel(logging.INFO)
        try:
            yield
        finally:
            for one, level in zip(loggers, levels, strict=True):
                one.removeHandler(self._log)
                one.setLevel(level)

    def send(
        self,
        rule: Rule,
        method: str,
        place: Site | None,
        given: Mapping[str, Any],
        sent: Mapping[str, Any] | None = None,
        *,
        json: Any = None,
        key: str = "",
    ) -> TestResponse | None:
        """One request; what it shows is searched. None if it raised.

        given: arguments of the address; sent: a form or query (bytes for a file); json: a body;
        key: the Idempotency-Key.
        """
        address = self.address(rule, place, given)
        more: dict[str, Any] = {"headers": self._headers(key)}
        if self.is_api(rule) and self.actor.kind == "key" and method not in SAFE:
            more["json"] = json or self.bodies.sound(rule, method, self.actor.home)
            more["headers"]["If-Match"] = self._etag(address)
        elif sent:
            more["query_string" if method in SAFE else "data"] = {
                name: (BytesIO(value), "probe.csv") if isinstance(value, bytes) else value
                for name, value in sent.items()
            }
        client = self._client if method in SAFE or self.actor.kind != "user" else self._fresh()
        self.counts["requests"] += 1
        try:
            answer = client.open(address, method=method, **more)
            if self._signed_out(answer):  # some form ended all of this person's sessions
                client = self._client = self._fresh()
                answer = client.open(address, method=method, **more)
        except Exception as error:
            self.blame(rule, method, f"raised {type(error).__name__}: {error}", given)
            return None
        self.counts[str(answer.status_code)] += 1
        if answer.status_code >= 500 and rule.endpoint != SAYS_NOT_READY:
            self.blame(rule, method, f"{answer.status_code}", {**given, **(sent or {})})
        if answer.status_code == 429 and rule.rule not in COUNTS_TRIES:
            said = "429: lift the limit in make_app (tests/probe/conftest.py), it hides the rest"
            self.blame(rule, method, said, {})
        self._search(rule, method, address, answer, given, {**(sent or {}), **(json or {})})
        return answer

    def _search(
        self,
        rule: Rule,
        method: str,
        address: str,
        answer: TestResponse,
        given: Mapping[str, Any],
        sent: Mapping[str, Any],
    ) -> None:
        """Blame the route for every mark that the actor may not see, unless it was sent along."""
        kept = set().union(*(marks.planted(value) for value in _strings(sent)))
        if method not in SAFE:
            self.world.planted |= kept
        body = answer.get_data().decode("utf-8", "replace")
        shown = marks.found(body, str(answer.headers), but=self.world.planted | kept)
        for mark in sorted(shown - self.actor.visible - marks.found(address)):
            self.blame(rule, method, f"shows {mark}", {**given, **sent})
        for mark in sorted(marks.found(*self._log.taken())):
            if mark.kind == "folk":
                self.blame(rule, method, f"logs {mark}", {**given, **sent})

    def address(self, rule: Rule, place: Site | None, given: Mapping[str, Any]) -> str:
        """The path of a rule in a place."""
        values = {**given, **(place.slugs if place else {})}
        values = {k: v for k, v in values.items() if k in rule.arguments}
        return self.app.url_map.bind("localhost").build(rule.endpoint, values, method=None)

    def _etag(self, address: str) -> str:
        """What a careful client sends along with a change."""
        found = self._client.get(address, headers=self._headers())
        return found.headers.get("ETag", '"none"')

    def _headers(self, key: str = "") -> dict[str, str]:
        if self.actor.kind != "key":
            return {}
        return {
            "Authorization": f"Bearer {self.world.keys[self.actor.home.owner]}",
            "Idempotency-Key": key or uuid4().hex,
        }

    def _fresh(self) -> Any:
        """A browser, signed in if the actor is somebody."""
        client = self.app.test_client()
        if self.actor.device:
            token = self.actor.home.ids["till_token"][0]
            client.set_cookie("hs-till", token, domain="localhost")
        if self.actor.kind == "user":
            home = self.actor.home.owner
            seat = self.world.seats[home] if self.actor.by_pin else None
            token = self.world.sign_in(self.actor.login or home, seat=seat)
            client.set_cookie("hs-session", token, domain="localhost")
        return client

    def _signed_out(self, answer: TestResponse) -> bool:
        return self.actor.kind == "user" and (
            "/signin?next=" in answer.headers.get("Location", "") or answer.status_code == 401
        )

    def view(self, rule: Rule) -> Any:
        """The function behind a rule."""
        return self.app.view_functions[rule.endpoint]

    def is_api(self, rule: Rule) -> bool:
        """Whether a key opens it, not a session."""
        return rule.rule.startswith("/api/v1")

    def blame(self, rule: Rule, method: str, what: str, given: Mapping[str, Any]) -> None:
        """Note what is wrong with a route, once."""
        said = f"{self.actor.name}: {method} {rule.rule} {what}"
        if said not in self._said:
            self._said.add(said)
            self.findings.append(f"{said} with {given}"[:400] if given else said)


class _Lines(logging.Handler):
    """What was logged since somebody last asked."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(self.format(record))

    def taken(self) -> list[str]:
        """The lines, forgotten with that."""
        lines, self._lines = self._lines, []
        return lines


def _strings(value: Any) -> Iterator[str]:
    """All values in what was sent, however deep."""
    if isinstance(value, Mapping):
        for one in value.values():
            yield from _strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from _strings(one)
    elif isinstance(value, bytes):
        yield from value.decode("utf-8", "replace").split(",")
    else:
        yield str(value)


def report(findings: list[str]) -> str:
    """The findings, one a line."""
    return "\n".join([f"{len(findings)} findings", *findings[:40]])
