"""Walking the URL map as somebody: every route, every method, with what is not theirs in hand."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from werkzeug.routing import BuildError, Rule
from werkzeug.test import TestResponse

from highstreet.host import access
from probe import arguments, marks, recording
from probe.actors import Actor
from probe.arguments import Untaught, Value
from probe.bodies import Bodies
from probe.world import Site, World

SAFE = ("GET",)
#: It answers 503 while nobody runs jobs, and nobody does here.
SAYS_NOT_READY = "health.ready"


@dataclass
class Walk:
    """One actor's walk. `findings` says what is wrong; `counts` what was done."""

    world: World
    actor: Actor
    findings: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    opened: set[str] = field(default_factory=set)
    only: str | None = None
    _said: set[str] = field(default_factory=set)
    _turn: int = 0

    def __post_init__(self) -> None:
        self.app = self.world.app
        self.bodies = Bodies(self.app)
        self._client = self._fresh()

    def run(self) -> "Walk":
        """Walk every route; `only` keeps to one endpoint."""
        for rule in self.app.url_map.iter_rules():
            if self.only is not None and rule.endpoint != self.only:
                continue
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                self.counts["routes"] += 1
                try:
                    self._rule(rule, method)
                except (Untaught, BuildError) as error:
                    self.findings.append(str(error))
        return self

    def _rule(self, rule: Rule, method: str) -> None:
        named = [a for a in sorted(rule.arguments) if a not in arguments.PLACE]
        kinds = {a: arguments.kind_of(rule, a) for a in named}
        for place, is_open in self._places(rule):
            if not is_open:
                self._closed(rule, method, kinds, place)
            else:
                self._open(rule, method, kinds, place)

    def _places(self, rule: Rule) -> Iterator[tuple[Site | None, bool]]:
        """Where to stand for a rule, and whether the actor is at home there."""
        wanted = [a for a in arguments.PLACE if a in rule.arguments]
        if not wanted or access.why_public(self._view(rule)) is not None:
            yield (self.actor.home if wanted else None), True
            return
        shape = "store" in wanted
        fit = [s for s in self.world.sites.values() if (s.store is not None) == shape]
        mine = [s for s in fit if s in self.actor.places]
        if mine:
            yield mine[0], True
        closed = [s for s in fit if s not in self.actor.places]
        sister = [s for s in closed if s.brand is self.actor.home.brand]
        stranger = [s for s in closed if s.brand is not self.actor.home.brand]
        # By turns a sister's and a stranger's. Who is nobody here is nobody everywhere.
        near = sister[:1] if self.actor.kind == "user" else []
        both = [*near, *stranger[:1]]
        self._turn += 1
        yield both[self._turn % len(both)], False

    def _closed(
        self, rule: Rule, method: str, kinds: dict[str, str | None], place: Site | None
    ) -> None:
        """An address of somebody else's, with what is there."""
        assert place is not None
        given = {a: self._of(rule, a, kind, place).value for a, kind in kinds.items()}
        answer = self._send(rule, method, place, given)
        if answer is None:
            return
        self.counts["foreign places"] += 1
        allowed = {404} if self.actor.kind == "user" else {303, 401, 404}
        if answer.status_code not in allowed:
            self._blame(rule, method, f"{answer.status_code} in {place.owner}", given)
        elif answer.status_code == 303 and "/signin" not in answer.headers["Location"]:
            self._blame(rule, method, f"lets in at {place.owner}", given)

    def _open(
        self, rule: Rule, method: str, kinds: dict[str, str | None], place: Site | None
    ) -> None:
        home = place or self.actor.home
        if self._is_api(rule) and self.actor.kind != "key":
            answer = self._send(rule, method, place, next(self._own(rule, method, kinds, home)))
            if answer is not None and answer.status_code != 401:
                self._blame(rule, method, f"{answer.status_code} without a key", {})
            return
        plain: dict[str, str] = {}
        for own in self._own(rule, method, kinds, home):
            plain |= self._names(rule, method, place, own)
        if method in SAFE:
            plain = {}
        owned = {a: kind for a, kind in kinds.items() if kind and "token" not in kind}
        for argument, kind in owned.items():
            mine = next(self._own(rule, method, kinds, home))
            none = mine | {argument: arguments.missing(kind)}
            missing = self._send(rule, method, place, none, plain)
            for value in self._foreign(kind, method):
                theirs = mine | {argument: value.value}
                answer = self._send(rule, method, place, theirs, plain)
                self.counts["foreign ids"] += 1
                # What a walker wrote down as its own is no longer foreign.
                known = marks.planted(str(value.value)) & self.world.planted
                if answer is not None and missing is not None and not known:
                    self._same(rule, method, missing, answer, value)
        if len(owned) > 1:
            for site in self._strangers():
                given = {a: self._of(rule, a, kind, site).value for a, kind in kinds.items()}
                self._send(rule, method, place, given, plain)

    def _same(
        self, rule: Rule, method: str, missing: TestResponse, answer: TestResponse, value: Value
    ) -> None:
        """What is another's must look as if it did not exist."""
        if answer.status_code != missing.status_code:
            self._blame(
                rule, method,
                f"{answer.status_code} for {value.owner}'s, {missing.status_code} for nobody's",
                {},
            )  # fmt: skip

    def _own(
        self, rule: Rule, method: str, kinds: dict[str, str | None], home: Site
    ) -> Iterator[dict[str, Any]]:
        """Arguments of the actor's own; each value of those that are nobody's."""
        given: dict[str, Any] = {}
        loose = {a: arguments.free(rule, a) for a, kind in kinds.items() if kind is None}
        for argument, kind in kinds.items():
            if kind == "token" and self.actor.kind == "member":
                given[argument] = self.actor.home.ids["own_token"][0]
            elif kind is not None and "token" in kind:
                given[argument] = arguments.missing(kind)
            elif kind is not None:
                given[argument] = self._mine(kind, method, home, given.values())
        first = given | {a: values[0].value for a, values in loose.items()}
        yield first
        for argument, values in loose.items():
            for value in values[1:]:
                yield first | {argument: value.value}

    def _mine(self, kind: str, method: str, home: Site, used: Any) -> Any:
        """An id of the actor's own; one that can be spared where the method changes something."""
        if kind == "customer" and method not in SAFE:
            return self.world.spare_one(home)
        found = [v.value for v in arguments.known(kind, home) if v.value not in used]
        if not found:
            # Head office has no till: what it may look at is its stores'.
            stores = [s for s in self.world.sites.values() if s.brand is home.brand and s.store]
            found = [v.value for s in stores for v in arguments.known(kind, s)]
            found = [value for value in found if value not in used] or [arguments.missing(kind)]
        return found[0] if method in SAFE else found[-1]

    def _of(self, rule: Rule, argument: str, kind: str | None, site: Site) -> Value:
        """An argument as it is at a site, foreign or not."""
        if kind is None:
            return arguments.free(rule, argument)[0]
        stores = [s for s in self.world.sites.values() if s.brand is site.brand and s.store]
        for there in (site, *stores):
            found = arguments.known(kind, there)
            if found and "token" not in kind:
                return found[0]
        return Value(arguments.missing(kind))

    def _strangers(self) -> list[Site]:
        """One site of the own brand that is not the actor's, and the other brand's."""
        sites = [s for s in self.world.sites.values() if s not in self.actor.places]
        sites = [s for s in sites if s is not self.actor.home]
        ours = [s for s in sites if s.brand is self.actor.home.brand and s.store]
        theirs = [s for s in sites if s.brand is not self.actor.home.brand]
        return [*ours[-1:], *theirs]

    def _foreign(self, kind: str, method: str) -> list[Value]:
        """Values of a kind that are not the actor's to see: one of each owner.

        What changes something gets another one than what looks, for it may be kept.
        """
        found: dict[str, Value] = {}
        people = kind in arguments.FOLK or kind == "reward_button"
        firms = {mark.owner for mark in self.actor.visible if mark.kind == "firm"}
        visible = self.actor.owners if people else firms
        for site in self._strangers():
            values = arguments.known(kind, site)
            for value in values if method in SAFE else reversed(values):
                if value.owner not in visible:
                    found.setdefault(value.owner, value)
        return list(found.values())[:2]

    def _names(
        self, rule: Rule, method: str, place: Site | None, given: dict[str, Any]
    ) -> dict[str, str]:
        """A request of one's own, then with each form or query name filled with what is foreign.
        Gives names and values with which a form is likely to pass.
        """
        answer, asked = self._listen(rule, method, place, given, {})
        if answer is None:
            return {}
        self._note(rule, method, answer)
        if self._is_api(rule) and method not in SAFE:
            self._json(rule, method, place, given)
            return {}
        plain = self._plain(rule, method, place, asked)
        for _round in range(2 if asked else 0):
            fresh = self._refreshed(rule, method, place, given)
            answer, more = self._listen(rule, method, place, fresh, plain)
            self._note(rule, method, answer)
            if more <= asked:
                break
            asked |= more
            plain = self._plain(rule, method, place, asked)
        for name in sorted(asked & set(arguments.OWNED)):
            for kind in arguments.OWNED[name]:
                for value in self._foreign(kind, method):
                    self.counts["foreign names"] += 1
                    base = {} if method in SAFE else plain
                    fresh = self._refreshed(rule, method, place, given)
                    sent = base | {name: str(value.value)}
                    self._note(rule, method, self._send(rule, method, place, fresh, sent))
        return plain

    def _refreshed(
        self, rule: Rule, method: str, place: Site | None, given: dict[str, Any]
    ) -> dict[str, Any]:
        """The arguments, with another customer in the place of one who may be gone by now."""
        if method in SAFE:
            return given
        kinds = {a: arguments.kind_of(rule, a) for a in given}
        home = place or self.actor.home
        return given | {a: self.world.spare_one(home) for a, kind in kinds.items() if kind == "customer"}

    def _note(self, rule: Rule, method: str, answer: TestResponse | None) -> None:
        if answer is not None and answer.status_code < 400:
            self.opened.add(f"{method} {rule.endpoint}")

    def _plain(
        self, rule: Rule, method: str, place: Site | None, asked: set[str]
    ) -> dict[str, str]:
        found = {}
        for name in asked:
            if name in arguments.PLAIN:
                found[name] = arguments.PLAIN[name]
            elif name in arguments.OWNED and method not in SAFE:
                found[name] = arguments.usual(name, place or self.actor.home)
            elif name not in arguments.OWNED and not name.startswith(arguments.MADE):
                self._blame(rule, "", str(Untaught(name, rule.rule)), {})
        return found

    def _json(self, rule: Rule, method: str, place: Site | None, given: dict[str, Any]) -> None:
        """Bodies of the API, each with something foreign in it."""
        for name in self.bodies.names(rule, method):
            for kind in arguments.OWNED.get(name, ()):
                for value in self._foreign(kind, method):
                    self.counts["foreign names"] += 1
                    foreign = self.bodies.sound(rule, method, self.actor.home)
                    foreign = self.bodies.with_(foreign, name, value.value)
                    fresh = self._refreshed(rule, method, place, given)
                    self._send(rule, method, place, fresh, json=foreign)

    def _listen(
        self, rule: Rule, method: str, place: Site | None, given: dict[str, Any],
        sent: dict[str, str],
    ) -> tuple[TestResponse | None, set[str]]:  # fmt: skip
        recording.asked.clear()
        answer = self._send(rule, method, place, given, sent)
        return answer, set(recording.asked)

    def _send(
        self,
        rule: Rule,
        method: str,
        place: Site | None,
        given: dict[str, Any],
        sent: dict[str, str] | None = None,
        json: Any = None,
    ) -> TestResponse | None:
        """One request; what it shows is searched. None if it raised."""
        address = self._address(rule, place, given)
        more: dict[str, Any] = {"headers": self._headers(method)}
        if self._is_api(rule) and self.actor.kind == "key" and method not in SAFE:
            more["json"] = json or self.bodies.sound(rule, method, self.actor.home)
            more["headers"]["If-Match"] = self._etag(address)
        elif sent:
            more["query_string" if method in SAFE else "data"] = sent
        client = self._client if method in SAFE or self.actor.kind != "user" else self._fresh()
        self.counts["requests"] += 1
        try:
            answer = client.open(address, method=method, **more)
            if self._signed_out(answer):  # some form ended all of this person's sessions
                client = self._client = self._fresh()
                answer = client.open(address, method=method, **more)
        except Exception as error:
            self._blame(rule, method, f"raised {type(error).__name__}: {error}", given)
            return None
        self.counts[str(answer.status_code)] += 1
        if answer.status_code >= 500 and rule.endpoint != SAYS_NOT_READY:
            self._blame(rule, method, f"{answer.status_code}", given | (sent or {}))
        said = {str(value) for value in (*(sent or {}).values(), *(json or {}).values())}
        kept = set().union(*(marks.planted(value) for value in said))
        if method not in SAFE:
            self.world.planted |= kept
        body = answer.get_data().decode("utf-8", "replace")
        shown = marks.found(body, str(answer.headers), but=self.world.planted | kept)
        for mark in sorted(shown - self.actor.visible - marks.found(address)):
            self._blame(rule, method, f"shows {mark}", given | (sent or {}))
        return answer

    def _address(self, rule: Rule, place: Site | None, given: dict[str, Any]) -> str:
        values = {**given, **(place.slugs if place else {})}
        values = {k: v for k, v in values.items() if k in rule.arguments}
        return self.app.url_map.bind("localhost").build(rule.endpoint, values, method=None)

    def _etag(self, address: str) -> str:
        """What a careful client sends along with a change."""
        found = self._client.get(address, headers=self._headers("GET"))
        return found.headers.get("ETag", '"none"')

    def _headers(self, method: str) -> dict[str, str]:
        headers = {}
        if self.actor.kind == "key":
            headers["Authorization"] = f"Bearer {self.world.keys[self.actor.home.owner]}"
            headers["Idempotency-Key"] = uuid4().hex
        return headers

    def _fresh(self) -> Any:
        """A browser, signed in if the actor is somebody."""
        client = self.world.app.test_client()
        if self.actor.kind == "user":
            token = self.world.sign_in(self.actor.login or self.actor.home.owner)
            client.set_cookie("hs-session", token, domain="localhost")
        return client

    def _signed_out(self, answer: TestResponse) -> bool:
        return self.actor.kind == "user" and (
            "/signin?next=" in answer.headers.get("Location", "") or answer.status_code == 401
        )

    def _view(self, rule: Rule) -> Any:
        return self.app.view_functions[rule.endpoint]

    def _is_api(self, rule: Rule) -> bool:
        return rule.rule.startswith("/api/v1")

    def _blame(self, rule: Rule, method: str, what: str, given: dict[str, Any]) -> None:
        said = f"{self.actor.name}: {method} {rule.rule} {what}"
        if said not in self._said:
            self._said.add(said)
            self.findings.append(f"{said} with {given}"[:400] if given else said)


def report(findings: list[str]) -> str:
    """The findings, one a line."""
    return "\n".join([f"{len(findings)} findings", *findings[:40]])
