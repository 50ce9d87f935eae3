"""Payment cards are refused wherever they stand, and our own ids are not taken for some."""

from hashlib import sha256
from uuid import UUID

import pytest
from stdnum import luhn

from highstreet_tenants.cards import (
    looks_like_payment_card,
    mask_payment_cards,
    refuse_payment_cards,
)
from highstreet_tenants.errors import Invalid

CARDS = [
    "4111111111111111",
    "4222222222222",
    "5555 5555 5555 4444",
    "2223003122003222",
    "3782-822463-10005",
    "3852 000002 3237",
    "6011000990139424",
    "3530111333300000",
    "6212 3456 7890 1232",
    "6759649826438453",
    "2200770239097761",
]
#: Ids that hold such a number by chance, each between its dashes.
UNLUCKY = [
    UUID("01a20778-5412-7345-8123-4c1bd2a1c0de"),
    *(UUID(int=0x01A20778_0000_7000_8000_000000000000 + n * 0x9E3779B97F4A7C15) for n in range(50)),
]


@pytest.mark.parametrize("card", CARDS)
@pytest.mark.parametrize("around", ["{}", "pay {} please", "x{}"])
def test_a_card_is_found(card: str, around: str) -> None:
    assert looks_like_payment_card(around.format(card))


@pytest.mark.parametrize(
    "card",
    [
        "4111  1111  1111  1111",
        "4111.1111.1111.1111",
        "4111/1111/1111/1111",
        "card:4111_1111_1111_1111",
        "3782.822463.10005",
        "4111\u00a01111\u00a01111\u00a01111",
        "4111\u200b1111\u200b1111\u200b1111",
        "4111–1111–1111–1111",
        "４１１１１１１１１１１１１１１１",
        "４１１１　１１１１　１１１１　１１１１",
        "٤١١١١١١١١١١١١١١١",
    ],
)
def test_a_card_is_found_however_it_is_parted_and_masked_in_its_place(card: str) -> None:
    assert looks_like_payment_card(card)
    masked = mask_payment_cards(f"né {card} après")
    assert not looks_like_payment_card(masked)
    assert masked.startswith("né ")
    assert masked.endswith(f"{card[-4:]} après")


@pytest.mark.parametrize(
    "number", ["45/2026/11/0001234", "4.1234.567890.12", "2026.1125.1234.5678", "4111.1111.1111"]
)
def test_receipt_numbers_with_dots_and_strokes_are_no_cards(number: str) -> None:
    assert not looks_like_payment_card(number)


@pytest.mark.parametrize("card", CARDS)
def test_a_card_beside_an_id_is_found(card: str) -> None:
    for one in UNLUCKY:
        assert looks_like_payment_card(f"{one} {card}")
        assert looks_like_payment_card(f"{card},{one}")


def _digits(beginning: str, length: int) -> str:
    """A number that begins so, with a right Luhn digit."""
    body = beginning.ljust(length - 1, "7")
    return next(f"{body}{last}" for last in range(10) if luhn.is_valid(f"{body}{last}"))


@pytest.mark.parametrize(
    ("country", "length"),
    [("491599", 13), ("5511", 13), ("62812", 13), ("436634", 13), ("39025", 13), ("30698", 14)],
)
def test_telephone_numbers_are_no_cards(country: str, length: int) -> None:
    """One in ten of those with 13 digits has a right Luhn digit; the sign before it tells."""
    number = _digits(country, length)
    for typed in (f"+{number}", f"+{number[:2]} {number[2:6]} {number[6:]}"):
        assert not looks_like_payment_card(typed)
        assert not looks_like_payment_card(f"call {typed} after six")
        assert looks_like_payment_card(f"{typed} {CARDS[0]}")
    # A plus sign makes no card a telephone number.
    for card in CARDS:
        if len(card.replace(" ", "").replace("-", "")) > 14:
            assert looks_like_payment_card(f"+{card}")


@pytest.mark.parametrize("length", [13, 14, 15])
def test_a_number_of_a_length_that_no_scheme_of_its_beginning_has_is_no_card(length: int) -> None:
    for beginning in ("55", "27", "60", "50", "58"):
        assert not looks_like_payment_card(_digits(beginning, length))


@pytest.mark.parametrize("beginning", ["633504", "634004", "98263", "6006", "1234"])
def test_a_shops_own_card_of_sixteen_digits_is_no_payment_card(beginning: str) -> None:
    """Nobody pays with those; brands bring them along."""
    assert not looks_like_payment_card(_digits(beginning, 16))


@pytest.mark.parametrize(
    "number", ["4-20260525-0883", "4348-000004787", "44 280426 001968", "431-15-08-2026-06503"]
)
def test_a_tills_own_number_is_no_card_unless_printed_as_one(number: str) -> None:
    """Register, day and count in groups; each of these has a right Luhn digit."""
    assert luhn.is_valid(number.replace("-", "").replace(" ", ""))
    assert not looks_like_payment_card(number, as_code=True)
    refuse_payment_cards(number, "pos_ref", as_code=True)
    for card in CARDS:
        assert looks_like_payment_card(card, as_code=True)
        with pytest.raises(Invalid):
            refuse_payment_cards(f"gift {card}", "product", as_code=True)


def test_ids_and_digests_are_no_cards() -> None:
    for number in range(60_000):
        digest = sha256(number.to_bytes(4, "big")).hexdigest()
        one = UUID(hex=digest[:32])
        assert not looks_like_payment_card(str(one)), one
        assert not looks_like_payment_card(f"customer {one}, again {one}")
        assert not looks_like_payment_card(digest), digest
        assert not looks_like_payment_card(one.hex)


def test_payloads_with_ids_pass_and_cards_in_them_do_not() -> None:
    ids = [str(UUID(hex=sha256(bytes([n])).hexdigest()[:32])) for n in range(256)]
    refuse_payment_cards({"ids": ids, "by": dict.fromkeys(ids, 1)})
    with pytest.raises(Invalid):
        refuse_payment_cards({"ids": [*ids, CARDS[0]]})
    with pytest.raises(Invalid):
        refuse_payment_cards({"amount": 4111111111111111})
