"""Print designs in both consoles: drafted, approved, filled in by a store, and printed there."""

import io
import re
from typing import Any

import pytest

from highstreet.printing import queries, service
from highstreet.printing.service import TemplateIn
from pieces_given import codes_in, png

POSTER = {
    "kind": "window_poster",
    "name": "Double points",
    "size": "a4",
    "language": "en-GB",
    "area-headline": "Double points at {{ store.name }}",
    "area-text": "Until Sunday.",
    "area-code": "https://club.example/join",
    "store_areas": ["headline"],
}


def words(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text.split("<main")[1]).split())


def approved(front: Any, brand: int = 0, **changes: Any) -> Any:
    given: dict[str, Any] = {
        "name": "Double points",
        "kind": "window_poster",
        "size": "a4",
        "areas": {name[5:]: text for name, text in POSTER.items() if name.startswith("area-")},
        "store_areas": ["headline"],
    }
    with front.office(brand, write=True) as s:
        made = service.draft(s, TemplateIn(**{**given, **changes}))
        service.approve(s, made)
    return made


def test_from_draft_to_approval(club: Any, manager: Any) -> None:
    marketing = club.person("imke", "head_office_marketing", 0, None)
    home = f"{club.head(0)}/prints"
    assert "No designs yet" in words(marketing.get(f"{home}/"))
    for kind in ("postcard", "letter", "club_card", "window_poster", "shelf_card"):
        page = marketing.get(f"{home}/new?kind={kind}")
        assert page.status_code == 200
    refused = marketing.post(f"{home}/new", f"{home}/new", {**POSTER, "area-text": "{{ broken"})
    assert refused.status_code == 422
    assert "can't be read in line 1" in refused.text.replace("&#39;", "'")
    assert "{{ broken" in refused.text, "what was typed is there"
    saved = marketing.post(
        f"{home}/new", f"{home}/new", {**POSTER, "upload": (io.BytesIO(png()), "bread.png")}
    )
    assert saved.status_code == 303
    with club.office(0) as s:
        [row] = queries.listed(s)
        assert set(row.areas) == {"headline", "text", "code", "picture"}
    one = f"{home}/{row.id}"
    seen = re.search(r'name="seen" value="([^"]+)"', manager.get(one).text)
    assert seen
    side = marketing.get(f"{one}/side-0.png")
    assert side.mimetype == "image/png"
    assert codes_in(side.data) == ["https://club.example/join"]
    assert marketing.get(f"{one}/proof.pdf").data.startswith(b"%PDF")
    assert marketing.post(one, f"{one}/approve", {"seen": seen[1]}).status_code == 403
    marketing.post(f"{one}/edit", f"{one}/edit", {**POSTER, "name": "Other"})
    late = manager.post(one, f"{one}/approve", {"seen": seen[1]})
    assert late.status_code == 409
    assert "changed meanwhile" in words(late)
    assert manager.post(one, f"{one}/approve", {}).status_code == 303
    assert "Approved by" in words(manager.get(one))
    assert manager.post(one, f"{one}/retire", {}).status_code == 303
    assert "No designs yet" in words(manager.get(f"{home}/"))


def test_a_store_fills_it_in_and_prints_it(club: Any, owner: Any) -> None:
    made = approved(club)
    home = f"{club.store(0)}/prints"
    assert "Yours to fill in: Headline" in words(owner.get(f"{home}/"))
    one = f"{home}/{made}"
    page = owner.get(one)
    assert 'name="area-headline"' in page.text
    assert 'name="area-text"' not in page.text, "what is locked has no field"
    sent = {"area-headline": "Come to {{ store.name }}", "area-text": "Ours"}
    assert owner.post(one, one, sent).status_code == 303
    with club.session(0) as s:
        assert queries.own(s, made) == {"headline": "Come to {{ store.name }}"}
    file = owner.get(f"{one}/print.pdf")
    assert (file.mimetype, file.data[:4]) == ("application/pdf", b"%PDF")
    assert owner.post(one, one, {"area-headline": "{{ broken"}).status_code == 422
    owner.post(one, one, {"reset": "1"})
    with club.session(0) as s:
        assert queries.own(s, made) == {}


@pytest.mark.parametrize("text", ["Dear {{ customer.name }}", "Wide " * 24])
def test_what_can_not_be_printed_is_said_and_not_printed(club: Any, owner: Any, text: str) -> None:
    made = approved(club)
    one = f"{club.store(0)}/prints/{made}"
    owner.post(one, one, {"area-headline": text})
    page = words(owner.get(one))
    assert "Mend this before it is printed" in page
    assert "File to print" not in page
    assert owner.get(f"{one}/print.pdf").status_code == 409


def test_a_store_adds_a_picture_where_it_may(club: Any, owner: Any) -> None:
    made = approved(club, store_areas=["picture"])
    one = f"{club.store(0)}/prints/{made}"
    bad = owner.post(one, one, {"upload": (io.BytesIO(b"<svg><script/></svg>"), "x.svg")})
    assert bad.status_code == 422
    good = owner.post(one, one, {"upload": (io.BytesIO(png()), "bread.png")})
    assert good.status_code == 303
    with club.session(0) as s:
        assert len(queries.own(s, made)["picture"]) == 64


def test_others_have_no_such_design(club: Any, owner: Any, clerk: Any) -> None:
    made = approved(club, brand=1)
    for address in ("", "/side-0.png", "/print.pdf"):
        assert owner.get(f"{club.store(0)}/prints/{made}{address}").status_code == 404
    assert clerk.get(f"{club.store(0)}/prints/").status_code == 403
