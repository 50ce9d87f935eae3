"""What is another's stays another's: every screen, operation, hook, slot, job and verb."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID, uuid4

from werkzeug.routing import Rule

from highstreet.host import slots as host_slots
from highstreet.host import verbs as host_verbs
from highstreet.kit import life as lives
from highstreet.kit import marks
from highstreet.kit.bench import Bench, let_go, methods
from highstreet.kit.check import Finding, NotAsked, check
from highstreet.kit.checks import settings
from highstreet.kit.life import Life
from highstreet.kit.marks import Mark
from highstreet.kit.rows import changed, fingerprint
from highstreet.kit.subject import place_of
from highstreet.kit.town import Office, Shop
from highstreet.web.slots import SLOTS
from highstreet_tenants.errors import HighstreetError

MEND = (
    "Read through ctx, in the request that asks: a module's variable, a file or a cache is every"
    " store's. Where something must be kept, key it by brand and store."
)


def _foreign(place: Shop | Office, text: str) -> list[Mark]:
    """Marks in a text that may not be read in a place."""
    return sorted(marks.found(text) - lives.visible(place))


def _told(what: str, place: Shop | Office, text: str, where: str) -> Iterator[Finding]:
    for mark in _foreign(place, text)[:1]:
        yield Finding(f"{what} shows, in {place.slug}, what is {mark}.", MEND, where)


def others(bench: Bench, shop: Shop) -> list[Shop]:
    """A sister store whose people are not this one's, and a stranger's."""
    sister = next(one for one in shop.office.shops if one is not shop)
    stranger = next(one for one in bench.town.shops if one.office is not shop.office)
    return [sister, stranger]


def shared(shop: Shop, other: Shop, argument: str) -> bool:
    """Whether members of a club are this store's as well."""
    club = shop.office is other.office and shop.office.customers == "brand"
    return club and ("customer" in argument or "member" in argument)


@check("leak-pages")
def leak_pages(bench: Bench) -> Iterator[Finding]:
    """No page of a store, a head office or a member shows what is another's."""
    assert bench.lives
    for _turn in range(2):  # what the first round left behind, the second would show
        for shop in bench.town.shops:
            browser = shop.browser()
            for _face, rule in bench.routes("store"):
                yield from _visit(bench, shop, browser, rule, bench.slugs(shop), shop)
        for office in bench.town.brands.values():
            browser = office.browser()
            for _face, rule in bench.routes("office"):
                yield from _visit(bench, office, browser, rule, {"brand": office.slug}, None)
    if bench.tables() and not bench.rows():
        raise NotAsked(f"its tables are empty, so its pages had little to show; {bench.HAND}")


def _visit(
    bench: Bench, place: Shop | Office, client: Any, rule: Rule, slugs: dict[str, str],
    shop: Shop | None, **more: Any,
) -> Iterator[Finding]:  # fmt: skip
    if "GET" not in (rule.methods or ()):
        return
    values: dict[str, Any] = dict(slugs)
    for argument in sorted(rule.arguments - set(values)):
        own = bench.ids_of(shop, argument) if shop else []
        values |= {argument: own[0]} if own and _takes_ids(rule, argument) else {}
    answer = bench.open(client, rule, "GET", values, **more)
    if isinstance(answer, Finding):
        yield answer
    else:
        where = bench.place_of_view(rule)
        yield from _told(f"GET {rule.rule}", place, bench.text(answer), where)


def _takes_ids(rule: Rule, argument: str) -> bool:
    return type(rule._converters[argument]).__name__ == "UUIDConverter"


@check("leak-ids")
def leak_ids(bench: Bench) -> Iterator[Finding]:
    """What is another's looks as if it did not exist: same answer as for an id that nobody has."""
    assert bench.lives
    for shop in (bench.town.shops[0], bench.town.shops[2]):
        till, browser = shop.till(), shop.browser()
        for face, rule in bench.routes("store", "api"):
            for argument in sorted(rule.arguments - {"brand", "store"}):
                if not _takes_ids(rule, argument):
                    continue
                client: Any = bench.app.test_client() if face == "api" else browser
                for method in methods(rule):
                    yield from _ids(bench, shop, client, till.token, rule, method, argument)


def _ids(
    bench: Bench, shop: Shop, client: Any, token: str, rule: Rule, method: str, argument: str
) -> Iterator[Finding]:
    where = bench.place_of_view(rule)

    def ask(one: UUID) -> Any:
        more: dict[str, Any] = {}
        if rule.rule.startswith("/api/"):
            headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": uuid4().hex}
            more = {"headers": headers} | ({} if method == "GET" else {"json": {}})
        return bench.open(client, rule, method, {**bench.slugs(shop), argument: one}, **more)

    nobody = ask(uuid4())
    if isinstance(nobody, Finding):
        yield nobody
        return
    for other in others(bench, shop):
        if shared(shop, other, argument):
            continue
        theirs = [row for row in bench.rows() if row.store == other.id]
        before = fingerprint(iter(theirs))
        for one in bench.ids_of(other, argument)[:2]:
            answer = ask(one)
            if isinstance(answer, Finding):
                yield answer
            elif answer.status_code != nobody.status_code:
                yield Finding(
                    f"{method} {rule.rule} answers {answer.status_code} for {other.slug}'s in"
                    f" {shop.slug}, and {nobody.status_code} for nobody's.",
                    "Raise NotFound for both: that something is there is told already by a 403.",
                    where,
                )
            else:
                yield from _told(f"{method} {rule.rule}", shop, bench.text(answer), where)
        after = fingerprint(row for row in bench.rows() if row.store == other.id)
        for table in changed(before, after):
            yield Finding(
                f"{method} {rule.rule} in {shop.slug} changed rows of {other.slug} in {table}.",
                "Find the row within ctx.s (it sees this store's alone) before you change it.",
                where,
            )


@check("leak-doors")
def leak_doors(bench: Bench) -> Iterator[Finding]:
    """Nobody gets into a screen or operation without a role or key for that very place."""
    assert bench.lives
    shop, other = bench.town.shops[2], bench.town.shops[3]
    stranger, key = other.browser(), other.till(["customers.read"]).token
    for face, rule in bench.routes("store", "office", "api"):
        values = bench.slugs(shop)
        for method in methods(rule):
            where = bench.place_of_view(rule)
            if face == "api":
                tried = {
                    "without a key": {},
                    "with a key of little": {"Authorization": f"Bearer {key}"},
                }
                for how, headers in tried.items():
                    body: dict[str, Any] = {} if method == "GET" else {"json": {}}
                    sent = headers | {"Idempotency-Key": uuid4().hex}
                    answer = bench.open(
                        bench.app.test_client(), rule, method, values, headers=sent, **body
                    )
                    needs = bench.permission(rule)
                    if how != "without a key" and needs == "customers.read":
                        continue
                    yield from _let_in(answer, f"{method} {rule.rule} {how}", {401, 403}, where)
            else:
                for how, client in (
                    ("without signing in", bench.app.test_client()),
                    ("with a role elsewhere", stranger),
                ):
                    answer = bench.open(client, rule, method, values)
                    yield from _let_in(
                        answer, f"{method} {rule.rule} {how}", {303, 401, 403, 404}, where
                    )


def _let_in(answer: Any, said: str, refusals: Iterable[int], where: str) -> Iterator[Finding]:
    if isinstance(answer, Finding):
        yield answer
    elif answer.status_code not in refusals or (
        answer.status_code == 303 and "/signin" not in answer.headers.get("Location", "")
    ):
        yield Finding(
            f"{said} is let in: {answer.status_code}.",
            '@requires("…") with a permission of the tool\'s, right above the function.',
            where,
        )


@check("leak-api")
def leak_api(bench: Bench) -> Iterator[Finding]:
    """No operation tells a till what is another store's."""
    assert bench.lives
    for _turn in range(2):
        for shop in bench.town.shops:
            headers = {"Authorization": f"Bearer {shop.till().token}"}
            client = bench.app.test_client()
            for _face, rule in bench.routes("api"):
                yield from _visit(bench, shop, client, rule, {}, shop, headers=headers)


@check("leak-hooks")
def leak_hooks(bench: Bench) -> Iterator[Finding]:
    """No hook tells in one store what it learned in another."""
    for life in bench.lives.values():
        given = lives.facts(life)
        for hook in bench.hooks():
            if hook.writes:
                continue
            try:
                with let_go(life.shop.session(write=False)) as s:
                    answers = bench.ask(s, hook, given)
            except HighstreetError:
                continue
            where = bench.place_of_hook(hook.name)
            yield from _told(hook.name, life.shop, _text(bench, answers), where)


@check("leak-rows")
def leak_rows(bench: Bench) -> Iterator[Finding]:
    """What it writes down in one store names nobody of another."""
    assert bench.lives
    shops = {shop.id: shop for shop in bench.town.shops}
    offices = {office.id: office for office in bench.town.brands.values()}
    for row in bench.rows():
        place: Shop | Office | None = shops.get(row.store) if row.store else offices.get(row.brand)  # type: ignore[arg-type]
        if place is not None:
            yield from _told(
                f"A row of {row.table}", place, row.text, bench.place_of_table(row.table)
            )


@check("leak-slots")
def leak_slots(bench: Bench) -> Iterator[Finding]:
    """No piece that it puts into pages shows what is another's."""
    for _turn in range(2):
        for life in bench.lives.values():
            for slot, piece in bench.tool.plugin.slots.items():
                with bench.app.test_request_context("/"), let_go(life.shop.session()) as s:
                    answers = host_slots.render(s, slot, **offered(slot, life))
                yield from _told(
                    f"The slot {slot}", life.shop, _text(bench, answers), place_of(piece)
                )
    yield from bench.faults()


def offered(slot: str, life: Life) -> dict[str, Any]:
    """What a page gives to a slot."""
    names = SLOTS[slot].partition("(")[2].rstrip(")").split(",")
    given = lives.facts(life)
    return {name.strip(): given[name.strip()] for name in names if name.strip()}


def _text(bench: Bench, answers: Any) -> str:
    return "\n".join(
        str(answer.value)
        for answer in answers or ()
        if getattr(answer, "plugin", "") == bench.tool.name
    )


@check("leak-verbs")
def leak_verbs(bench: Bench) -> Iterator[Finding]:
    """What an operator asks of it about one store or brand tells of no other."""
    assert bench.lives
    for name, (tool, verb) in host_verbs.of(bench.host).items():
        if tool != bench.tool.name:
            continue
        for shop in bench.town.shops:
            try:
                with let_go(shop.session(write=verb.writes)) as s:
                    told = host_verbs.run(s, name, {}, shop.id)
            except HighstreetError:
                continue  # it asks for options
            yield from _told(f"The verb {name}", shop, str(told), place_of(verb.run))


@check("leak-trial")
def leak_trial(bench: Bench) -> Iterator[Finding]:
    """What trying its settings says in one store tells of no other, and names nobody."""
    trial = bench.tool.plugin.trial
    if trial is None:
        return
    for _turn in range(2):
        for life in bench.lives.values():
            outcome = settings.tried_in(bench, life).outcome
            said, where = str(outcome), place_of(trial.run)
            yield from _told("Trying its settings", life.shop, said, where)
            if any(one.name in said for one in life.people):
                yield Finding(
                    f"Trying its settings names a member, in {life.shop.slug}.",
                    "Head office reads it, too: give figures, and never a name.",
                    where,
                )
