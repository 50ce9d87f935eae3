"""What it does in the background and on the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from highstreet.host import verbs as host_verbs
from highstreet.host.plugin import Verb
from highstreet.jobs import JobError
from highstreet.jobs.periodic import turn_of
from highstreet.kit.bench import Bench, let_go
from highstreet.kit.check import Finding, check
from highstreet.kit.subject import place_of
from highstreet.kit.turns import ZONE
from highstreet_tenants import clock
from highstreet_tenants.errors import HighstreetError


def _job(bench: Bench, handler: Any, s: Any, payload: dict[str, Any]) -> Iterator[Finding]:
    try:
        handler.run(s, payload)
    except (JobError, HighstreetError):
        pass  # said in words, on the jobs page
    except Exception as error:
        if isinstance(error, KeyError) and not payload:
            return  # it cannot work without what is handed to it
        yield Finding(
            f"The job {handler.name} raised {type(error).__name__}: {error}",
            "A job that cannot do its work raises sdk.JobError, which is shown; nothing else.",
            bench.subject.blame(error.__traceback__) or place_of(handler.run),
        )


def _turns(bench: Bench, name: str) -> list[dict[str, Any]]:
    """What the calendar hands to a job: the day, or the hour, whose turn it is. Nothing, if it
    does not come round by itself."""
    own = [one for one in bench.tool.plugin.periodic if one.name == name]
    return [{"subject": turn_of(one, clock.now(), ZONE).slot} for one in own]


def _payloads(bench: Bench, handler: Any, life: Any) -> Iterator[dict[str, Any]]:
    if turns := _turns(bench, handler.name):
        yield from turns
        return
    yield {}
    yield {
        "subject": bench.tool.name,
        "ids": [],
        "customer_id": str(life.people[0].id),
        "purchase_id": str(life.bought[0].id),
        "store_id": str(life.shop.id),
    }


@check("jobs-run")
def jobs_run(bench: Bench) -> Iterator[Finding]:
    """Its jobs run in a store with people in it, and in one with nobody."""
    empty = bench.town.shops[0]
    for handler in bench.tool.plugin.jobs:
        for payload in _turns(bench, handler.name) or [{}]:
            with let_go(empty.session(write=True)) as s:
                yield from _job(bench, handler, s, payload)
    life = bench.store_life
    for handler in bench.tool.plugin.jobs:
        for payload in _payloads(bench, handler, life):
            with let_go(life.shop.session(write=True)) as s:
                yield from _job(bench, handler, s, payload)


@check("jobs-twice")
def jobs_twice(bench: Bench) -> Iterator[Finding]:
    """A job that is run again changes nothing more: a killed worker's is."""
    life = bench.store_life
    for handler in bench.tool.plugin.jobs:
        for payload in _payloads(bench, handler, life):
            with let_go(life.shop.session(write=True)) as s:
                list(_job(bench, handler, s, payload))
                once = bench.within(s)
                list(_job(bench, handler, s, payload))
                twice = bench.within(s)
            if once != twice:
                yield Finding(
                    f"The job {handler.name}, run twice, leaves {len(twice)} rows where running it"
                    f" once leaves {len(once)}, or other ones.",
                    "Ask first whether it is done: a unique constraint on what it was for, or a row"
                    " that says so.",
                    place_of(handler.run),
                )
                break


@check("verbs-run")
def verbs_run(bench: Bench) -> Iterator[Finding]:
    """What an operator asks of it is answered in rows that can be printed as JSON."""
    assert bench.lives
    for name, (tool, verb) in host_verbs.of(bench.host).items():
        if tool != bench.tool.name:
            continue
        error = _error_of(bench, name, verb)
        if error is not None:
            yield Finding(
                f"The verb {name} raised {type(error).__name__}: {error}",
                "Give a list of plain mappings; raise sdk.Invalid for options that are wrong.",
                bench.subject.blame(error.__traceback__) or place_of(verb.run),
            )


def _error_of(bench: Bench, name: str, verb: Verb) -> BaseException | None:
    """What goes wrong when a verb is run; that it asks for options is nothing wrong."""
    shop = bench.town.shops[2]
    try:
        with let_go(shop.session(write=verb.writes)) as s:
            json.dumps([dict(row) for row in host_verbs.run(s, name, {}, shop.id)], default=str)
    except host_verbs.VerbFailed as failed:
        return failed.__cause__ or failed
    except HighstreetError:
        return None
    except Exception as error:
        return error
    return None
