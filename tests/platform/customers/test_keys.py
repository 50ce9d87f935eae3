"""Cards, phones, e-mails and names are found however people write them."""

import pytest

from highstreet.customers import keys
from highstreet.customers.text import clean, reference
from highstreet_tenants.errors import Invalid


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("4071 2286 93", "4071228693"),
        ("4071-2286-93\r\n", "4071228693"),
        ("４０７１２２８６９３", "4071228693"),
        ("hs-00123", "HS00123"),
        ("0001234", "0001234"),
    ],
)
def test_a_card_has_one_key(typed: str, key: str) -> None:
    assert keys.card_key(typed) == key


@pytest.mark.parametrize("typed", ["12", "", "x" * 33, "12\x0034", "4111 1111 1111 1111", "12;34"])
def test_what_is_no_club_card_is_refused(typed: str) -> None:
    with pytest.raises(Invalid):
        keys.card_key(typed)


@pytest.mark.parametrize(
    ("typed", "region", "key"),
    [
        ("020 7946 0018", "GB", "+442079460018"),
        ("+44 (0)20 7946 0018", "AU", "+442079460018"),
        ("0412 345 678", "AU", "+61412345678"),
        ("１３８ ００１３ ８０００", "CN", "+8613800138000"),
        ("(317) 555-0142", "US", "+13175550142"),
        ("317.555.0142", "US", "+13175550142"),
        ("+1-317-555-0142", "CN", "+13175550142"),
        ("tel:+1-317-555-0142", "GB", "+13175550142"),
        ("+4915996269374", "AU", "+4915996269374"),
        ("+55 11 94018-0707", "AU", "+5511940180707"),
    ],
)
def test_a_phone_has_one_key(typed: str, region: str, key: str) -> None:
    assert keys.phone_key(typed, region) == key


@pytest.mark.parametrize(
    ("typed", "region"),
    [
        ("123", "GB"),
        ("hello", "GB"),
        ("0412345678", None),
        ("555-0142", "US"),  # without its area code it is somebody's in each town
        ("317-555-0142 or 317-555-0143", "US"),
    ],
)
def test_what_is_no_phone_is_refused(typed: str, region: str | None) -> None:
    with pytest.raises(Invalid) as error:
        keys.phone_key(typed, region)
    assert "phone" in error.value.fields


def test_an_email_has_one_key() -> None:
    assert keys.email_key(" Ana.Nunez@EXAMPLE.com ") == "ana.nunez@example.com"
    assert keys.email_key("ann@exämple.com") == keys.email_key("Ann@EXÄMPLE.com")
    # Two letters in one, two domains: small letters must not make one of them.
    assert keys.email_key("Ann@STRAẞE.de") == "ann@straße.de"
    assert keys.email_key("ann@straße.de") != keys.email_key("ann@strasse.de")
    assert keys.email_key("User@βόλος.com") == "user@βόλος.com"
    assert keys.email_key("ann@xn--exmple-cua.com") == keys.email_key("ann@exämple.com")
    for bad in ("ana", "ana@", "a b@example.com", "a@b@example.com", "ana\x00@example.com"):
        with pytest.raises(Invalid):
            keys.email_key(bad)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("Ana María Núñez", ["ana maria nunez", "maria nunez", "nunez"]),
        ("王小明", ["王小明", "小明", "明"]),
        (
            "O'Brien-Smith",
            ["o brien smith", "brien smith", "smith", "obrien smith", "obriensmith"],
        ),
        ("Anne-Marie", ["anne marie", "marie", "annemarie"]),
        ("D’Arcy", ["d arcy", "arcy", "darcy"]),
        ("Oʼahu", ["o ahu", "ahu", "oahu"]),
        ("'Tis - so'", ["tis so", "so"]),
        ("김철수", ["김철수", "철수", "수"]),
        ("Łukasz Øster", ["lukasz oster", "oster"]),
        ("STRAẞE", ["strasse"]),
        ("がく", ["がく", "く"]),
        ("किरण", ["किरण"]),
        ("", []),
        ("!!!", []),
    ],
)
def test_a_name_is_found_from_each_of_its_words(name: str, found: list[str]) -> None:
    assert keys.name_keys(name) == found


def test_a_name_has_a_bounded_number_of_keys() -> None:
    assert len(keys.name_keys(" ".join("abcdefghijkl"))) == 8
    assert all(len(key) <= keys.NAME_KEY_LENGTH for key in keys.name_keys("x" * 200))


@pytest.mark.parametrize("text", ["a\x00b", "a\ud800b", "a\x1bb", "a\nb", "x" * 21, "￿"])
def test_text_that_cannot_be_kept_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as error:
        clean(text, "note", 20)
    assert "note" in error.value.fields


def test_payment_cards_are_refused_in_any_text() -> None:
    with pytest.raises(Invalid):
        clean("call about 4111 1111 1111 1111 please", "note", 200, lines=True)


def test_text_is_trimmed_and_normalised() -> None:
    assert clean("  Zoe\u0308 ", "name", 20) == "Zoë"
    assert clean("a\r\nb", "note", 20, lines=True) == "a\nb"
    with pytest.raises(Invalid):
        clean("   ", "name", 20, required=True)


def test_barcodes_pass_as_product_codes_but_payment_cards_do_not() -> None:
    # Valid EAN-13 that begins like an old Visa number and passes Luhn too.
    assert reference("4006381333023", "product", 50) == "4006381333023"
    with pytest.raises(Invalid):
        reference("4111111111111111", "pos_ref", 50)
    with pytest.raises(Invalid):
        reference("", "pos_ref", 50)
    with pytest.raises(Invalid):
        reference("R1\x00", "pos_ref", 50)


@pytest.mark.parametrize("number", ["4-20260525-0883", "431-15-08-2026-06503"])
def test_receipts_in_groups_pass_and_products_in_groups_do_not(number: str) -> None:
    """Register, day and count, with a right check digit; a product has no such number."""
    assert reference(number, "pos_ref", 50, grouped=True) == number
    for take in (clean, reference):
        with pytest.raises(Invalid):
            take(number, "product", 50)
    for card in ("4111 1111 1111 1111", "3782-822463-10005", "4111111111111111"):
        with pytest.raises(Invalid):
            reference(card, "pos_ref", 50, grouped=True)


@pytest.mark.parametrize("unseen", ["\u200b", "\ufeff", "\u2060"])
def test_what_nobody_sees_makes_no_difference(unseen: str) -> None:
    assert clean(f"{unseen}Zoë{unseen}", "name", 20) == "Zoë"
    for text in (unseen, f" {unseen} ", "\u200d"):
        with pytest.raises(Invalid):
            clean(text, "name", 20, required=True)
        with pytest.raises(Invalid):
            reference(text, "pos_ref", 50)
    assert clean("می\u200cخواهم", "name", 20) == "می\u200cخواهم"


@pytest.mark.parametrize("turning", ["\u202e", "\u2066"])
def test_marks_that_turn_the_direction_are_refused(turning: str) -> None:
    for take in (clean, reference):
        with pytest.raises(Invalid):
            take(f"R1{turning}23", "field", 50)
