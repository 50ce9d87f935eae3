"""Postcards with name, address, picture and a code of their own; labels. Each run is a process.

Asked: 400 postcards a second of CPU, under 350 MB, and linear: 40,000 take as much memory as
20,000. The floor is typst alone, setting as many pages with the same words and picture, but without
codes and data. The floor of labels is a PDF written by hand in Python: the same lines in Helvetica,
which needs no font in the file, and so none beyond Latin-1.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from benchmarks.measure import Figure

_COMMON = """
import json, resource, struct, sys, tempfile, time, zlib
from pathlib import Path

def chunk(kind, data):
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

rows = b"".join(
    b"\\0" + bytes((x * y + x) % 256 for x in range(1800)) for y in range(400)
)
head = struct.pack(">IIBBBBB", 600, 400, 8, 2, 0, 0, 0)
PICTURE = (b"\\x89PNG\\r\\n\\x1a\\n" + chunk(b"IHDR", head)
           + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
COUNT = int(sys.argv[1])

def done(start, count):
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"cpu": time.process_time() - start, "mb": peak, "count": count}))
"""
_OURS = """
from highstreet.printing.designs import Design
from highstreet.printing.pieces import Piece
from highstreet.printing.writing import write
AREAS = {"headline": "Double points", "picture": "p", "sender": "Brand Ltd",
         "small": "Until Sunday",
         "text": "Dear {{ customer.name }},\\n\\nyou have {{ points_club.balance }} points.",
         "code_text": "Scan me"}
design = Design("postcard", "a6", AREAS, pictures={"p": PICTURE})
pieces = (
    Piece(str(n), (f"Ann Example {n}", "Flat 3", f"{n} Long Street", "London", "W1A 1AA"),
          {"customer.name": f"Ann {n}", "points_club.balance": n}, f"https://club.example/{n:012d}")
    for n in range(COUNT)
)
with tempfile.TemporaryDirectory() as folder:
    start = time.process_time()
    write(design, pieces, Path(folder))
    done(start, COUNT)
"""
_BARE = """
import typst
SOURCE = '''
#set page(width: 148mm, height: 105mm, margin: 0mm, bleed: 3mm)
#let picture = read("/p.png", encoding: none)
#for n in range(1000) {
  place(dx: -3mm, dy: -3mm, image(picture, width: 154mm, height: 72mm, fit: "cover"))
  place(dx: 8mm, dy: 80mm)[Double points]
  pagebreak()
  place(dx: 8mm, dy: 8mm)[Dear Ann #n, \\\\ you have #n points.]
  place(dx: 82mm, dy: 44mm)[Ann Example #n \\\\ Flat 3 \\\\ #n Long Street \\\\ London \\\\ W1A 1AA]
  if n < 999 { pagebreak() }
}'''
with tempfile.TemporaryDirectory() as folder:
    (Path(folder) / "p.png").write_bytes(PICTURE)
    fonts = typst.Fonts()
    start = time.process_time()
    for _turn in range(COUNT // 1000):
        typst.compile(SOURCE.encode(), root=folder, font_paths=fonts, pdf_standards=["a-2b"],
                      pdf_tags=False)
    done(start, COUNT)
"""
_LABELS = """
from highstreet.printing.labels import SHEETS, labels
from highstreet.printing.typesetting import unprintable
unprintable("a")
start = time.process_time()
labels(SHEETS["L7160"], [(f"Ann Example {n}", "Flat 3", f"{n} Long Street", "London", "W1A 1AA")
                         for n in range(COUNT)])
done(start, COUNT)
"""
_BY_HAND = """
start = time.process_time()
objects = []
for first in range(0, COUNT, 21):
    out = ["BT /F1 10 Tf"]
    for place, n in enumerate(range(first, min(first + 21, COUNT))):
        x, y = 29 + place % 3 * 187.2, 790 - place // 3 * 108
        for line in (f"Ann Example {n}", "Flat 3", f"{n} Long Street", "London", "W1A 1AA"):
            said = line.replace("\\\\", "\\\\\\\\").replace("(", "\\\\(").replace(")", "\\\\)")
            out.append(f"1 0 0 1 {x:.2f} {y:.2f} Tm ({said}) Tj")
            y -= 13
    out.append("ET")
    data = zlib.compress("\\n".join(out).encode("latin-1"))
    objects.append(b"<</Length %d/Filter/FlateDecode>>stream\\n%b\\nendstream" % (len(data), data))
pdf = b"%PDF-1.7\\n" + b"".join(b"%d 0 obj %b endobj\\n" % pair for pair in enumerate(objects, 1))
done(start, COUNT)
"""


def run() -> list[Figure]:
    """Each side in a process of its own, so that peaks of memory are its own."""
    quick = bool(os.environ.get("HIGHSTREET_BENCH_QUICK"))
    few, many = (2_000, 4_000) if quick else (20_000, 40_000)
    ours, more, bare = _run(_OURS, few), _run(_OURS, many), _run(_BARE, few)
    rate, floor = few / ours["cpu"], few / bare["cpu"]
    sets, by_hand = _run(_LABELS, 10_000), _run(_BY_HAND, 10_000)
    return [
        Figure("postcards", rate, floor, "pieces/s CPU", rate / floor, (">=", 400), of="value",
               note="floor: typst alone, no codes, no data"),
        Figure("postcards, memory", ours["mb"], bare["mb"], "MB", ours["mb"] / bare["mb"],
               ("<=", 350), of="value", note="the floor never forgets"),
        Figure(f"{many} postcards against {few}, per piece", more["cpu"] / many * 1e6,
               ours["cpu"] / few * 1e6, "µs CPU", more["cpu"] / ours["cpu"] * few / many,
               ("<=", 1.15)),
        Figure(f"{many} postcards against {few}, memory", more["mb"], ours["mb"], "MB",
               more["mb"] / ours["mb"], ("<=", 1.15)),
        Figure("10,000 labels", sets["cpu"], by_hand["cpu"], "s CPU", sets["cpu"] / by_hand["cpu"],
               ("<=", 2.5), note="floor: a PDF by hand, Latin-1 only, no font in it"),
    ]  # fmt: skip


def _run(script: str, count: int) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", _COMMON + script, str(count)],
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
