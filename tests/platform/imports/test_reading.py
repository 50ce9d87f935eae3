"""Files as strangers make them are read right, and what can't be read is named."""

import gzip
from pathlib import Path
from time import process_time

import pytest

from highstreet.imports.reading import open_records, survey
from highstreet.imports.survey import Hints
from highstreet_tenants.errors import Invalid

TEXT = "receipt;store;total\n1;101;12,50\n2;101;Käse für José\n"


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def rows(path: Path) -> list[list[str]]:
    with open_records(survey(path)) as stream:
        return [record.fields for record in stream]


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("latin-1", "cp1252"),
        ("cp1252", "cp1252"),
    ],
)
def test_the_encoding_is_found_and_the_letters_are_right(
    tmp_path: Path, encoding: str, found: str
) -> None:
    path = write(tmp_path / "a.csv", TEXT.encode(encoding))
    seen = survey(path)
    assert seen.encoding == found
    assert seen.delimiter == ";"
    assert seen.header == ("receipt", "store", "total")
    assert rows(path)[2] == ["2", "101", "Käse für José"]


def test_chinese_files_of_windows_are_read(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.csv", ("姓名,电话\n" + "张伟,555-0100\n王芳,555-0101\n" * 5).encode("gb18030")
    )
    assert rows(path)[1] == ["张伟", "555-0100"]


def test_an_encoding_that_is_named_is_believed(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "a,b\nŁódź,1\n".encode("cp1250"))
    seen = survey(path, Hints(encoding="cp1250"))
    with open_records(seen) as stream:
        assert [record.fields for record in stream][1] == ["Łódź", "1"]
    with pytest.raises(Invalid, match="not an encoding"):
        survey(path, Hints(encoding="klingon"))


def test_packed_files_are_read_whatever_they_are_called(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", gzip.compress(TEXT.encode()))
    assert survey(path).packed
    assert len(rows(path)) == 3


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(tmp_path: Path, delimiter: str) -> None:
    line = delimiter.join(("receipt", "name", "total"))
    path = write(tmp_path / "a.csv", f"{line}\n1{delimiter}x y{delimiter}3\n".encode())
    assert survey(path).delimiter == delimiter


def test_a_comma_in_amounts_is_no_delimiter(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", b"receipt;store;total\n" + b"1;101;12,50\n" * 5)
    assert survey(path).delimiter == ";"


def test_an_open_quotation_mark_costs_one_line_and_not_the_rest(tmp_path: Path) -> None:
    lines = ['1,"two', 'lines"', '2,"never closed', *(f"{n},x" for n in range(3, 90)), '90,"end']
    path = write(tmp_path / "a.csv", ("a,b\n" + "\n".join(lines) + "\n").encode())
    with open_records(survey(path)) as stream:
        found = list(stream)
    assert found[1].fields == ["1", "two\nlines"]
    bad = [record for record in found if record.problem]
    assert [record.line for record in bad] == [4, 92]
    assert [record.fields[0] for record in found if not record.problem][2:] == [
        str(n) for n in range(3, 90)
    ]


def test_lines_of_the_file_are_numbered_as_an_editor_numbers_them(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", b'a,b\r\n1,"x\r\ny"\r\n\r\n2,z\r\n')
    with open_records(survey(path)) as stream:
        assert [record.line for record in stream] == [1, 2, 5]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b" \n \n", "empty"),
        (b"a,a\n1,2\n", "two columns named a"),
        (gzip.compress(b"a,b\n" * 9999, mtime=0)[:40], "ends in the middle"),
    ],
)
def test_what_is_no_table_is_refused_with_a_reason(tmp_path: Path, data: bytes, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        survey(write(tmp_path / "a.csv", data))


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="no file"):
        survey(tmp_path / "none.csv")
    with pytest.raises(Invalid, match="folder"):
        survey(tmp_path)


def test_japanese_files_of_windows_are_read(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "name,card\n山田太郎,1\nさとう はなこ,2\n".encode("shift_jis"))
    assert survey(path).encoding == "shift_jis"
    assert rows(path)[1] == ["山田太郎", "1"]
    # each curly sign and the letter behind it would be one Japanese sign
    curly = write(tmp_path / "b.csv", "name,card\nO’Brien – “Bo”,1\n".encode("cp1252"))
    assert rows(curly)[1] == ["O’Brien – “Bo”", "1"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("first", ["sep=;", '"sep=;"', "SEP=;"])
def test_a_line_that_tells_the_delimiter_is_no_header(
    tmp_path: Path, encoding: str, first: str
) -> None:
    path = write(tmp_path / "a.csv", f"{first}\r\na;b,c\r\n1;2,5\r\n".encode(encoding))
    seen = survey(path)
    assert (seen.delimiter, seen.header) == (";", ("a", "b,c"))
    with open_records(seen) as stream:
        assert [(record.line, record.fields) for record in stream][1:] == [(3, ["1", "2,5"])]


def test_a_title_above_the_names_is_passed_over(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", b"Sales, May 2026\n\nreceipt;total\n1;2,50\n")
    seen = survey(path, Hints(header=3))
    assert (seen.delimiter, seen.header) == (";", ("receipt", "total"))
    with open_records(seen) as stream:
        assert [record.line for record in stream] == [3, 4]


def test_rows_of_nothing_but_delimiters_are_no_rows(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", b"a,b\n1,2\n,\n\n,\n3,4\n,\n")
    with open_records(survey(path)) as stream:
        assert [record.line for record in stream] == [1, 2, 6]


def test_a_very_wide_table_does_not_take_long(tmp_path: Path) -> None:
    names = ",".join(f"c{n}" for n in range(20_000))
    path = write(tmp_path / "a.csv", f"{names}\n{names}\n".encode())
    began = process_time()
    assert len(survey(path).header) == 20_000
    assert process_time() - began < 5


def test_an_open_quotation_mark_in_long_lines_does_not_stop_the_guess(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", b'"a;b\n' + b"x" * 9_000 + b"\n" + (b"y" * 9_000 + b"\n") * 40)
    with pytest.raises(Invalid, match="first line"):
        survey(path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_a_mark_is_no_part_of_the_first_name_whatever_a_mapping_calls_the_encoding(
    tmp_path: Path, encoding: str
) -> None:
    path = write(tmp_path / "a.csv", '\ufeff"receipt","the\ntotal"\n1,2\n'.encode(encoding))
    seen = survey(path, Hints(encoding=encoding))
    assert seen.header == ("receipt", "the total")
    with open_records(seen) as stream:
        assert [record.fields for record in stream][1:] == [["1", "2"]]
