"""Sealed secrets: opened by the installation that sealed them, in their place, by nobody else."""

import pytest

from highstreet_tenants.ids import new_id
from highstreet_tenants.sealing import Sealing, Unsealable

ROW, OTHER = new_id(), new_id()


def test_what_was_sealed_is_opened_again_and_does_not_stand_in_what_is_kept():
    sealing = Sealing("the installation's secret")
    sealed = sealing.seal("webhook", ROW, "whsec_数据")
    assert "whsec" not in sealed
    assert sealed.isascii()
    assert Sealing("the installation's secret").open("webhook", ROW, sealed) == "whsec_数据"


def test_the_same_text_is_sealed_differently_each_time():
    sealing = Sealing("secret")
    assert sealing.seal("webhook", ROW, "a") != sealing.seal("webhook", ROW, "a")


@pytest.mark.parametrize(
    ("secret", "kind", "row"),
    [("another", "webhook", ROW), ("secret", "second-factor", ROW), ("secret", "webhook", OTHER)],
)
def test_another_secret_another_kind_and_another_row_do_not_open_it(secret, kind, row):
    sealed = Sealing("secret").seal("webhook", ROW, "a")
    with pytest.raises(Unsealable, match="Make a new one"):
        Sealing(secret).open(kind, row, sealed)


@pytest.mark.parametrize("kept", ["", "nonsense", "gAAAA"])
def test_what_is_damaged_is_said_to_be_so(kept):
    with pytest.raises(Unsealable):
        Sealing("secret").open("webhook", ROW, kept)


def test_one_changed_letter_is_found():
    sealed = Sealing("secret").seal("webhook", ROW, "a")
    changed = sealed[:-8] + ("A" if sealed[-8] != "A" else "B") + sealed[-7:]
    with pytest.raises(Unsealable):
        Sealing("secret").open("webhook", ROW, changed)
