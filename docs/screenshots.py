"""The pictures of the guides, taken from a demo that is built for it: `python docs/screenshots.py`.

Needs Chromium and playwright (`pip install 'highstreet[test]'`).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

from playwright.sync_api import Page, sync_playwright

IMAGES = Path(__file__).parent / "images"
CHROMIUM = os.environ.get("HIGHSTREET_CHROMIUM", "/usr/bin/chromium")
PORT = 5077
BRAND = "torque-and-co"
SIZE = {"width": 1280, "height": 800}


def main() -> None:
    """Build the demo, serve it, and look at it as an owner and as head office."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        links = _build(folder)
        with _serving(folder):
            chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            _store(chromium.new_page(viewport=SIZE), links["store_owner"])
            _office(chromium.new_page(viewport=SIZE), links["head_office_manager"])


def _store(page: Page, link: str) -> None:
    _sign_in(page, link)
    home = page.locator(f"a[href^='/store/{BRAND}/']").first.get_attribute("href")
    for name, path in (
        ("today", ""),
        ("till", "till/"),
        ("customers", "customers/"),
        ("tools", "tools/"),
    ):
        _shoot(page, f"{home}{path}", f"store-{name}")


def _office(page: Page, link: str) -> None:
    _sign_in(page, link)
    home = f"/office/{BRAND}/"
    for name, path in (("overview", ""), ("tools", "tools/"), ("jobs", "jobs/")):
        _shoot(page, f"{home}{path}", f"office-{name}")
    page.goto(_at(f"{home}campaigns/"))
    campaign = page.locator("main table a").first.get_attribute("href")
    _shoot(page, str(campaign), "office-campaign")


def _shoot(page: Page, path: str, name: str) -> None:
    page.goto(_at(path))
    page.screenshot(path=IMAGES / f"{name}.png")
    print(name)


def _sign_in(page: Page, link: str) -> None:
    page.goto(link)
    page.locator("main form button").first.click()
    page.wait_for_load_state()


def _at(path: str) -> str:
    return f"http://127.0.0.1:{PORT}{path}"


def _build(folder: str) -> dict[str, str]:
    command = [*_highstreet(folder), "demo", "--no-serve", "--json", "--port", str(PORT)]
    said = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return {one["role"]: one["url"] for one in reversed(said["links"]) if one["brand"] == BRAND}


@contextmanager
def _serving(folder: str) -> Iterator[None]:
    with subprocess.Popen([*_highstreet(folder), "run", "--port", str(PORT)]) as server:
        try:
            for _try in range(100):
                try:
                    urlopen(_at("/healthz")).close()
                    break
                except OSError:
                    time.sleep(0.2)
            yield
        finally:
            server.terminate()


def _highstreet(folder: str) -> list[str]:
    return [str(Path(sys.executable).with_name("highstreet")), "--instance", folder]


if __name__ == "__main__":
    main()
