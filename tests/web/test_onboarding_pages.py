"""Head office takes stores in from a file and closes one, seeing first what that does."""

import csv
import html
import io
import re
from typing import Any

import sqlalchemy as sa

from highstreet_tenants.models import Store

ADD = "/office/harbour/add-stores"
LIST = (
    "number,name,region,city,manager_email\n"
    "501,Quay,Coast,Kiel,ann@people.example\n"
    "502,Pier,Cost,,\n"
    "101,New name,,,\n"
)


def codes(club: Any) -> dict[str, Store]:
    with club.office(0) as s:
        return {store.code: store for store in s.scalars(sa.select(Store))}


def hidden(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', text):
        if name != "csrf_token":
            found.setdefault(name, []).append(html.unescape(value))
    return found


def send(browser: Any, text: str) -> Any:
    shown = browser.get(ADD).text
    token = re.search(r'name="csrf_token" value="([^"]+)"', shown)
    assert token is not None
    data = {"file": (io.BytesIO(text.encode()), "stores.csv"), "csrf_token": token[1]}
    return browser.client.post(ADD, data=data, content_type="multipart/form-data")


def test_a_file_is_shown_row_by_row_before_it_is_taken_in(club: Any, manager: Any) -> None:
    preview = send(manager, LIST)
    assert preview.status_code == 200, preview.text
    assert "there is no region “Cost”" in preview.text
    assert "1 new, 1 changed, 0 as they are, 1 refused" in preview.text
    assert set(codes(club)) == {"101", "102"}, "nothing is changed yet"
    done = manager.post(ADD, f"{ADD}/confirm", hidden(preview.text))
    assert done.status_code == 200, done.text
    assert codes(club)["501"].name == "Quay" and codes(club)["101"].name == "New name"
    sheet = manager.post(ADD, f"{ADD}/links.csv", hidden(done.text))
    (row,) = csv.DictReader(io.StringIO(sheet.text.lstrip("\ufeff")))
    assert row["email"] == "ann@people.example"
    page = manager.get(row["link"].removeprefix("http://localhost"))
    assert page.status_code == 200 and "ann@people.example" in page.text
    again = manager.post(ADD, f"{ADD}/confirm", hidden(preview.text))
    assert "0 new, 0 changed, 2 as they are" in again.text
    assert "Store added" in manager.get("/office/harbour/trail/").text


def test_what_is_no_list_is_told(club: Any, manager: Any) -> None:
    assert "Choose a file" in send(manager, "").text
    assert "No column for number" in send(manager, "a,b\n1,2\n").text
    assert send(manager, "number\n" + "1\n" * 600_000).status_code == 422
    broken = {"data": ["AAAA"], "digest": ["0" * 64], "name": ["x.csv"]}
    assert manager.post(ADD, f"{ADD}/confirm", broken).status_code == 422


def test_only_who_may_change_stores_gets_there(club: Any, owner: Any) -> None:
    marketing = club.person("mara", "head_office_marketing", 0, None)
    for path in (ADD, "/office/harbour/stores/harbour-1/close"):
        assert marketing.get(path).status_code == 403
        assert owner.get(path).status_code == 404
    assert "Close this store" not in marketing.get("/office/harbour/stores/harbour-1").text


def test_a_store_closes_after_its_number_is_typed_and_opens_again(
    club: Any, manager: Any, counter: str
) -> None:
    page = "/office/harbour/stores/harbour-1/close"
    shown = manager.get(page).text
    assert re.search(r"Tills, with who is signed in there</span><b>1</b>", shown)
    assert re.search(r"Staff PINs</span><b>2</b>", shown)
    assert "go on in every other store" in shown
    assert "Nothing that its tools know of." in shown
    assert manager.post(page, page, {"number": "102"}).status_code == 422
    assert codes(club)["101"].status == "open"
    assert manager.post(page, page, {"number": "101"}).status_code == 303
    assert codes(club)["101"].status == "closed"
    till = club.site.browser()
    till.client.set_cookie("hs-till", counter, domain="localhost")
    assert "Unlock" not in till.get("/signin").text
    assert manager.get(page).status_code == 409
    answer = manager.press("/office/harbour/stores/harbour-1", "Open this store again")
    assert answer.status_code == 303
    assert codes(club)["101"].status == "open"
    trail = manager.get("/office/harbour/trail/").text
    assert "Store closed" in trail and "Store opened again" in trail
