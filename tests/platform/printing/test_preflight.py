"""What would go wrong in print is told beforehand, with the piece and what to mend."""

import pytest

from highstreet.printing import proofing
from highstreet.printing.designs import Design
from highstreet.printing.kinds import KINDS
from highstreet.printing.preflight import preflight
from highstreet.printing.typesetting import Unprintable, unprintable
from highstreet_tenants.errors import Invalid
from pieces_given import CHINESE, ENGLISH, HIEROGLYPH, codes_in, design, piece, png


@pytest.mark.parametrize("texts", [ENGLISH, CHINESE], ids=["English", "Chinese"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_set_and_its_code_is_read_from_the_page(kind: str, texts: dict) -> None:  # type: ignore[type-arg]
    made = design(kind, texts, language="zh-CN" if texts is CHINESE else "en-GB")
    one = piece(name="张伟") if texts is CHINESE else piece()
    assert preflight(made, [one]).fine
    pages = proofing.preview(made, one, ppi=120)
    assert len(pages) == made.pages_each()
    assert codes_in(pages[-1]) == ["https://club.example/r/K7PX0001"]


@pytest.mark.parametrize("size", KINDS["postcard"].formats)
@pytest.mark.parametrize("marks", [False, True])
def test_the_trimmed_size_and_the_bleed_stand_in_the_file(size: str, marks: bool) -> None:
    made = design(size=size, marks=marks)
    data = proofing.proof(made, [piece()])
    form = KINDS["postcard"].formats[size]
    box = data.split(b"/TrimBox[")[1].split(b"]")[0].split()
    left, low, right, high = (float(one) / 72 * 25.4 for one in box)
    assert (right - left, high - low) == pytest.approx((form.width, form.height), abs=0.01)
    assert left == pytest.approx(10 if marks else 3, abs=0.01)


def test_each_piece_has_its_own_code() -> None:
    made = design()
    found = [codes_in(proofing.preview(made, piece(n), ppi=150)[1]) for n in (1, 2)]
    assert found == [["https://club.example/r/K7PX0001"], ["https://club.example/r/K7PX0002"]]
    [own] = codes_in(proofing.preview(made, piece(code="SAVE-10"), ppi=150)[1])
    assert own == "SAVE-10"


def test_markup_in_a_value_prints_as_it_stands() -> None:
    made = design(texts=ENGLISH | {"text": "{{ customer.name }}", "headline": '#panic("x")'})
    wicked = '#Ann *x* $y$ #panic("run") \\ <b> @k'
    assert preflight(made, [piece(name=wicked)]).fine
    plain, starred = (
        proofing.preview(made, piece(values={"customer.name": name, "code": "A"}))[1]
        for name in ("x", "*x*")
    )
    assert plain != starred, "the stars are printed"


def test_what_does_not_fit_is_found() -> None:
    made = design()
    long = piece(2, values={"customer.name": "Ann " * 150, "code": "A"})
    wide = piece(3, values={"customer.name": "Donaudampfschifffahrt" * 5, "code": "A"})
    tall = piece(4, address=tuple(f"line {n}" for n in range(14)))
    found = preflight(made, [piece(1), long, wide, tall])
    assert found.pieces == 4
    assert [(one.key, one.wrong, one.area) for one in found.found] == [
        ("2", "overflow", "text"),
        ("3", "overflow", "text"),
        ("4", "overflow", "address"),
    ]
    assert all(float(one.what) > 1 and "Shorten" in one.words for one in found.found)
    assert found.counts == {"overflow": 3}


def test_five_lines_and_a_long_name_do_fit() -> None:
    name = "Dr. Maximiliane Freifrau von Hohenstein-Wolkenburg"
    lines = (
        name,
        "c/o Example House Ltd",
        "Flat 12, Rose Court",
        "1204 Long Acre",
        "London W1A 1AA",
    )
    for kind in ("postcard", "letter"):
        assert preflight(design(kind), [piece(address=lines)]).fine


def test_a_missing_value_and_a_missing_address_are_found() -> None:
    found = preflight(design(), [piece(), piece(2, values={"code": "A"}, address=("", " "))])
    assert [(one.key, one.wrong, one.what) for one in found.found] == [
        ("2", "missing_field", "customer.name"),
        ("2", "no_address", ""),
    ]


def test_letters_that_no_font_has_are_found_with_their_piece() -> None:
    assert unprintable('Ab张偉é\n\t{"\\') == frozenset()
    strange = piece(2, name=f"张 {HIEROGLYPH}")
    found = preflight(design(), [piece(name="张伟"), strange])
    assert {(one.key, one.wrong, one.area, one.what) for one in found.found} == {
        ("2", "missing_letter", "text", HIEROGLYPH),
        ("2", "missing_letter", "address", HIEROGLYPH),
    }
    with pytest.raises(Unprintable) as caught:
        proofing.proof(design(), [strange])
    assert caught.value.letters == {HIEROGLYPH}


def test_a_code_that_no_camera_reads_is_refused() -> None:
    [one] = preflight(design(), [piece(code="x" * 400)]).found
    assert (one.area, one.wrong) == ("code", "text")


def test_a_proof_shows_the_worst() -> None:
    made = design()
    long = piece(50, name="Maximiliane von Hohenstein-Wolkenburg-Langenau")
    tall = piece(60, address=("Bo", "1", "2", "3", "4"))
    poor = piece(70, name="Cy", values={"customer.name": "Cy", "code": "A"})
    zh = piece(80, name="张伟")
    many = [piece(n) for n in range(90)]
    many[50], many[60], many[70], many[80] = long, tall, poor, zh
    chosen = proofing.worst(made, many)
    assert [many[0], long, tall, poor, zh] == [one for one in chosen if one in
                                               (many[0], long, tall, poor, zh)]  # fmt: skip
    assert len(chosen) < 10
    assert proofing.proof(made, many).startswith(b"%PDF")
    with pytest.raises(Invalid):
        proofing.proof(made, [])


def test_a_design_that_is_none_is_refused() -> None:
    for wrong in ({"kind": "balloon"}, {"size": "a1"}, {"window": "round"}):
        with pytest.raises(Invalid) as caught:
            design(**wrong) if "kind" not in wrong else _strange()
        assert list(caught.value.fields) == list(wrong)


def _strange() -> None:
    from highstreet.printing.designs import checked

    checked(Design("balloon", "a6", {}, pictures={"pic": png()}))
