"""kill -9 at the worst moment: the effect is done, the answer is written, nothing is committed."""

import signal
import subprocess
import sys

CHILD = """
import os, signal, sys
from highstreet.app import create_app
from highstreet.rest import {module} as victim

app = create_app({config!r})
working = victim.{verb}

def die(*whatever, **more):
    working(*whatever, **more)
    os.kill(os.getpid(), signal.SIGKILL)

victim.{verb} = die
app.test_client().post(
    "/api/v1{path}",
    json={body!r},
    headers={{"Authorization": "Bearer {token}", "Idempotency-Key": "k"}},
)
sys.exit("still alive")
"""


def kill_in_the_middle(database, tmp_path, till, path, body) -> None:
    """Another process works on the request and is killed after its last statement."""
    config = {
        "database_url": database.url,
        "owner_database_url": database.extra["owner_url"],
        "instance": str(tmp_path),
        "secret_key": "for tests only",
        "password_hasher": "cheap",
    }
    script = CHILD.format(
        module="idempotency", verb="keep", config=config, path=path, body=body, token=till.token
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=120)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


def test_a_killed_purchase_leaves_nothing_and_is_done_once_when_sent_again(
    database, tmp_path, club_till
):
    ann = club_till.enrol(name="Ann Lee", card="12345678")
    body = {"pos_ref": "R-1", "total_minor": 1000, "card": "12345678"}
    kill_in_the_middle(database, tmp_path, club_till, "/purchases", body)
    assert club_till.get("/purchases").get_json()["items"] == []
    path = f"/tools/points_club/customers/{ann['id']}/balance"
    assert club_till.get(path).get_json()["balance"] == 0
    story = club_till.get(f"/customers/{ann['id']}/timeline").get_json()["items"]
    assert "purchase" not in {e["kind"] for e in story}

    again = club_till.post("/purchases", body, key="k")
    assert (again.status_code, again.get_json()["created"]) == (201, True)
    assert "Idempotent-Replay" not in again.headers
    assert club_till.get(path).get_json()["balance"] == 10


def test_a_killed_enrolment_leaves_nobody(database, tmp_path, club_till):
    body = {"name": "Ann Lee", "card": "12345678"}
    kill_in_the_middle(database, tmp_path, club_till, "/customers", body)
    assert club_till.get("/customers?card=12345678").get_json()["items"] == []
    assert club_till.post("/customers", body, key="k").status_code == 201
