"""A start: what it leaves out until it is asked for, and what it leaves behind."""

import json
import subprocess
import sys

import pytest

START = """
import gc, json, sys
from highstreet.app import create_app, house_of
settings = {"instance": sys.argv[1], "secret_key": "for tests only"}
app = create_app(settings)
said = {"frozen": gc.get_freeze_count(), "watching": gc.isenabled(), "loaded": sorted(sys.modules)}
said["tools"] = sorted(house_of(app).host.plugins)
gc.disable()
create_app(settings)
said["still frozen"], said["watching again"] = gc.get_freeze_count(), gc.isenabled()
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    """What a process of its own says after a start, and after a second one."""
    folder = tmp_path_factory.mktemp("instance")
    done = subprocess.run(
        [sys.executable, "-c", START, str(folder)], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def test_a_start_does_without_what_only_some_requests_need(started):
    assert "points_club" in started["tools"]
    needless = {
        "alembic", "mako", "pygments", "phonenumbers", "email_validator", "rapidfuzz", "segno",
        "stdnum", "typst", "rq", "redis", "rich", "waitress", "psycopg",
    }  # fmt: skip
    assert needless & set(started["loaded"]) == set()


def test_garbage_is_looked_for_as_before_but_not_among_what_stays(started):
    assert started["watching"] is True
    assert started["frozen"] > 100_000


def test_a_second_application_in_a_process_can_be_collected(started):
    # Objects are still freed by their counts, so there may be fewer; never more.
    assert started["still frozen"] <= started["frozen"]
    assert started["watching again"] is False
