"""Its pages: they open, in both languages, for whom they should, and look like ours."""

from __future__ import annotations

import ast
import re
import threading
from collections.abc import Iterator
from typing import Any

from highstreet.i18n import LANGUAGE_COOKIE, LANGUAGES
from highstreet.kit import stated
from highstreet.kit.bench import Bench
from highstreet.kit.check import Finding, check
from highstreet.kit.rows import changed, everything, fingerprint
from highstreet.kit.subject import Subject
from highstreet.kit.town import Shop
from highstreet.web.assemble import FRAME

BROWSER_WAIT = 10_000
INLINE = (
    (re.compile(r"<script(?![^>]*\bsrc=)[^>]*>\s*\S"), "a script within the page"),
    (re.compile(r"<[^>]+\son[a-z]+="), "a script within an attribute (on…=)"),
    (re.compile(r"<style\b"), "a stylesheet within the page"),
    (re.compile(r"<[^>]+\sstyle="), "a style within an attribute"),
    (re.compile(r"""(?:src|href)=["'](?:https?:)?//(?!localhost)"""), "something from elsewhere"),
)


def _pages(bench: Bench, shop: Shop) -> Iterator[tuple[Any, Any, str, dict[str, Any]]]:
    """(rule, client, path, values) of every page that can be looked at in a place."""
    clerk, head = shop.browser(), shop.office.browser()
    life = bench.lives[shop.slug] if bench.lived_in else None
    for face, rule in bench.routes("store", "office", "member"):
        if "GET" not in (rule.methods or ()):
            continue
        values: dict[str, Any] = bench.slugs(shop)
        if face == "member":
            if life is None:
                continue
            values["token"] = shop.member_page(life.people[0]).split("/")[2]
        for argument in rule.arguments - set(values):
            if type(rule._converters[argument]).__name__ == "UUIDConverter":
                ids = bench.meant(shop, argument, face)
                if not ids:
                    break
                values[argument] = ids[0]
        else:
            values = {k: v for k, v in values.items() if k in rule.arguments}
            client = head if face == "office" else clerk
            yield rule, client, bench.path(rule, values), values


@check("screens-open")
def screens_open(bench: Bench) -> Iterator[Finding]:
    """Every page opens for whoever runs the place, full or empty, in every language."""
    for full in (False, True):
        assert not full or bench.lives
        for shop in (bench.town.shops[0], bench.town.shops[2]):
            for rule, client, _path, values in _pages(bench, shop):
                for tag in LANGUAGES:
                    client.set_cookie(LANGUAGE_COOKIE, tag, domain="localhost")
                    answer = bench.open(client, rule, "GET", values)
                    if isinstance(answer, Finding):
                        yield answer
                    elif answer.status_code >= 400:
                        yield Finding(
                            f"GET {rule.rule} in {shop.slug} answers {answer.status_code} to"
                            f" whoever runs the place ({LANGUAGES[tag]}).",
                            "Its permission has no roles in plugin.toml, or the page asks for"
                            " something that need not be there.",
                            bench.place_of_view(rule),
                        )


@check("screens-inline")
def screens_inline(bench: Bench) -> Iterator[Finding]:
    """No page holds a script or style of its own, or takes anything from elsewhere."""
    shop = bench.lives and bench.town.shops[0]
    assert isinstance(shop, Shop)
    for rule, client, _path, values in _pages(bench, shop):
        answer = bench.open(client, rule, "GET", values)
        if isinstance(answer, Finding) or answer.mimetype != "text/html":
            continue
        body = answer.get_data(as_text=True)
        for pattern, what in INLINE:
            if found := pattern.search(body):
                line = found[0].strip().splitlines()[0]
                yield Finding(
                    f"GET {rule.rule} has {what}: {line[:120]}",
                    "The browser refuses it (Content-Security-Policy). docs/reference/macros.md"
                    " lists the macros of macros/ui.html and the classes to use instead.",
                    bench.subject.at(line[:40], ".html") or bench.place_of_view(rule),
                )


@check("screens-forms")
def screens_forms(bench: Bench) -> Iterator[Finding]:
    """Every form bears the page's token, and every field is called something."""
    shop = bench.lives and bench.town.shops[0]
    assert isinstance(shop, Shop)
    for rule, client, _path, values in _pages(bench, shop):
        answer = bench.open(client, rule, "GET", values)
        if isinstance(answer, Finding) or answer.mimetype != "text/html":
            continue
        body = answer.get_data(as_text=True)
        for form in re.findall(r"<form\b.*?</form>", body, re.S | re.I):
            if re.search(r'method=["\']?post', form, re.I) and 'name="csrf_token"' not in form:
                head = form.splitlines()[0]
                yield Finding(
                    f"GET {rule.rule} has a form without the page's token: {head[:120]}",
                    "{{ csrf() }} of macros/ui.html within the form, or its macro `act`.",
                    bench.subject.at("<form", ".html") or bench.place_of_view(rule),
                )


@check("screens-permission", needs="tool")
def screens_permission(bench: Bench) -> Iterator[Finding]:
    """Every view says whom it lets in, by a permission that there is."""
    for face, rule in bench.all_routes():
        if bench.never_public(face, rule):
            yield Finding(
                f"{rule.rule} says that it is for everybody; a console is for who works there, and"
                " the page opens for nobody.",
                '@requires("<tool>.<what>") in place of @public.',
                bench.place_of_view(rule),
            )
        for wrong in stated.unstated(bench.app, [rule]):
            yield Finding(
                wrong,
                '@requires("<tool>.<what>"), which plugin.toml adds, or @public("why").',
                bench.place_of_view(rule),
            )


@check("screens-names", needs="files")
def screens_names(subject: Subject) -> Iterator[Finding]:
    """No page is given a value under a name that the frame around it reads."""
    for path, node in subject.nodes():
        called = getattr(getattr(node, "func", None), "id", "")
        if not isinstance(node, ast.Call) or called != "render_template":
            continue
        for name in sorted({str(one.arg) for one in node.keywords} & FRAME):
            yield Finding(
                f"A page is given “{name}”, which the frame of the console reads under this name.",
                f"Call it otherwise. The frame’s own: {', '.join(sorted(FRAME))}.",
                f"{path}:{node.lineno}",
            )


@check("screens-looking")
def screens_looking(bench: Bench) -> Iterator[Finding]:
    """Looking at a page changes nothing."""
    shop = bench.lives and bench.town.shops[0]
    assert isinstance(shop, Shop)
    for rule, client, _path, values in _pages(bench, shop):
        before = fingerprint(iter(everything(bench.database)))
        bench.open(client, rule, "GET", values)
        for table in changed(before, fingerprint(iter(everything(bench.database)))):
            yield Finding(
                f"GET {rule.rule} changed {table}.",
                "Browsers and search engines look at pages unasked: change things by POST.",
                bench.place_of_view(rule),
            )


@check("screens-posting")
def screens_posting(bench: Bench) -> Iterator[Finding]:
    """Whatever is sent to a form is taken or refused, and never breaks anything."""
    shop = bench.lives and bench.town.shops[2]
    assert isinstance(shop, Shop)
    browser = shop.browser()
    names = bench.asked()
    for _face, rule in bench.routes("store"):
        if "POST" not in (rule.methods or ()):
            continue
        values: dict[str, Any] = bench.slugs(shop)
        for argument in rule.arguments - set(values):
            ids = bench.ids_of(shop, argument)
            values |= {argument: ids[0]} if ids else {}
        for text in ("", "x" * 3_000, "-1", "1e99", "\x00", "2026-02-30", "💥"):
            answer = bench.open(browser, rule, "POST", values, data=dict.fromkeys(names, text))
            if isinstance(answer, Finding):
                yield answer
                break


@check("screens-axe")
def screens_axe(bench: Bench) -> Iterator[Finding]:
    """axe finds no barrier on its pages, on a phone and on a desk."""
    import os
    import shutil

    import pytest

    usual = shutil.which("chromium") or shutil.which("google-chrome") or ""
    place = os.environ.get("HIGHSTREET_CHROMIUM", usual)
    if bench.database.kind != "sqlite":
        pytest.skip("pages look the same on every database")
    if not place:
        pytest.skip("no Chromium here (HIGHSTREET_CHROMIUM)")
    playwright = pytest.importorskip("playwright.sync_api")
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    shop = bench.lives and bench.town.shops[0]
    assert isinstance(shop, Shop)
    with playwright.sync_playwright() as play, _served(bench.app) as root:
        browser = play.chromium.launch(executable_path=place, args=["--no-sandbox"])
        for rule, client, path, values in _pages(bench, shop):
            shown = bench.open(client, rule, "GET", values)
            if isinstance(shown, Finding) or shown.mimetype != "text/html":
                continue  # a file, or for another check to say
            for width, scheme in ((390, "light"), (1280, "dark")):
                context = browser.new_context(
                    viewport={"width": width, "height": 800}, color_scheme=scheme
                )
                if cookie := client.get_cookie("hs-session", domain="localhost"):
                    context.add_cookies(
                        [{"name": "hs-session", "value": cookie.value, "url": root}]
                    )
                page = context.new_page()
                page.goto(root + path, timeout=BROWSER_WAIT)
                for one in axe.run(page).response["violations"]:
                    if one["impact"] in ("serious", "critical"):
                        node = one["nodes"][0]["html"][:160]
                        yield Finding(
                            f"{path} at {width} px ({scheme}): {one['help']}: {node}",
                            f"{one['helpUrl']}. The macros of macros/ui.html do it right.",
                            bench.place_of_view(rule),
                        )
                wide = page.evaluate("document.documentElement.scrollWidth")
                if wide > width:
                    yield Finding(
                        f"{path} is {wide} px wide on a screen of {width}.",
                        'Put what is wide into <div class="hs-scroll">.',
                        bench.place_of_view(rule),
                    )
                context.close()
        browser.close()


class _served:  # noqa: N801 - reads as a verb where it stands
    """`with _served(app) as root:` the application answers at that address."""

    def __init__(self, app: Any) -> None:
        from werkzeug.serving import make_server

        self._server = make_server("localhost", 0, app, threaded=True)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> str:
        self._thread.start()
        return f"http://localhost:{self._server.server_port}"

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
