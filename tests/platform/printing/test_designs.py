"""Designs: drafted, approved, filled in by stores; and what is printed then."""

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from highstreet.printing import pictures, proofing, queries, service
from highstreet.printing.models import PrintVersion
from highstreet.printing.service import TemplateIn
from highstreet_tenants.errors import Conflict, Forbidden, Invalid, NotFound
from highstreet_tenants.ids import new_id
from pieces_given import piece, png
from rooms_given import Floor

BOMB = b'<!DOCTYPE svg [<!ENTITY a "aaaa">]><svg xmlns="http://www.w3.org/2000/svg"/>'
NS = b'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
WICKED = {
    "a script": b"<svg " + NS + b"><script>alert(1)</script></svg>",
    "a handler": b"<svg " + NS + b'><rect onload="x()" width="1" height="1"/></svg>',
    "a file": b"<svg " + NS + b'><image xlink:href="file:///etc/passwd"/></svg>',
    "another page": b"<svg " + NS + b"><foreignObject/></svg>",
    "a far fill": b"<svg " + NS + b'><rect fill="url(http://x.example/a)"/></svg>',
    "a use of elsewhere": b"<svg " + NS + b'><path d="M0 0" xlink:href="http://x.example/"/></svg>',
    "an entity": BOMB,
    "a page": b"<html></html>",
    "nothing": b"",
    "half a picture": png()[:60],
    "another's size": png()[:16] + b"\x00\x01\x00\x00\x00\x01\x00\x00" + png()[24:],
}


def poster(**changes: Any) -> TemplateIn:
    """A window poster whose headline stores may change."""
    given: dict[str, Any] = {
        "name": "Double points",
        "kind": "window_poster",
        "size": "a4",
        "areas": {"headline": "Double points at {{ store.name }}", "text": "Until Sunday."},
        "store_areas": ["headline"],
    }
    return TemplateIn(**{**given, **changes})


def test_a_store_prints_what_was_approved_with_its_own_words(floor: Floor, tmp_path: Path) -> None:
    with floor.office(floor.club) as s:
        design_id = service.draft(s, poster())
    with floor.till(floor.club) as s:
        assert queries.listed(s) == []
        with pytest.raises(NotFound):
            queries.get(s, design_id)
    with floor.office(floor.club) as s:
        first = service.approve(s, design_id)
        service.change(s, design_id, poster(areas={"headline": "Draft", "text": "Draft"}))
    with floor.till(floor.club) as s:
        content = queries.current(s, design_id).content
        assert content["areas"]["text"] == "Until Sunday.", "not the draft"
        service.set_own(s, design_id, {"headline": "Come to {{ store.name }}"})
        made = queries.design(s, tmp_path, content, queries.own(s, design_id))
        assert made.areas["headline"] == "Come to {{ store.name }}"
        assert made.areas["text"] == "Until Sunday."
        assert proofing.preview(made, queries.sample(s), ppi=20)
        with pytest.raises(Invalid) as caught:
            service.set_own(s, design_id, {"text": "Ours"})
        assert list(caught.value.fields) == ["areas.text"]
        with pytest.raises(Invalid):
            service.set_own(s, design_id, {"headline": "{{ broken"})
    with floor.till(floor.club, 1) as s:
        assert queries.own(s, design_id) == {}
    # Head office locks the area: what was filled in is kept, and not printed.
    with floor.office(floor.club) as s:
        service.change(s, design_id, poster(store_areas=[]))
        second = service.approve(s, design_id)
        assert queries.version(s, first).number == 1
        assert queries.version(s, second).number == 2
    with floor.till(floor.club) as s:
        content = queries.current(s, design_id).content
        made = queries.design(s, tmp_path, content, queries.own(s, design_id))
        assert made.areas["headline"] == "Double points at {{ store.name }}"


def test_what_is_the_same_as_head_offices_is_head_offices(floor: Floor) -> None:
    with floor.office(floor.club) as s:
        design_id = service.draft(s, poster())
        service.approve(s, design_id)
    with floor.till(floor.club) as s:
        service.set_own(s, design_id, {"headline": "Ours"})
        service.set_own(s, design_id, {"headline": "Double points at {{ store.name }}"})
        assert queries.own(s, design_id) == {}
        service.set_own(s, design_id, {"headline": ""})
        assert queries.own(s, design_id) == {"headline": ""}


def test_a_version_never_changes(floor: Floor) -> None:
    with floor.office(floor.club) as s:
        design_id = service.draft(s, poster())
        version_id = service.approve(s, design_id)
    with pytest.raises(sa.exc.DBAPIError), floor.office(floor.club) as s:
        s.execute(
            sa.update(PrintVersion).where(PrintVersion.id == version_id).values(digest="0" * 64)
        )
    with floor.office(floor.club) as s:
        with pytest.raises(Conflict):
            service.approve(s, design_id)
        version = queries.version(s, version_id)
        assert version.digest == queries.digest(version.content)


def test_only_what_was_read_is_approved(floor: Floor) -> None:
    with floor.office(floor.club) as s:
        design_id = service.draft(s, poster())
        seen = queries.get(s, design_id).changed_at
        service.change(s, design_id, poster(name="Another"))
        with pytest.raises(Conflict):
            service.approve(s, design_id, seen=seen)


def test_one_out_of_use_is_printed_no_more(floor: Floor) -> None:
    with floor.office(floor.club) as s:
        design_id = service.draft(s, poster())
        version_id = service.approve(s, design_id)
        service.retire(s, design_id)
        assert queries.listed(s) == []
        assert queries.version(s, version_id).content["title"] == "Double points"
        with pytest.raises(Conflict):
            service.change(s, design_id, poster())
    with floor.till(floor.club) as s, pytest.raises(NotFound):
        queries.current(s, design_id)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"name": " "}, "name"),
        ({"kind": "balloon"}, "kind"),
        ({"size": "a9"}, "size"),
        ({"areas": {"headline": "{{ a"}}, "areas.headline"),
        ({"areas": {"headline": "x" * 121}}, "areas.headline"),
        ({"areas": {"picture": "0" * 64}}, "areas.picture"),
        ({"areas": {"smell": "roses"}}, "areas.smell"),
        ({"store_areas": ["smell"]}, "store_areas"),
    ],
)
def test_what_can_not_be_is_named(floor: Floor, changes: dict[str, Any], named: str) -> None:
    with floor.office(floor.club) as s, pytest.raises(Invalid) as caught:
        service.draft(s, poster(**changes))
    assert list(caught.value.fields) == [named]


def test_designs_are_head_offices_and_words_a_stores(floor: Floor) -> None:
    with floor.till(floor.club) as s, pytest.raises(Forbidden):
        service.draft(s, poster())
    with floor.office(floor.club) as s, pytest.raises(Forbidden):
        service.set_own(s, new_id(), {})


def test_pictures_are_kept_apart_for_each_brand_and_store(floor: Floor, tmp_path: Path) -> None:
    with floor.office(floor.club) as s:
        shared = pictures.add(s, tmp_path, png(), "C:\\photos\\bread.png")
        assert (shared.name, shared.width, shared.height) == ("bread.png", 60, 40)
        assert pictures.add(s, tmp_path, png(), "again.png").name == "bread.png"
    with floor.till(floor.club) as s:
        own = pictures.add(s, tmp_path, png(10, 10), "shop.png")
        assert [one.name for one in pictures.listed(s)] == ["bread.png", "shop.png"]
        assert pictures.read(s, tmp_path, [own.digest]) == {own.digest: png(10, 10)}
    for place in (floor.till(floor.club, 1), floor.office(floor.shops), floor.till(floor.shops)):
        with place as s, pytest.raises(NotFound):
            pictures.read(s, tmp_path, [own.digest])
    with floor.till(floor.club, 1) as s:
        [path] = tmp_path.glob(f"*/{shared.digest}")
        path.write_bytes(b"another")
        with pytest.raises(NotFound):
            pictures.read(s, tmp_path, [shared.digest])


@pytest.mark.parametrize("data", WICKED.values(), ids=WICKED)
def test_what_is_no_harmless_picture_is_refused(data: bytes) -> None:
    with pytest.raises(Invalid) as caught:
        pictures.look(data)
    assert list(caught.value.fields) == ["picture"]


def test_plain_shapes_are_taken() -> None:
    data = b"<svg " + NS + b' width="9" height="9"><path fill="#a00" d="M0 0h9v9z"/></svg>'
    assert pictures.look(data, "mark.svg").kind == "svg"
    assert piece().key == "1"
