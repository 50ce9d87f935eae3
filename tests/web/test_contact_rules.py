"""Head office's page of contact rules, and what a store reads of them; without scripts."""

import re
from typing import Any

import pytest

from highstreet.addresses import service as addresses
from highstreet.addresses.facts import AddressIn
from highstreet.consent import laying_down


def words(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text.split("<main")[1]).split())


@pytest.fixture
def head(front: Any) -> Any:
    return front.person("hilda", "head_office_manager", 0, None)


@pytest.fixture
def page(front: Any) -> str:
    return f"{front.head(0)}/contact-rules"


def ruled(front: Any) -> list[tuple[str, str, int | None]]:
    with front.session(0) as s:
        return [(one.kind, one.channel, one.most) for one in laying_down.here(s)]


def test_rules_are_added_changed_and_ended_and_what_loosens_is_asked_again(
    front: Any, head: Any, owner: Any, page: str
) -> None:
    assert "No limit" in words(head.get(page))
    cap = {"kind": "cap", "channel": "*", "most": "4", "days": "30", "region": "", "shop": ""}
    assert head.post(page, page, cap).status_code == 303
    shown = head.get(page)
    assert "At most 4 within 30 days all ways together Whole brand Hilda" in words(shown)
    # Tighter holds at once; looser only when it was said again.
    assert head.post(page, page, cap | {"most": "3"}).status_code == 303
    asked = head.post(page, page, cap | {"most": "9"})
    assert asked.status_code == 200 and "contacted more often than now" in words(asked)
    assert ruled(front) == [("cap", "*", 3)]
    assert head.post(page, page, cap | {"most": "9", "sure": "1"}).status_code == 303
    assert ruled(front) == [("cap", "*", 9)]
    quiet = {"kind": "quiet", "channel": "sms", "starts": "21:00", "ends": "08:00", "region": ""}
    assert (
        head.post(page, page, quiet | {"shop": front.brands[0].stores[0].code}).status_code == 303
    )
    later = head.post(
        page, page, quiet | {"shop": front.brands[0].stores[0].code, "starts": "22:00"}
    )
    assert "disturbed at hours that are quiet now" in words(later)
    basis = {"kind": "basis", "channel": "post"}
    assert "ask your lawyer" in words(head.post(page, page, basis))
    assert head.post(page, page, basis | {"sure": "1"}).status_code == 303
    assert ruled(front) == [("basis", "post", None), ("cap", "*", 9), ("quiet", "sms", None)]

    told = words(owner.get(f"{front.store(0)}/settings/"))
    assert "From 21:00 to 08:00 · text message Laid down by head office for your store" in told
    assert "At most 9 within 30 days · all ways together Laid down by head office for all" in told
    assert "Hilda" not in told
    with front.session(0, 1) as s:
        assert "quiet" not in {one.kind for one in laying_down.here(s)}

    one = re.findall(r'href="([^"]+/contact-rules/[0-9a-f-]{36})"', head.get(page).text)[0]
    assert "could be contacted more often" in words(head.get(one))
    assert head.post(one, f"{one}/end").status_code == 303
    assert ("cap", "*", 9) not in ruled(front)
    assert head.post(page, f"{one}/end").status_code == 404


def test_what_is_wrong_comes_back_as_it_was_typed(front: Any, head: Any, page: str) -> None:
    given = {"kind": "cap", "channel": "*", "most": "often", "days": "30", "shop": "Nowhere"}
    answer = head.post(page, page, given)
    assert answer.status_code == 422
    assert 'value="often"' in answer.text and 'href="#cap-shop"' in answer.text
    answer = head.post(page, page, given | {"shop": ""})
    assert answer.status_code == 422 and 'href="#cap-most"' in answer.text
    none = {"kind": "quiet", "channel": "*", "starts": "", "ends": "late"}
    assert 'href="#quiet-starts"' in head.post(page, page, none).text
    assert head.post(page, page, {"kind": "king"}).status_code == 422
    assert ruled(front) == []


def test_a_share_is_held_out_and_counted(front: Any, head: Any, page: str) -> None:
    shop = {"percent": "half"}
    assert head.post(page, f"{page}/holdout", shop).status_code == 422
    assert head.post(page, f"{page}/holdout", {"percent": "51"}).status_code == 422
    pairs = [(front.enrol(0, name=f"Ann {n}"), front.enrol(0, name=f"Bo {n}")) for n in range(40)]
    with front.session(0, write=True) as s:
        for number, pair in enumerate(pairs):
            for who in pair:
                lives = AddressIn("GB", f"{number} High St", "Leeds", "LS1 4DY")
                addresses.put(s, who, lives)
    assert head.post(page, f"{page}/holdout", {"percent": "50"}).status_code == 303
    held = int(re.findall(r"(\d+) households? (?:is|are) held out", words(head.get(page)))[0])
    assert 5 <= held <= 75  # of 80, for surnames differ; by lot
    fewer = head.post(page, f"{page}/holdout", {"percent": "7.5"})
    assert "would be contacted again" in words(fewer)
    sure = {"percent": "7.5", "sure": "1"}
    assert head.post(page, f"{page}/holdout", sure).status_code == 303
    assert 'value="7.5"' in head.get(page).text


def test_marketing_reads_and_a_store_changes_nothing(front: Any, owner: Any, page: str) -> None:
    reader = front.person("mark", "head_office_marketing", 0, None)
    shown = reader.get(page)
    assert shown.status_code == 200 and "Add a limit" not in words(shown)
    basis = {"kind": "basis", "channel": "post", "sure": "1"}
    assert reader.post(f"{front.head(0)}/settings/", page, basis).status_code == 403
    assert owner.get(page).status_code == 404
