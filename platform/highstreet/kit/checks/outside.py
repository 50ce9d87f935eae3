"""What leaves the house."""

from __future__ import annotations

from collections.abc import Iterator

from highstreet.kit.bench import Bench
from highstreet.kit.check import Finding, check
from highstreet.kit.checks.screens import screens_open
from highstreet.kit.checks.work import jobs_run


def _lived(bench: Bench) -> None:
    """Everything that the tool does is done once: its hooks, pages and jobs."""
    assert bench.lives
    list(screens_open(bench))
    list(jobs_run(bench))
    bench.town.run_jobs()


@check("outside-network")
def outside_network(bench: Bench) -> Iterator[Finding]:
    """It talks to nobody outside unless it declares so."""
    _lived(bench)
    if "network" in bench.tool.manifest.capabilities:
        return
    for host, port, where in bench.outside.places:
        if (host, port, where) not in bench.outside.mail:
            yield Finding(
                f"It would talk to {host}:{port}.",
                'Declare "network" in plugin.toml, and do it in a job; or do without.',
                where,
            )


@check("outside-mail")
def outside_mail(bench: Bench) -> Iterator[Finding]:
    """It sends no mail by itself: nobody is written to but through the house's own gate."""
    _lived(bench)
    for host, port, where in bench.outside.mail:
        yield Finding(
            f"It would hand mail to {host}:{port}.",
            "Ask ctx.consent.may_contact, and leave the sending to Highstreet.",
            where,
        )
