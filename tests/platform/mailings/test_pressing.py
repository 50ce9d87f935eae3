"""A mailing by post in a print design: pinned, looked through, proofed, written in files."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from highstreet.addresses import service as addresses
from highstreet.addresses.facts import AddressIn
from highstreet.consent import service as consent
from highstreet.customers import leaving
from highstreet.customers import service as customers
from highstreet.mailings import drafting, post, pressing, queries, releasing
from highstreet.mailings.facts import MailingIn
from highstreet.printing import service as printing
from highstreet.printing.service import TemplateIn
from highstreet.segments import service as picking
from highstreet.segments.rules import All
from highstreet_tenants.errors import Conflict, Invalid
from pieces_given import HIEROGLYPH

AREAS = {"headline": "Spring", "text": "Dear {{ customer.name }}, say {{ code }}."}


def design(s: Any, **changes: Any) -> UUID:
    given: dict[str, Any] = {"name": "Spring", "kind": "postcard", "size": "a6", "areas": AREAS}
    made = printing.draft(s, TemplateIn(**{**given, "store_areas": ["headline"], **changes}))
    printing.approve(s, made)
    return made


def member(s: Any, name: str, street: str, country: str = "GB") -> UUID:
    who = customers.enrol(s, name=name).id
    consent.record(
        s, who, purpose="news", channel="post", status="given", wording="Yes", method="till",
        at=datetime.now(UTC) - timedelta(days=9),
    )  # fmt: skip
    code = {"GB": "LS1 4DY", "DE": "10115"}[country]
    addresses.put(s, who, AddressIn(country, street, "Leeds", code))
    return who


def plan(s: Any, content: dict[str, Any]) -> UUID:
    segment = picking.save(s, name=f"All {datetime.now(UTC)}", rule=All()).id
    return drafting.draft(s, MailingIn("Spring", "news", "post", segment, content))


@pytest.fixture
def people(street: Any) -> list[UUID]:
    with street.till() as s:
        return [
            member(s, "Ann Lee", "1 High Street"),
            member(s, "Bo Shaw", "2 High Street"),
            member(s, "Cy Moss", "Hafenstr. 3", "DE"),
        ]


def test_from_the_design_to_the_files_of_it(street, people):
    with street.office() as s:
        template = design(s)
        mailing = plan(s, {"design": str(template)})
        with pytest.raises(Conflict, match="Select people first"):
            pressing.proof(s, mailing)
        fact = drafting.select(s, mailing)
        with pytest.raises(Conflict, match="released"):
            pressing.order(s, mailing)
        assert pressing.preflight(s, mailing).pieces == 3
        assert pressing.preflight(s, mailing).fine
        assert pressing.proof(s, mailing).startswith(b"%PDF")
        drafting.approve(s, mailing, fact.manifest)
        printing.change(s, template, TemplateIn("Spring", "postcard", "a6", {"headline": "New"}))
        printing.approve(s, template)
        with pytest.raises(Conflict, match="edited"):
            releasing.release(s, mailing)
        drafting.change(s, mailing, _again(s, mailing, {"design": str(template)}))
        printing.change(s, template, TemplateIn("Spring", "postcard", "a6", AREAS))
        printing.approve(s, template)
        drafting.approve(s, mailing, drafting.select(s, mailing).manifest)
        releasing.release(s, mailing)
        releasing.go_on(s, mailing)
        printing.change(s, template, TemplateIn("Spring", "postcard", "a6", {"headline": "New"}))
        printing.approve(s, template)
        pressing.order(s, mailing)
        pressing.order(s, mailing)
        codes = {one.code: one for one in queries.pieces(s, mailing)}
    assert street.work().count("done") >= 1
    with street.office() as s:
        [(path, file)] = pressing.files(s, mailing)
        assert (file.pieces, file.pages) == (3, 6)
        assert path.read_bytes().startswith(b"%PDF")
        assert path.is_relative_to(street.house.config["instance"])
        assert pressing.design(s, mailing).areas == AREAS, "as it was approved with it"
        for piece in pressing.pieces(s, mailing, sent=True):
            assert piece.values["code"] == piece.code == piece.key
            assert piece.code_text.replace("-", "") == piece.code in codes
        ann, cy = (
            next(one for one in pressing.pieces(s, mailing) if name in one.address)
            for name in ("Ann Lee", "Cy Moss")
        )
        assert ann.address == ("Ann Lee", "1 High Street", "LEEDS", "LS1 4DY")
        assert cy.address[-1] == "GERMANY" and cy.values["brand.name"]
        addresses.put(s, people[0], AddressIn("GB", "9 Elsewhere", "York", "YO1 7HH"))
        assert next(pressing.pieces(s, mailing)).address != ("Ann Lee", "9 Elsewhere")
        assert ann.address in [one.address for one in pressing.pieces(s, mailing)]
        assert pressing.labels(s, mailing, "L7160", start=3).startswith(b"%PDF")
        with pytest.raises(Invalid, match="L7160"):
            pressing.labels(s, mailing, "A1")
        leaving.erase(s, people[1], reason="asked")
        assert pressing.count(s, mailing) == 2
        assert pressing.take_away(s, mailing) == 1 and pressing.files(s, mailing) == []


def test_what_is_cut_off_goes_on(street, people, monkeypatch):
    monkeypatch.setattr(pressing, "FILE", 2)
    with street.office() as s:
        mailing = plan(s, {"design": str(design(s))})
        drafting.approve(s, mailing, drafting.select(s, mailing).manifest)
        releasing.release(s, mailing)
        releasing.go_on(s, mailing)
    made = _write(street, mailing, 2)
    with street.office(write=False) as s:
        times = {path: path.stat().st_mtime_ns for path, _file in pressing.files(s, mailing)}
        list(times)[1].unlink()
    assert [one.of for one in _write(street, mailing, 2)] == [one.of for one in made]
    with street.office(write=False) as s:
        again = {path: path.stat().st_mtime_ns for path, _file in pressing.files(s, mailing)}
    assert [times[one] == again[one] for one in again] == [True, False]


def _write(street: Any, mailing: UUID, files: int) -> Any:
    seen: list[tuple[int, int]] = []
    made = pressing.write(
        lambda: street.office(write=False), mailing, lambda *done: seen.append(done)
    )
    assert seen == [(2, 3), (3, 3)] and len(made) == files
    return made


def test_a_letter_that_no_font_has_is_told_before_and_refused(street):
    with street.till() as s:
        member(s, f"Ann {HIEROGLYPH}", "1 High Street")
    with street.office() as s:
        mailing = plan(s, {"design": str(design(s))})
        drafting.approve(s, mailing, drafting.select(s, mailing).manifest)
        assert "missing_letter" in pressing.preflight(s, mailing).counts
        releasing.release(s, mailing)
        releasing.go_on(s, mailing)
        pressing.order(s, mailing)
    assert "failed" in street.work()
    with street.office(write=False) as s:
        assert pressing.files(s, mailing) == []


def test_a_design_must_be_approved_and_for_people(street, people):
    with street.office() as s:
        wall = design(s, kind="window_poster", size="a4", areas={"headline": "Spring"})
        drafted = printing.draft(s, TemplateIn("Spring", "postcard", "a6", AREAS))
        for content in ({"design": str(wall)}, {"design": str(drafted)}, {"design": "7"}):
            with pytest.raises(Invalid) as refused:
                drafting.select(s, plan(s, content))
            assert list(refused.value.fields) == ["design"]
        bare = plan(s, {})
        drafting.select(s, bare)
        assert [one.values["code"] for one in pressing.pieces(s, bare)]
        with pytest.raises(Conflict, match="no design"):
            pressing.proof(s, bare)
        assert len(list(post.rows(s, bare))) == 1, "nothing of it is out of the house"


def test_a_stores_own_words_are_printed_and_pinned(street):
    with street.office(brand=street.shops) as s:
        template = design(s)
    with street.till(brand=street.shops) as s:
        member(s, "Ann Lee", "1 High Street")
        printing.set_own(s, template, {"headline": "Come to the quay"})
        mailing = plan(s, {"design": str(template)})
        drafting.approve(s, mailing, drafting.select(s, mailing).manifest)
        printing.set_own(s, template, {"headline": "Come to the hill"})
        with pytest.raises(Conflict, match="edited"):
            releasing.release(s, mailing)
        printing.set_own(s, template, {"headline": "Come to the quay"})
        releasing.release(s, mailing)
        printing.set_own(s, template, {})
        assert pressing.design(s, mailing).areas["headline"] == "Come to the quay"


def _again(s: Any, mailing: UUID, content: dict[str, Any]) -> MailingIn:
    return MailingIn("Spring", "news", "post", queries.get(s, mailing).segment_id, content)
