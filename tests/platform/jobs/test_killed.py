"""A runner that is killed in the middle of its work loses nothing and does nothing twice."""

import random
import signal
from collections import Counter

from .conftest import until, zygote

JOBS = 240
KILLS = 12


def test_each_effect_exactly_once_however_often_runners_are_killed(work):
    work.handle("test.note")
    work.notes(JOBS // 3)
    dice = random.Random(11)
    with zygote(work.database.url) as runners:
        first, second = runners.spawn(), runners.spawn()
        for kill in range(1, KILLS + 1):
            goal = kill * JOBS // (KILLS + 3) + dice.randrange(5)
            until(lambda goal=goal: len(work.effects()) >= goal, f"{goal} effects")
            until(lambda pid=first: work.caught(pid), "it is in the middle of a job")
            runners.kill(first)
            first, second = second, runners.spawn()
        until(lambda: {row.status for row in work.rows()} == {"done"}, "all done", 60)
        until(lambda: work.lives(second), "a sign of life")
        runners.kill(second, signal.SIGTERM)
        until(lambda: not work.lives(second), "it signs off")
    rows = work.rows()
    assert Counter(job for job, _store in work.effects()) == {row.id.hex: 1 for row in rows}
    hit = sum(row.attempts - 1 for row in rows)
    assert hit > KILLS / 3, f"only {hit} kills fell into a job"
    assert all(row.lease_token is None and row.lane is None for row in rows)
