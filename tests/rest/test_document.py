"""The OpenAPI document says all that can happen; the page about it works without the internet."""

import json
import re
from pathlib import Path

import jsonschema_rs
import pytest

from highstreet.app import create_app
from highstreet.rest import pipeline, problems
from highstreet.webhooks import catalogue


@pytest.fixture(scope="module")
def app_module(tmp_path_factory):
    """An application whose database is never asked."""
    folder = tmp_path_factory.mktemp("instance")
    return create_app({"instance": str(folder), "secret_key": "for tests only", "testing": True})


@pytest.fixture(scope="module")
def document(app_module):
    answer = app_module.test_client().get("/api/openapi.json")
    assert answer.status_code == 200
    return answer.get_json()


def every_operation(document):
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in ("get", "post", "put", "patch", "delete"):
                yield f"{method} {path}", operation


def test_it_is_openapi_3_1_and_every_reference_leads_somewhere(document):
    assert document["openapi"] == "3.1.0"
    for reference in set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document))):
        place = document
        for step in reference.split("/"):
            assert step in place, reference
            place = place[step]


def test_every_operation_is_described_and_named_once(document):
    ids = []
    for name, operation in every_operation(document):
        assert operation["summary"], name
        assert "Needs the key scope `" in operation["description"], name
        assert operation["security"] == [{"key": []}], name
        ids.append(operation["operationId"])
    assert len(ids) == len(set(ids)) > 12
    tags = {tag["name"] for tag in document["tags"]}
    assert {"store", "customers", "cards", "purchases"} <= tags


def test_every_status_of_the_pipeline_is_documented(document):
    for name, operation in every_operation(document):
        answers = operation["responses"]
        assert {"401", "403", "429", "503"} <= set(answers), name
        if name.split()[0] in ("post", "patch", "put"):
            assert {"400", "413", "415", "422"} <= set(answers), name
        if "{" in name:
            assert "404" in answers, name
        assert "500" not in answers, f"{name}: a defect is not part of the contract"
    assert {"412", "428"} <= set(
        document["paths"]["/api/v1/customers/{customer_id}"]["patch"]["responses"]
    )


def test_every_problem_answer_is_problem_json(document):
    for name, answer in document["components"]["responses"].items():
        if name in ("NOT_MODIFIED",):
            continue
        assert list(answer["content"]) == [problems.MEDIA_TYPE], name
    named = json.dumps(document["components"]["responses"])
    for slug, kind in problems.KINDS.items():
        if kind.status not in (405, 500):
            assert problems.PREFIX + slug in named, slug


def test_posts_that_write_ask_for_an_idempotency_key_and_previews_do_not(document):
    def keyed(operation):
        return any(p.get("name") == "Idempotency-Key" for p in operation["parameters"])

    for name, operation in every_operation(document):
        if name in ("post /api/v1/baskets/preview", "post /api/v1/segments/count"):
            assert not keyed(operation)
        else:
            assert keyed(operation) == name.startswith("post "), name
    assert {"POST", "PUT", "PATCH"} == pipeline.WITH_BODY


def test_the_document_is_the_same_for_every_reader(app_module):
    client = app_module.test_client()
    first = client.get("/api/openapi.json", headers={"Accept-Language": "zh-CN"})
    again = client.get("/api/openapi.json")
    assert first.get_data() == again.get_data()
    kept = client.get("/api/openapi.json", headers={"If-None-Match": first.headers["ETag"]})
    assert (kept.status_code, kept.get_data()) == (304, b"")


def test_every_problem_has_a_page(app_module):
    client = app_module.test_client()
    listed = client.get("/problems/")
    assert listed.status_code == 200
    for slug, kind in problems.KINDS.items():
        page = client.get(problems.PREFIX + slug)
        assert page.status_code == 200, slug
        assert str(kind.title).replace("'", "&#39;") in page.get_data(as_text=True)
        assert f"/problems/{slug}" in listed.get_data(as_text=True)
    assert client.get("/problems/card-blocked").status_code == 200, "a room's own refinement"
    assert client.get("/problems/no-such-thing").status_code == 404


def test_the_docs_page_needs_no_inline_script_and_no_other_host(app_module):
    page = app_module.test_client().get("/api/docs")
    text = page.get_data(as_text=True)
    assert page.status_code == 200
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert "style=" not in text
    assert not re.search(r'(?:src|href)="(?:https?:)?//', text)
    csp = page.headers["Content-Security-Policy"]
    assert "unsafe-inline" not in csp and "unsafe-eval" not in csp
    client = app_module.test_client()
    for address in re.findall(r'(?:src|href)="(/[^"]+)"', text):
        assert client.get(address).status_code == 200, address
    assert client.get("/static/swagger-ui/../pyproject.toml").status_code == 404
    assert client.get("/static/swagger-ui/index.css").status_code == 404


CHROMIUM = "/usr/bin/chromium"


@pytest.mark.browser
@pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="no Chromium")
def test_the_docs_page_works_offline_in_a_browser(app_module, tmp_path):
    import threading

    from playwright.sync_api import sync_playwright
    from werkzeug.serving import make_server

    server = make_server("127.0.0.1", 0, app_module, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    here = f"http://127.0.0.1:{server.server_port}"
    outside, complaints = [], []
    try:
        with sync_playwright() as play:
            browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            page = browser.new_page()
            page.on(
                "request",
                lambda r: outside.append(r.url) if not r.url.startswith((here, "data:")) else None,
            )
            page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.goto(f"{here}/api/docs")
            page.wait_for_selector(".opblock", timeout=20_000)
            shown = page.locator(".opblock").count()
            page.locator(".opblock-summary-control", has_text="Record a purchase").first.click()
            page.wait_for_selector("text=Needs the key scope")
            page.locator(".try-out__btn").first.click()
            page.wait_for_selector(".execute")
            page.screenshot(path=tmp_path / "docs.png")
            browser.close()
    finally:
        server.shutdown()
    assert shown > 12
    assert (outside, complaints) == ([], [])


def test_each_kind_of_event_is_told_with_a_sample_that_fits_its_schema(document, app_module):
    kinds = catalogue.all_of(app_module.extensions["highstreet"].host)
    assert set(document["webhooks"]) == set(kinds)
    for name, one in document["webhooks"].items():
        media = one["post"]["requestBody"]["content"]["application/json"]
        jsonschema_rs.validator_for(media["schema"]).validate(media["example"])
        assert media["example"]["type"] == name
