"""A key's row lives and dies with the effect beside it."""

import threading
from datetime import timedelta

import pytest
import time_machine
from flask import Response

from highstreet.rest import idempotency, sweep
from highstreet.rest.errors import KeyInFlight, KeyReused
from highstreet_tenants.clock import now
from highstreet_tenants.ids import new_id
from highstreet_tenants.scopes import Scope

KEY = new_id()


def store_scope(brand, number: int = 0) -> Scope:
    return Scope.store(brand.id, brand.stores[number].id)


def do(tenancy, scope, key="k-1", asked="a" * 64, body='{"n":1}', api_key=KEY) -> Response:
    with tenancy.session(scope, write=True) as s:
        held = idempotency.claim(s, api_key, key, asked)
        if isinstance(held, Response):
            return held
        response = Response(body, status=201, headers={"Location": "/x", "X-Not-Kept": "1"})
        idempotency.keep(s, held, response)
        return response


def test_the_first_answer_is_given_again(database, two_brands):
    scope = store_scope(two_brands[0])
    first = do(database.tenancy, scope)
    again = do(database.tenancy, scope, body='{"n":2}')
    assert idempotency.REPLAY_HEADER not in first.headers
    assert again.headers[idempotency.REPLAY_HEADER] == "true"
    assert (again.status_code, again.get_data(), again.headers["Location"]) == (
        201,
        b'{"n":1}',
        "/x",
    )


def test_another_request_with_the_key_is_refused(database, two_brands):
    scope = store_scope(two_brands[0])
    do(database.tenancy, scope)
    with pytest.raises(KeyReused) as caught:
        do(database.tenancy, scope, asked="b" * 64)
    assert caught.value.status == 422


def test_keys_of_other_tills_stores_and_brands_do_not_meet(database, two_brands):
    for scope, api_key in (
        (store_scope(two_brands[0], 0), new_id()),
        (store_scope(two_brands[0], 0), new_id()),
        (store_scope(two_brands[0], 1), new_id()),
        (store_scope(two_brands[1], 0), new_id()),
    ):
        answer = do(database.tenancy, scope, body=f'"{api_key}"', api_key=api_key)
        assert idempotency.REPLAY_HEADER not in answer.headers


def test_what_fails_leaves_no_row(database, two_brands):
    scope = store_scope(two_brands[0])
    with pytest.raises(ZeroDivisionError), database.tenancy.session(scope, write=True) as s:
        assert isinstance(idempotency.claim(s, KEY, "k-1", "a" * 64), idempotency.Claim)
        raise ZeroDivisionError
    mended = do(database.tenancy, scope, asked="b" * 64)
    assert idempotency.REPLAY_HEADER not in mended.headers


def test_a_day_later_the_key_is_free_even_before_the_sweep(database, two_brands):
    scope = store_scope(two_brands[0])
    do(database.tenancy, scope)
    with time_machine.travel(now() + timedelta(hours=23, minutes=59), tick=False):
        assert idempotency.REPLAY_HEADER in do(database.tenancy, scope).headers
    with time_machine.travel(now() + timedelta(hours=24, minutes=1), tick=False):
        late = do(database.tenancy, scope, asked="b" * 64)
        assert idempotency.REPLAY_HEADER not in late.headers


def test_the_sweep_takes_only_what_is_old_and_only_its_own(database, two_brands):
    mine, other = store_scope(two_brands[0]), store_scope(two_brands[0], 1)
    do(database.tenancy, mine, key="old")
    do(database.tenancy, other, key="theirs", api_key=new_id())
    with time_machine.travel(now() + timedelta(hours=25), tick=False):
        do(database.tenancy, mine, key="new")
        with database.tenancy.session(mine, write=True) as s:
            assert sweep.sweep(s) == 1
        assert idempotency.REPLAY_HEADER in do(database.tenancy, mine, key="new").headers
        with database.tenancy.session(other, write=True) as s:
            assert sweep.sweep(s) == 1


def test_answers_that_name_an_erased_customer_go(database, two_brands):
    scope, customer = store_scope(two_brands[0]), new_id()
    do(database.tenancy, scope, key="1", body=f'{{"id": "{customer}", "name": "Ann"}}')
    do(database.tenancy, scope, key="2", body=f'{{"id": "{new_id()}", "name": "Bob"}}')
    with database.tenancy.session(scope, write=True) as s:
        assert sweep.forget(s, customer) == 1
    assert idempotency.REPLAY_HEADER not in do(database.tenancy, scope, key="1").headers


def test_of_many_equal_requests_at_once_one_acts(database, two_brands):
    """The others get its answer or, on PostgreSQL while it works, are told to wait."""
    scope, acted, seen = store_scope(two_brands[0]), [], []
    start = threading.Barrier(12)

    def till() -> None:
        start.wait()
        try:
            with database.tenancy.session(scope, write=True) as s:
                held = idempotency.claim(s, KEY, "k-1", "a" * 64)
                if isinstance(held, Response):
                    seen.append(held.get_data(as_text=True))
                    return
                acted.append(1)
                idempotency.keep(s, held, Response('"once"', status=201))
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
    assert do(database.tenancy, scope).get_data(as_text=True) == '"once"'
