"""Walking the URL map as somebody: every route, every method, with what is not theirs in hand."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from werkzeug.routing import BuildError, Rule
from werkzeug.test import TestResponse

from highstreet.host import access
from highstreet.kit import marks
from probe import arguments, recording
from probe.arguments import Untaught, Value
from probe.visiting import SAFE, Visitor
from probe.world import KEPT, Site


@dataclass
class Walk(Visitor):
    """One actor's walk. opened: what let them in; only: keep to one endpoint."""

    opened: set[str] = field(default_factory=set)
    only: str | None = None
    _turn: int = 0

    def run(self) -> "Walk":
        """Walk every route."""
        routes = [
            (rule, method)
            for rule in self.app.url_map.iter_rules()
            if self.only in (None, rule.endpoint)
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
        ]
        routes.sort(key=lambda route: route[1] == "DELETE")  # what is gone opens no other door
        with self.listening():
            for rule, method in routes:
                self.counts["routes"] += 1
                try:
                    self._rule(rule, method)
                except (Untaught, BuildError) as error:
                    self.findings.append(str(error))
        return self

    def _rule(self, rule: Rule, method: str) -> None:
        named = [a for a in sorted(rule.arguments) if a not in arguments.PLACE]
        kinds = {a: arguments.kind_of(rule, a) for a in named}
        for place, is_open in self.places(rule):
            if not is_open:
                self._closed(rule, method, kinds, place)
            else:
                self._open(rule, method, kinds, place)

    def places(self, rule: Rule) -> Iterator[tuple[Site | None, bool]]:
        """Where to stand for a rule, and whether the actor is at home there."""
        wanted = [a for a in arguments.PLACE if a in rule.arguments]
        if not wanted or access.why_public(self.view(rule)) is not None:
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
        answer = self.send(rule, method, place, given)
        if answer is None:
            return
        self.counts["foreign places"] += 1
        allowed = {404} if self.actor.kind == "user" else {303, 401, 404}
        if answer.status_code not in allowed:
            self.blame(rule, method, f"{answer.status_code} in {place.owner}", given)
        elif answer.status_code == 303 and "/signin" not in answer.headers["Location"]:
            self.blame(rule, method, f"lets in at {place.owner}", given)

    def _open(
        self, rule: Rule, method: str, kinds: dict[str, str | None], place: Site | None
    ) -> None:
        home = place or self.actor.home
        if self.is_api(rule) and self.actor.kind != "key":
            answer = self.send(rule, method, place, next(self.own(rule, method, kinds, home)))
            if answer is not None and answer.status_code != 401:
                self.blame(rule, method, f"{answer.status_code} without a key", {})
            return
        plain: dict[str, str] = {}
        for own in self.own(rule, method, kinds, home):
            plain |= self._names(rule, method, place, own)
        if method in SAFE:
            plain = {}
        owned = {a: kind for a, kind in kinds.items() if kind and "token" not in kind}
        for argument, kind in owned.items():
            mine = next(self.own(rule, method, kinds, home))
            none = mine | {argument: arguments.missing(kind)}
            missing = self.send(rule, method, place, none, plain)
            for value in self._foreign(kind, method):
                theirs = mine | {argument: value.value}
                answer = self.send(rule, method, place, theirs, plain)
                self.counts["foreign ids"] += 1
                # What a walker wrote down as its own is no longer foreign.
                known = marks.planted(str(value.value)) & self.world.planted
                if answer is not None and missing is not None and not known:
                    self._same(rule, method, missing, answer, value)
        if len(owned) > 1:
            for site in self._strangers():
                given = {a: self._of(rule, a, kind, site).value for a, kind in kinds.items()}
                self.send(rule, method, place, given, plain)

    def _same(
        self, rule: Rule, method: str, missing: TestResponse, answer: TestResponse, value: Value
    ) -> None:
        """What is another's must look as if it did not exist."""
        if answer.status_code != missing.status_code:
            self.blame(
                rule, method,
                f"{answer.status_code} for {value.owner}'s, {missing.status_code} for nobody's",
                {},
            )  # fmt: skip

    def own(
        self, rule: Rule, method: str, kinds: dict[str, str | None], home: Site
    ) -> Iterator[dict[str, Any]]:
        """Arguments of the actor's own; each value of those that are nobody's."""
        given: dict[str, Any] = {}
        loose = {a: arguments.free(rule, a) for a, kind in kinds.items() if kind is None}
        if "merged" in kinds.values() and method not in SAFE:
            given |= self._pair(kinds, home)
        for argument, kind in kinds.items():
            if argument in given:
                continue
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
        if self.is_api(rule) and method not in SAFE:
            self._json(rule, method, place, given)
            return {}
        plain = self._plain(rule, method, place, asked)
        for _round in range(2 if asked else 0):
            fresh = self._refreshed(rule, method, place, given)
            beside = self._beside(rule, method, place, fresh)
            answer, more = self._listen(rule, method, place, fresh, plain | beside)
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
                    self._note(rule, method, self.send(rule, method, place, fresh, sent))
        return plain

    def _refreshed(
        self, rule: Rule, method: str, place: Site | None, given: dict[str, Any]
    ) -> dict[str, Any]:
        """The arguments, with another customer in the place of one who may be gone by now."""
        if method in SAFE:
            return given
        kinds = {a: arguments.kind_of(rule, a) for a in given}
        home = place or self.actor.home
        if "merged" in kinds.values():
            return given | self._pair(kinds, home)
        people = [a for a, kind in kinds.items() if kind == "customer"]
        return given | {a: self.world.spare_one(home) for a in people}

    def _pair(self, kinds: dict[str, str | None], home: Site) -> dict[str, Any]:
        """The arguments of a merge that can be taken back."""
        kept, gone = self.world.spare_pair(home)
        both = {"customer": kept, "merged": gone}
        return {a: both[kind] for a, kind in kinds.items() if kind in both}

    def _beside(
        self, rule: Rule, method: str, place: Site | None, given: dict[str, Any]
    ) -> dict[str, str]:
        """What the form must name of the customer in the address."""
        name = arguments.THEIRS.get(rule.endpoint)
        if name is None or method in SAFE:
            return {}
        home = place or self.actor.home
        return {name: self.world.theirs(home, name, given["customer_id"])}

    def _note(self, rule: Rule, method: str, answer: TestResponse | None) -> None:
        if answer is not None and answer.status_code < 400:
            self.opened.add(f"{method} {rule.endpoint}")

    def _plain(
        self, rule: Rule, method: str, place: Site | None, asked: set[str]
    ) -> dict[str, str]:
        found = {}
        for name in sorted(asked):
            if name in arguments.PLAIN:
                found[name] = arguments.PLAIN[name]
            elif name in arguments.OWNED and method not in SAFE:
                found[name] = arguments.usual(name, place or self.actor.home)
            elif name not in arguments.OWNED and not name.startswith(arguments.MADE):
                self.blame(rule, "", str(Untaught(name, rule.rule)), {})
        return found

    def _json(self, rule: Rule, method: str, place: Site | None, given: dict[str, Any]) -> None:
        """Bodies of the API, each with something foreign in it; and a sound one under each key
        under which another store's answer is kept.
        """
        for path in self.bodies.paths(rule, method):
            kinds = arguments.in_body(path, rule)
            for value in [one for kind in kinds for one in self._foreign(kind, method)]:
                self.counts["foreign names"] += 1
                body = self.bodies.sound(rule, method, self.actor.home)
                body = self.bodies.with_(body, path, value.value)
                fresh = self._refreshed(rule, method, place, given)
                self.send(rule, method, place, fresh, json=body)
        for site in self._strangers():
            if site.store is not None and (method, rule.rule) == KEPT:
                self.counts["foreign keys"] += 1
                answer = self.send(rule, method, place, given, key=f"probe-{site.owner}")
                shown = f"{answer.headers} {answer.text}" if answer is not None else ""
                if "Idempotent-Replay" in shown or "idempotency-key-reused" in shown:
                    self.blame(rule, method, f"knows the key of an answer to {site.owner}", {})

    def _listen(
        self, rule: Rule, method: str, place: Site | None, given: dict[str, Any],
        sent: dict[str, str],
    ) -> tuple[TestResponse | None, set[str]]:  # fmt: skip
        recording.asked.clear()
        answer = self.send(rule, method, place, given, sent)
        return answer, set(recording.asked)
