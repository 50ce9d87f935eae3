"""Files for the printer are whole or not there, and work that was interrupted goes on."""

import csv
import errno
import hashlib
import os
from pathlib import Path

import pytest

from highstreet.printing import writing
from highstreet.printing.typesetting import Unprintable
from highstreet.printing.writing import DiskFull, listed, write, write_addresses
from pieces_given import HIEROGLYPH, design, piece


def test_chunks_their_digests_and_the_list(tmp_path: Path) -> None:
    done: list[int] = []
    files = write(design(), (piece(n) for n in range(7)), tmp_path, chunk=3, progress=done.append)
    assert [(one.name, one.pieces, one.pages, one.first, one.last) for one in files] == [
        ("pieces-0001.pdf", 3, 6, "0", "2"),
        ("pieces-0002.pdf", 3, 6, "3", "5"),
        ("pieces-0003.pdf", 1, 2, "6", "6"),
    ]
    assert done == [3, 6, 7]
    for one in files:
        data = (tmp_path / one.name).read_bytes()
        assert one.sha256 == hashlib.sha256(data).hexdigest()
        assert data.startswith(b"%PDF")
    assert listed(tmp_path) == files
    assert sorted(os.listdir(tmp_path)) == ["files.json", *(one.name for one in files)]


def test_what_is_there_is_not_set_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = design()
    pieces = [piece(n) for n in range(6)]

    def stop(done: int) -> None:
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(made, pieces, tmp_path, chunk=2, progress=stop)
    assert len(listed(tmp_path)) == 2
    first = (tmp_path / "pieces-0001.pdf").stat().st_mtime_ns
    (tmp_path / "pieces-0002.pdf").write_bytes(b"%PDF half")
    set_again: list[str] = []
    chunk = writing._chunk
    monkeypatch.setattr(
        writing, "_chunk", lambda *args: set_again.append(args[3].name) or chunk(*args)
    )
    assert len(write(made, pieces, tmp_path, chunk=2)) == 3
    assert set_again == ["pieces-0002.pdf", "pieces-0003.pdf"]
    assert (tmp_path / "pieces-0001.pdf").stat().st_mtime_ns == first
    # Another address in it, or another design: that chunk is another.
    pieces[0] = piece(0, name="Bo")
    set_again.clear()
    write(made, pieces, tmp_path, chunk=2)
    assert set_again == ["pieces-0001.pdf"]
    set_again.clear()
    write(design(accent="#aa0000"), pieces, tmp_path, chunk=2)
    assert len(set_again) == 3


def test_a_full_disk_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(design(), [piece(1)], tmp_path, chunk=1)

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskFull, match=r"pieces-0002\.pdf"):
        write(design(), [piece(1), piece(2)], tmp_path, chunk=1)
    assert sorted(os.listdir(tmp_path)) == ["files.json", "pieces-0001.pdf"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_takes_nothing_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(writing.Unavailable):
        write(design(), [piece(1)], tmp_path)


def test_a_letter_that_no_font_has_stops_it_and_names_the_piece(tmp_path: Path) -> None:
    with pytest.raises(Unprintable, match="piece 2"):
        write(design(), [piece(1), piece(2, name=HIEROGLYPH)], tmp_path)
    assert os.listdir(tmp_path) == []


def test_addresses_for_a_mail_house(tmp_path: Path) -> None:
    lines = ("=cmd|' /c calc'!A1", "@SUM", "3", "4", "5", "6", "7")
    pieces = [piece(1, address=lines, code="+44"), piece(2, name="张伟")]
    path = tmp_path / "addresses.csv"
    assert write_addresses(pieces, path, values=["points_club.points"]) == 2
    raw = path.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(raw.decode("utf-8-sig").splitlines()))
    assert rows[0]["line_1"] == "'=cmd|' /c calc'!A1"
    assert rows[0]["line_2"] == "'@SUM"
    assert rows[0]["line_6"] == "6, 7"
    assert rows[0]["code"] == "'+44"
    assert (rows[1]["line_1"], rows[1]["points_club.points"]) == ("张伟", "12")
