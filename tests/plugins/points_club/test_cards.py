"""Club cards: numbers, replacements, print."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from highstreet.customers.queries import CardBlocked
from highstreet_points_club import cards, history
from highstreet_tenants.cards import looks_like_payment_card
from highstreet_tenants.errors import Conflict, Invalid, NotFound

from .conftest import Shop


def test_numbers_are_checked_and_never_look_like_payment_cards() -> None:
    numbers = {cards.new_number() for _n in range(2000)}
    assert len(numbers) == 2000
    for number in numbers:
        assert cards.is_ours(number)
        assert not looks_like_payment_card(number)
        assert number[0] != "0"


def test_every_slip_of_one_digit_and_of_two_neighbours_is_found() -> None:
    number = cards.new_number()
    for place in range(cards.DIGITS):
        for digit in "0123456789":
            slip = number[:place] + digit + number[place + 1 :]
            assert cards.is_ours(slip) == (slip == number)
    for place in range(cards.DIGITS - 1):
        one, two = number[place], number[place + 1]
        slip = number[:place] + two + one + number[place + 2 :]
        assert cards.is_ours(slip) == (one == two)
    assert not cards.is_ours("１２３４５６７８９０１２")
    assert not cards.is_ours("")


def test_a_lost_card_is_replaced_and_the_points_stay(shop: Shop) -> None:
    for brand in (shop.club, shop.shops):
        with shop.session(brand) as s:
            ctx, who = shop.ctx(s), shop.member(s)
            old = cards.issue(ctx, who.id)
            shop.buy(s, who.id, 2000)
            new = cards.replace(ctx, who.id, cards.grouped(old.value))
            with pytest.raises(CardBlocked, match="reported lost"):
                ctx.customers.by_card(old.value)
            assert history.balance(ctx, ctx.customers.by_card(new.value).id).balance == 20
            second = cards.issue(ctx, who.id)  # several cards of one account
            assert ctx.customers.by_card(second.value).id == who.id
            ctx.customers.set_card_status(second.value, "blocked")
            with pytest.raises(CardBlocked, match="blocked"):
                ctx.customers.by_card(second.value)


def test_a_card_left_blank_is_registered_to_somebody_with_an_account(shop: Shop) -> None:
    """PEERS A1: both balances are one afterwards, in debt or not, and both cards work."""
    with shop.session(shop.club) as s:
        ctx, who = shop.ctx(s), shop.member(s)
        first = cards.issue(ctx, who.id)
        shop.buy(s, who.id, 3000)
        blank = shop.member(s, "", card="4071228693")
        shop.buy(s, blank.id, 1200)
        cards.issue(ctx, who.id, "4071 2286 93")
        for number in (first.value, "4071228693"):
            assert history.balance(ctx, ctx.customers.by_card(number).id).balance == 42
        shop.buy(s, blank.id, 100)  # a till that still has the old record in hand
        assert history.balance(ctx, who.id).balance == 43
    shop.sound(shop.club)


def test_a_card_is_one_members(shop: Shop) -> None:
    with shop.session(shop.club) as s:
        ctx = shop.ctx(s)
        one, other = shop.member(s, "A"), shop.member(s, "B")
        held = cards.issue(ctx, one.id)
        with pytest.raises(Conflict):
            cards.issue(ctx, other.id, held.value)
        with pytest.raises(NotFound, match="no such card"):
            cards.replace(ctx, other.id, held.value)
        with pytest.raises(Invalid):
            cards.issue(ctx, other.id, "4111 1111 1111 1111")


def test_a_printed_card_shows_name_and_number_and_its_code_scans(shop: Shop, tmp_path) -> None:  # type: ignore[no-untyped-def]
    zxingcpp = pytest.importorskip("zxingcpp")
    image = pytest.importorskip("PIL.Image")
    name = "#Ann *x* $y$ \\ 张伟"
    with shop.session(shop.club) as s:
        ctx, who = shop.ctx(s), shop.member(s, name)
        with pytest.raises(Invalid, match="Give one first"):
            cards.printable(ctx, [who.id])
        number = cards.issue(ctx, who.id).value
        pdf = cards.printable(ctx, [who.id, who.id])
        with pytest.raises(Invalid):
            cards.printable(ctx, [])
    assert pdf.startswith(b"%PDF-")
    if not shutil.which("pdftotext") or not shutil.which("pdftoppm"):
        pytest.skip("no poppler to read the PDF with")
    path = tmp_path / "card.pdf"
    path.write_bytes(pdf)
    text = subprocess.run(
        ["pdftotext", "-layout", path, "-"], capture_output=True, check=True, text=True
    ).stdout
    assert "#Ann *x* $y$" in text
    assert "张伟" in text
    assert cards.grouped(number) in text
    assert text.count("\f") == 2
    subprocess.run(["pdftoppm", "-r", "200", "-png", path, tmp_path / "page"], check=True)
    (found,) = zxingcpp.read_barcodes(image.open(tmp_path / "page-1.png"))
    assert found.text == number
