"""Telling the tools: every hook is called and every slot filled, once with one's own people while
the probe's tool reads all that it can reach, and once with facts about somebody else's.
"""

from collections.abc import Callable, Iterator
from typing import Any

from highstreet.host import dispatch, slots
from highstreet.host.spec import Hook
from highstreet.kit import marks
from highstreet.web.slots import SLOTS
from probe import asking
from probe.arguments import Untaught
from probe.bait import Bait
from probe.calls import texts
from probe.named import TODAY
from probe.reading import Reach
from probe.rows import Untouched
from probe.tool.spy import Listening
from probe.world import Site, World, taken_back

TEACH = "in tests/probe/telling.py, put the hook's or slot's argument into `facts`"


def facts(bait: Bait) -> dict[str, Any]:
    """What hooks and slots are told, about a site's people."""
    return {
        "customer": bait.customer,
        "customers": [bait.customer],
        "kept": bait.customer,
        "gone": bait.second,
        "buyers": [bait.customer.id],
        "purchase": bait.purchase,
        "purchases": [bait.purchase],
        "returned": bait.returned,
        "basket": bait.basket(),
        "on": TODAY,
        "first": TODAY.replace(day=1),
        "last": TODAY,
        "limit": 5,
    }


def arguments_of(hook: Hook, bait: Bait) -> dict[str, Any]:
    """What a hook is called with, about a site's people. Raises Untaught."""
    known = facts(bait)
    if hook.name == "till_deeds":
        known["purchases"] = [bait.purchase.id]
    return {name: _known(known, name, f"hook {hook.name}") for name in hook.arguments}


def offered(slot: str, bait: Bait) -> dict[str, Any]:
    """What a page gives to a slot, about a site's people. Raises Untaught."""
    _about, _opens, names = SLOTS[slot].partition("(")
    wanted = [name.strip() for name in names.rstrip(")").split(",") if name.strip()]
    known = facts(bait)
    return {name: _known(known, name, f"slot {slot}") for name in wanted}


def _known(known: dict[str, Any], name: str, where: str) -> Any:
    if name not in known:
        raise Untaught(name, where, TEACH)
    return known[name]


def ask(s: Any, hook: Hook, given: dict[str, Any]) -> Any:
    """Dispatch a hook as its kind demands."""
    if hook.kind == "first":
        return dispatch.first(s, hook.name, **given)
    if hook.kind == "veto":
        return dispatch.veto(s, hook.name, **given)
    if hook.kind == "all":
        return dispatch.together(s, hook.name, **given)
    if hook.kind == "chain":
        value = given.pop(hook.arguments[0])
        return dispatch.chain(s, hook.name, value, **given)
    return dispatch.collect(s, hook.name, **given)


def listen(world: World, owner: str) -> tuple[Reach, set[str]]:
    """Call every hook about the owner's own people, while the probe's tool reads whatever its
    `ctx` lets it. Gives what it reached and which hooks it heard.
    """
    reach = Reach(world, world.sites[owner], owner)
    heard: set[str] = set()

    def ear(ctx: Any, what: str, _given: Any) -> None:
        # Thoroughly once for each kind of session, then the four ways that tools use.
        deep = not heard or what.endswith("_recorded")
        heard.add(what)
        reach.where = f"{what} in {owner}"
        reach.read(ctx.s, deep=deep)

    own = Bait(world, world.sites[owner])
    with Listening(ear):
        for hook in world.house.host.hooks.values():
            with (
                world.app.test_request_context("/"),
                # Two who are merged here are wanted again.
                taken_back(world.session(owner, write=hook.writes)) as s,
            ):
                ask(s, hook, arguments_of(hook, own))
    return reach, heard


def tell_all(world: World, owner: str) -> list[str]:
    """Call every hook and fill every slot with facts about others' people, from which all names
    are struck out. Gives what is told of them, or written or changed.
    """
    findings: list[str] = []
    strangers = world.foreign(owner)
    seen = asking.visible(world, owner)
    with Untouched(world, strangers, findings, f"hooks in {owner}", learns=True):
        for site in strangers:
            for what, writes, call in _deeds(world, site) if site.store else ():
                said = f"{what} with {site.owner}'s in {owner}"
                try:
                    with (
                        world.app.test_request_context("/"),
                        world.session(owner, write=writes) as s,
                    ):
                        told = texts(call(s))
                except Exception as error:
                    findings.append(f"{said} raised {type(error).__name__}: {error}"[:300])
                    continue
                findings += [f"{said} gives {mark}" for mark in sorted(marks.found(told) - seen)]
    return findings


def _deeds(world: World, site: Site) -> Iterator[tuple[str, bool, Callable[[Any], Any]]]:
    """(what, whether it writes, how to do it) for every hook and slot, about a site's people."""
    bait = Bait(world, site)
    for hook in world.house.host.hooks.values():
        given = arguments_of(hook, bait)
        yield hook.name, hook.writes, lambda s, hook=hook, given=given: ask(s, hook, dict(given))
    for slot in SLOTS:
        about = offered(slot, bait)
        yield slot, False, lambda s, slot=slot, about=about: slots.render(s, slot, **about)
