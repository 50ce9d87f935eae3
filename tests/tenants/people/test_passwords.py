"""Passwords: what is refused, how they are compared, and that hashes can be made stronger later."""

import pytest

from highstreet_tenants.errors import Invalid
from highstreet_tenants.people.passwords import Passwords, passwords, refuse_weak

EMAIL = "dana.miller@shop.example"


@pytest.mark.parametrize(
    "weak",
    [
        "",
        "short-one",
        "dana.miller@shop.example",
        "Dana.Miller@SHOP.example",
        "dana.miller",
        "password123",
        "PassWord1234",
        "1234567890",
        "9876543210",
        "abcdefghijkl",
        "aaaaaaaaaaaaaa",
        "ababababababab",
        "x" * 501,
    ],
)
def test_a_weak_password_is_refused_and_says_what_to_do(weak):
    with pytest.raises(Invalid) as caught:
        refuse_weak(weak, EMAIL)
    assert caught.value.fields["password"] == [caught.value.detail]


@pytest.mark.parametrize(
    "good", ["correct horse", "Ladder–7 moss", "雨天里的红色自行车和茶壶", "tea & 2 crumpets"]
)
def test_a_good_password_passes(good):
    refuse_weak(good, EMAIL)


def test_it_is_argon2id_and_salted():
    strong = passwords("argon2id")
    made = strong.hash("correct horse")
    assert made.startswith("$argon2id$")
    assert made != strong.hash("correct horse")
    assert strong.check("correct horse", made).right
    assert not strong.check("correct horsf", made).right


def test_another_kind_of_hasher_is_refused():
    with pytest.raises(ValueError, match="argon2id or cheap"):
        Passwords("md5")


def test_a_cheaper_hash_is_replaced_at_the_next_right_password(hasher):
    old = hasher.hash("correct horse")
    strong = passwords("argon2id")
    checked = strong.check("correct horse", old)
    assert checked.right
    assert checked.newer_hash is not None
    assert strong.check("correct horse", checked.newer_hash).newer_hash is None
    assert strong.check("wrong horse", old).newer_hash is None


def test_nobody_is_compared_with_a_decoy_and_is_always_wrong(hasher):
    assert not hasher.check("correct horse", None).right
    assert not hasher.check("", None).right


def test_the_same_letters_typed_on_another_keyboard_match(hasher):
    made = hasher.hash("cafe\u0301 au lait")  # e + combining accent
    assert hasher.check("caf\u00e9 au lait", made).right


def test_what_only_a_broken_client_sends_does_not_break_us(hasher):
    made = hasher.hash("correct horse")
    assert not hasher.check("\ud800 lone surrogate", made).right
    assert not hasher.check("nul \0 byte", made).right
    assert not hasher.check("x" * 1_000_000, made).right
