"""A key's row lives and dies with the effect beside it."""

import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask, Response

from highstreet.jobs import JobRegistry
from highstreet.rest import idempotency, sweep
from highstreet.rest.errors import KeyInFlight, KeyReused
from highstreet_tenants.clock import now
from highstreet_tenants.errors import Unauthenticated
from highstreet_tenants.ids import new_id
from highstreet_tenants.people.keys import KeyHolder
from highstreet_tenants.people.models import ApiKey
from highstreet_tenants.scopes import Scope

HASH = "0" * 64
ASKED, OTHERWISE = "a" * 64, "b" * 64


@pytest.fixture(autouse=True)
def _application():
    """`auth` keeps what it knows of keys in the application."""
    with Flask(__name__).app_context():
        yield


class Keyed:
    """An API key of a store, and requests that are made with it."""

    def __init__(self, database, brand, store: int = 0) -> None:
        self.tenancy = database.tenancy
        self.scope = Scope.store(brand.id, brand.stores[store].id)
        with self.tenancy.control(write=True) as c:
            self.row = ApiKey(
                brand_id=brand.id,
                store_id=self.scope.store_id,
                name="T",
                secret_hash=HASH,
                scopes=["till.write"],
            )
            c.add(self.row)
        self.holder = KeyHolder(
            self.row.id,
            "T",
            HASH,
            brand.id,
            "b",
            self.scope.store_id,
            "brand",
            1,
            frozenset(),
            None,
        )

    def do(self, key="k-1", asked=ASKED, body='{"n":1}') -> Response:
        """Work on a request, or get its first answer."""
        with self.tenancy.session(self.scope, write=True) as s:
            held = idempotency.claim(s, self.holder, key, asked)
            if isinstance(held, Response):
                return held
            response = Response(body, status=201, headers={"Location": "/x", "X-Not-Kept": "1"})
            idempotency.keep(s, held, response)
            return response


@pytest.fixture
def keyed(database, two_brands) -> Keyed:
    return Keyed(database, two_brands[0])


def is_replay(answer: Response) -> bool:
    return idempotency.REPLAY_HEADER in answer.headers


def test_the_first_answer_is_given_again(keyed):
    first, again = keyed.do(), keyed.do(body='{"n":2}')
    assert not is_replay(first)
    assert again.headers[idempotency.REPLAY_HEADER] == "true"
    assert (again.status_code, again.get_data()) == (201, b'{"n":1}')
    assert again.headers["Location"] == "/x"
    assert "X-Not-Kept" not in again.headers


def test_another_request_with_the_key_is_refused(keyed):
    keyed.do()
    with pytest.raises(KeyReused) as caught:
        keyed.do(asked=OTHERWISE)
    assert caught.value.status == 422


def test_keys_of_other_tills_stores_and_brands_do_not_meet(database, two_brands):
    one, two = two_brands
    for till in (Keyed(database, one), Keyed(database, one), Keyed(database, one, 1)):
        assert not is_replay(till.do(body=f'"{till.row.id}"'))
    assert not is_replay(Keyed(database, two).do())


def test_what_fails_leaves_no_row_and_may_be_mended(keyed):
    with pytest.raises(ZeroDivisionError), keyed.tenancy.session(keyed.scope, write=True) as s:
        held = idempotency.claim(s, keyed.holder, "k-1", ASKED)
        idempotency.keep(s, held, Response("done", status=201))
        raise ZeroDivisionError
    assert not is_replay(keyed.do(asked=OTHERWISE))


def test_a_revoked_api_key_works_on_nothing_and_replays_nothing(keyed):
    keyed.do()
    with keyed.tenancy.control(write=True) as c:
        c.execute(sa.update(ApiKey).where(ApiKey.id == keyed.row.id).values(revoked_at=now()))
    for key in ("k-1", "k-2"):
        with pytest.raises(Unauthenticated):
            keyed.do(key=key)


def test_a_day_later_the_key_is_free_even_before_the_sweep(keyed):
    keyed.do()
    with time_machine.travel(now() + timedelta(hours=23, minutes=59), tick=False):
        assert is_replay(keyed.do())
    with time_machine.travel(now() + timedelta(hours=24, minutes=1), tick=False):
        assert not is_replay(keyed.do(asked=OTHERWISE, body='"new"'))
        assert keyed.do(asked=OTHERWISE).get_data() == b'"new"'


def test_the_sweep_takes_only_what_is_old_and_only_its_own(database, two_brands):
    mine, theirs = Keyed(database, two_brands[0]), Keyed(database, two_brands[0], 1)
    mine.do(key="old")
    theirs.do(key="old")
    with time_machine.travel(now() + timedelta(hours=25), tick=False):
        mine.do(key="new")
        with mine.tenancy.session(mine.scope, write=True) as s:
            assert sweep.sweep(s) == 1
        assert is_replay(mine.do(key="new"))
        with theirs.tenancy.session(theirs.scope, write=True) as s:
            assert sweep.sweep(s) == 1


def test_the_sweep_is_ordered_once_a_day_for_a_store_that_sells(database, two_brands):
    busy, quiet = Keyed(database, two_brands[0]), Keyed(database, two_brands[0], 1)
    for number in range(3):
        busy.do(key=str(number))
    with database.tenancy.control() as c:
        rows = c.execute(
            sa.text("SELECT store_id, run_at FROM core_job WHERE name = 'core.idempotency.sweep'")
        ).all()
    assert len(rows) == 1
    assert str(rows[0].store_id).replace("-", "") == busy.scope.store_id.hex
    assert quiet.scope.store_id != busy.scope.store_id
    assert sweep.JOBS[0].name in JobRegistry(*sweep.JOBS)


def test_answers_that_name_an_erased_customer_go(keyed):
    customer = new_id()
    keyed.do(key="1", body=f'{{"id": "{customer}", "name": "Ann"}}')
    keyed.do(key="2", body=f'{{"id": "{new_id()}", "name": "Bob"}}')
    with keyed.tenancy.session(keyed.scope, write=True) as s:
        assert sweep.KeptAnswers().erase(s, [customer]) == {"answers": 1}
    assert not is_replay(keyed.do(key="1"))
    assert is_replay(keyed.do(key="2"))


def test_of_many_equal_requests_at_once_one_acts(database, keyed):
    """The others get its answer or, on PostgreSQL while it works, are told to wait."""
    acted: list[int] = []
    seen: list[str] = []
    start = threading.Barrier(12)
    app = Flask(__name__)

    def till() -> None:
        start.wait()
        with app.app_context():
            try:
                with keyed.tenancy.session(keyed.scope, write=True) as s:
                    held = idempotency.claim(s, keyed.holder, "k-1", ASKED)
                    if isinstance(held, Response):
                        seen.append(held.get_data(as_text=True))
                        return
                    idempotency.keep(s, held, Response('"once"', status=201))
                acted.append(1)
            except KeyInFlight:
                seen.append("wait")

    threads = [threading.Thread(target=till) for _each in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(acted) == 1
    assert len(seen) == 11
    assert set(seen) <= ({'"once"', "wait"} if database.kind == "postgresql" else {'"once"'})
    assert keyed.do().get_data(as_text=True) == '"once"'


def test_the_order_of_json_keys_does_not_make_another_request():
    app = Flask(__name__)
    prints = set()
    for path in ("/api/v1/purchases", "/api/v1/returns"):
        with app.test_request_context(path, method="POST") as context:
            for body in ({"a": 1, "b": 2}, {"b": 2, "a": 1}):
                prints.add((path, idempotency.fingerprint(context.request, body)))
    assert len(prints) == 2


def test_of_a_key_only_a_digest_is_kept(club_till, database):
    """A till that makes keys of a phone number or of a card leaves neither in the database."""
    for key in ("+442079460018", "4111111111111111"):
        first = club_till.post("/purchases", {"pos_ref": f"R{key[-3:]}", "total_minor": 5}, key=key)
        again = club_till.post("/purchases", {"pos_ref": f"R{key[-3:]}", "total_minor": 5}, key=key)
        assert (first.status_code, again.headers["Idempotent-Replay"]) == (201, "true")
    with database.owner.connect() as connection:
        kept = connection.exec_driver_sql("SELECT key FROM core_idempotency").scalars().all()
    assert len(kept) == 2
    assert not any("2079460018" in key or "41111111" in key for key in kept)
