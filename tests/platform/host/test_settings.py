"""Settings: each level gives its own, head office may lock, and what held in May can be asked."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from highstreet.host import settings
from highstreet.host.models import PluginSetting
from highstreet.host.registry import Host
from highstreet_tenants.errors import Forbidden, Invalid, NotFound


class Programme(Schema):
    rate = fields.Integer(load_default=1, strict=True, validate=validate.Range(0, 100))
    goal = fields.Integer(load_default=10, strict=True, validate=validate.Range(1, 1000))
    unit = fields.String(load_default="points", validate=validate.Length(max=20))
    key = fields.String(load_default="", metadata={"secret": True})
    bonus = fields.Decimal(load_default=Decimal("0.5"), as_string=True)
    rewards = fields.List(fields.Nested({"points": fields.Integer(strict=True)}), load_default=list)

    @validates_schema
    def _hang_together(self, data: Any, **_options: Any) -> None:
        if data["rate"] > data["goal"]:
            raise ValidationError("the goal is reached by the first point", "rate")


@pytest.fixture
def host(make_host: Callable[..., Host]) -> Host:
    return make_host({"club": None, "plain": None}, club={"plugin": {"settings": Programme}})


@pytest.fixture
def opened(hung: Callable[[Host], Any], host: Host) -> Any:
    return hung(host)


def test_each_level_overrides_the_one_above_and_says_so(opened: Any, two_brands: list[Any]) -> None:
    brand = two_brands[0]
    here, there = brand.stores
    with opened(brand, here, write=False) as s:
        found = settings.resolve(s, "club")
        assert dict(found) == {
            "rate": 1,
            "goal": 10,
            "unit": "points",
            "key": "",
            "bonus": Decimal("0.5"),
            "rewards": [],
        }
        assert {source.level for source in found.provenance.values()} == {"default"}
    with opened(brand) as s:
        settings.put(s, "club", {"rate": 2, "goal": 20, "unit": "dollars", "bonus": "0.75"})
        settings.put(s, "club", {"rate": 3}, region_id=brand.region_id)
    with opened(brand, here) as s:
        settings.put(s, "club", {"goal": 30})
        found = settings.resolve(s, "club")
        assert (found["rate"], found["goal"], found["unit"]) == (3, 30, "dollars")
        assert found["bonus"] == Decimal("0.75")
        assert {key: found.provenance[key].level for key in ("rate", "goal", "unit", "key")} == {
            "rate": "region",
            "goal": "store",
            "unit": "brand",
            "key": "default",
        }
        assert found.provenance["goal"].by == "Ruth"
    with opened(brand, there, write=False) as s:
        assert settings.resolve(s, "club")["goal"] == 20
    with opened(brand, write=False) as s:
        assert settings.resolve(s, "club")["rate"] == 2  # the brand's own, not a region's
        assert settings.resolve(s, "club", here.id)["goal"] == 30
    other = two_brands[1]
    with opened(other, other.stores[0], write=False) as s:
        assert settings.resolve(s, "club")["rate"] == 1


def test_what_is_locked_above_stays(opened: Any, two_brands: list[Any]) -> None:
    brand = two_brands[0]
    here = brand.stores[0]
    with opened(brand, here) as s:
        settings.put(s, "club", {"rate": 9})
    with opened(brand) as s:
        settings.put(s, "club", {"rate": 2}, lock=["rate"])
        with pytest.raises(Forbidden, match="Locked by Ruth: rate"):
            settings.put(s, "club", {"rate": 4}, region_id=brand.region_id)
    with opened(brand, here) as s:
        found = settings.resolve(s, "club")
        assert found["rate"] == 2
        assert found.provenance["rate"].locked and found.provenance["rate"].lock == "brand"
        with pytest.raises(Forbidden) as refused:
            settings.put(s, "club", {"rate": 4, "goal": 5})
        assert list(refused.value.fields) == ["rate"]
        assert settings.resolve(s, "club")["goal"] == 10, "nothing of it was taken"
        with pytest.raises(Forbidden):
            settings.put(s, "club", {}, clear=["rate"])
        with pytest.raises(Forbidden):
            settings.put(s, "club", {}, lock=["goal"])
    with opened(brand) as s:
        settings.put(s, "club", {}, unlock=["rate"])
    with opened(brand, here, write=False) as s:
        assert settings.resolve(s, "club")["rate"] == 9, "the store's own was only set aside"
    with opened(brand) as s:
        settings.put(s, "club", {}, lock=["goal"])  # the tool's own default, held there
    with opened(brand, here) as s, pytest.raises(Forbidden):
        settings.put(s, "club", {"goal": 3})


def test_values_are_checked_together_and_errors_name_the_key(
    opened: Any, two_brands: list[Any]
) -> None:
    brand = two_brands[0]
    with opened(brand) as s:
        for values, key, says in [
            ({"rate": -1}, "rate", "from 0 to 100"),
            ({"rate": "2"}, "rate", "whole number"),
            ({"colour": "red"}, "colour", "There are: bonus, goal, key"),
            ({"rate": 50}, "rate", "reached by the first point"),
            ({"unit": "4111 1111 1111 1111"}, "unit", "payment card"),
            ({"unit": "a\x00b"}, "unit", "NUL"),
            ({"unit": "\ud800"}, "unit", "can't be stored"),
            ({"rewards": [{"points": "x"}]}, "rewards.0.points", "whole number"),
        ]:
            with pytest.raises(Invalid) as wrong:
                settings.put(s, "club", values)
            assert says in wrong.value.fields[key][0], values
        settings.put(s, "club", {"rate": 50, "goal": 50})
        with pytest.raises(Invalid):
            settings.put(s, "club", {"goal": 40})
        with pytest.raises(Invalid):
            settings.put(s, "plain", {"any": 1})
        with pytest.raises(NotFound):
            settings.put(s, "nonesuch", {})
        with pytest.raises(NotFound):
            settings.put(s, "club", {"rate": 1}, region_id=brand.id)
        with pytest.raises(NotFound):
            settings.put(s, "club", {"rate": 1}, store_id=two_brands[1].stores[0].id)
        assert dict(settings.resolve(s, "plain")) == {}
    with opened(brand, brand.stores[0]) as s:
        with pytest.raises(Forbidden):
            settings.put(s, "club", {"rate": 1}, store_id=brand.stores[1].id)
        with pytest.raises(Forbidden):
            settings.put(s, "club", {"rate": 1}, region_id=brand.region_id)


def test_a_secret_is_never_shown_and_survives_a_form(opened: Any, two_brands: list[Any]) -> None:
    brand = two_brands[0]
    with opened(brand, brand.stores[0]) as s:
        settings.put(s, "club", {"key": "s3cret"})
        found = settings.resolve(s, "club")
        assert found["key"] == "s3cret"
        assert found.shown()["key"] == settings.MASK
        assert "s3cret" not in repr(found)
        assert "s3cret" not in str(settings.history(s, "club"))
        settings.put(s, "club", {**found.shown(), "bonus": "0.5", "rate": 2})
        assert settings.resolve(s, "club")["key"] == "s3cret"
        settings.put(s, "club", {"key": ""})
        assert settings.resolve(s, "club").shown()["key"] == ""


@time_machine.travel(datetime(2026, 5, 3, 12, tzinfo=UTC), tick=False)
def test_what_held_at_a_moment_can_be_asked(opened: Any, two_brands: list[Any]) -> None:
    brand = two_brands[0]
    may = datetime(2026, 5, 3, 12, tzinfo=UTC)
    with opened(brand, brand.stores[0]) as s:
        settings.put(s, "club", {"rate": 2})
    with time_machine.travel(may + timedelta(days=1), tick=False):
        with opened(brand, brand.stores[0]) as s:
            settings.put(s, "club", {"rate": 3})
            settings.put(s, "club", {"rate": 4})  # in the same microsecond: the later counts
        with opened(brand, brand.stores[0]) as s:
            settings.put(s, "club", {"rate": 7}, valid_from=may + timedelta(days=30))
            settings.put(s, "club", {"goal": 99}, valid_from=may - timedelta(days=300))

        def rate(at: datetime | None = None) -> int:
            with opened(brand, brand.stores[0], write=False) as s:
                return int(settings.resolve(s, "club", at=at)["rate"])

        assert rate(may - timedelta(microseconds=1)) == 1
        assert rate(may) == 2
        assert rate(may + timedelta(hours=23)) == 2
        assert rate(may + timedelta(days=1)) == 4
        assert rate() == 4
        assert rate(may + timedelta(days=31)) == 7
        with opened(brand, brand.stores[0], write=False) as s:
            old = settings.resolve(s, "club", at=may - timedelta(days=299))
            assert (old["rate"], old["goal"]) == (1, 99)
            lines = settings.history(s, "club")
            assert [(c.key, c.value) for c in lines] == [
                ("goal", 99), ("rate", 7), ("rate", 4), ("rate", 3), ("rate", 2),
            ]  # fmt: skip
    with time_machine.travel(may + timedelta(days=31), tick=False):
        assert rate() == 7, "a change ahead comes by itself"


def test_saving_a_form_unchanged_writes_nothing(opened: Any, two_brands: list[Any]) -> None:
    brand = two_brands[0]
    with opened(brand) as s:
        settings.put(s, "club", {"rate": 2})
        settings.put(s, "club", {"rate": 2})
        settings.put(s, "club", {}, clear=["goal"], unlock=["unit"])
        assert len(s.scalars(sa.select(PluginSetting)).all()) == 1
        settings.put(s, "club", {}, clear=["rate"])
        found = settings.resolve(s, "club")
        assert (found["rate"], found.provenance["rate"].level) == (1, "default")


def test_a_value_that_a_new_version_refuses_falls_back_to_the_level_above(
    opened: Any, two_brands: list[Any]
) -> None:
    brand = two_brands[0]
    with opened(brand) as s:
        settings.put(s, "club", {"rate": 5})
    with opened(brand, brand.stores[0]) as s:
        settings.put(s, "club", {"rate": 6, "unit": "stars"})
        stores_own = sa.select(PluginSetting).where(
            PluginSetting.key == "rate", PluginSetting.level == "store"
        )
        row = s.scalars(stores_own).one()
        row.value = 6_000
        s.flush()
        settings.put(s, "club", {"unit": "suns"})  # an old mistake is no reason to refuse this
        found = settings.resolve(s, "club")
        assert (found["rate"], found["unit"]) == (5, "suns")
        assert found.provenance["rate"].level == "brand"
        assert list(found.problems) == ["rate"]


def test_settings_cost_no_query_once_known(
    opened: Any, database: Any, two_brands: list[Any]
) -> None:
    brand = two_brands[0]
    with opened(brand, brand.stores[0], write=False) as s:
        first = settings.resolve(s, "club")
    asked: list[str] = []
    sa.event.listen(
        database.engine,
        "before_cursor_execute",
        lambda _c, _cur, statement, *_: asked.append(statement),
    )
    with opened(brand, brand.stores[0], write=False) as s:
        assert settings.resolve(s, "club") is first
    assert asked == []
    with opened(brand) as s:
        settings.put(s, "club", {"rate": 2})
    with opened(brand, brand.stores[0], write=False) as s:
        assert settings.resolve(s, "club")["rate"] == 2
        with pytest.raises(NotFound):
            settings.resolve(s, "club", brand.stores[1].id)


def test_what_was_rolled_back_is_not_remembered(opened: Any, two_brands: list[Any]) -> None:
    brand = two_brands[0]
    with pytest.raises(ZeroDivisionError), opened(brand) as s:
        settings.put(s, "club", {"rate": 2})
        assert settings.resolve(s, "club")["rate"] == 2
        raise ZeroDivisionError
    with opened(brand) as s:
        settings.put(s, "club", {"goal": 20})
    with opened(brand, write=False) as s:
        assert (settings.resolve(s, "club")["rate"], settings.resolve(s, "club")["goal"]) == (1, 20)


acts = st.lists(
    st.tuples(
        st.sampled_from(["brand", "region", "store"]),
        st.sampled_from(["rate", "goal"]),
        st.integers(1, 9),
        st.booleans(),  # lock
        st.integers(0, 3),  # days later
    ),
    max_size=8,
)


@given(acts=acts)
@hypothesis_settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_every_past_answer_stays_what_it_was(
    acts: list[Any], opened: Any, two_brands: list[Any], database: Any
) -> None:
    """Whatever is set later, each earlier moment resolves as it did then."""
    if database.kind == "postgresql" and len(acts) > 4:
        return
    brand = two_brands[0]
    store = brand.stores[0].id
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    seen: list[tuple[datetime, dict[str, Any]]] = []
    with time_machine.travel(moment, tick=False) as clock:
        try:
            with opened(brand) as s:
                for level, key, value, lock, days in acts:
                    clock.shift(timedelta(days=days, seconds=1))
                    where: dict[str, Any] = {
                        "brand": {"lock": [key] if lock else []},
                        "region": {"region_id": brand.region_id, "lock": [key] if lock else []},
                        "store": {"store_id": brand.stores[0].id},
                    }[level]
                    try:
                        settings.put(
                            s, "club", {key: value + (90 if key == "goal" else 0)}, **where
                        )
                    except Forbidden:
                        assert settings.resolve(s, "club", store).provenance[key].locked
                    now = datetime.now(UTC)
                    seen.append((now, dict(settings.resolve(s, "club", store))))
                for at, then in seen:
                    assert dict(settings.resolve(s, "club", store, at=at)) == then
                raise _Enough
        except _Enough:
            pass


class _Enough(Exception):
    """Roll everything back: the next example starts afresh."""
