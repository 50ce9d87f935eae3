"""The site builds without a warning, and every page and picture of it is reached."""

import re
import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", str(DOCS), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "A tool in fifteen minutes" in (tmp_path / "index.html").read_text("utf-8")


def test_every_link_between_pages_leads_somewhere() -> None:
    links = 0
    for page in DOCS.rglob("*.md"):
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name} leads to {target}"
            links += 1
    assert links > 20


def test_every_picture_is_shown() -> None:
    shown = "".join(one.read_text("utf-8") for one in DOCS.rglob("*.md"))
    assert {one.name for one in (DOCS / "images").glob("*.png")} == set(
        re.findall(r"images/([a-z-]+\.png)", shown)
    )
