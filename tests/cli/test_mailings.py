"""``highstreet mailings`` and ``contacts``: a mailing's whole life, by an operator and machines."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from highstreet.addresses import service as addresses
from highstreet.addresses.facts import AddressIn
from highstreet.app import create_app, house_of
from highstreet.cli import main
from highstreet.cli.base import find_brand
from highstreet.customers import service as customers
from highstreet.printing import service as printing
from highstreet.printing.service import TemplateIn
from highstreet.segments import service as picking
from highstreet.segments.rules import All
from highstreet_tenants.scopes import Scope

from .conftest import Call
from .test_campaigns import BRAND

PEOPLE = (
    ("7001", "Ann Lee", "1 High Street"),
    ("7002", "Bo Lee", "1 High Street"),
    ("7003", "=cmd|'/c calc'", "2 High Street"),
    ("7004", "Di Park", ""),
)
ON = ("--brand", "larkfield")


@pytest.fixture(scope="module", autouse=True)
def town(instance: Path) -> None:
    """A brand, people with addresses, and a segment of all of them."""
    blueprint = instance / "brand.toml"
    blueprint.write_text(BRAND, encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        main(["--instance", str(instance), "brands", "apply", str(blueprint)])
    assert not ended.value.code
    with opened(instance) as house:
        brand = find_brand(house, "larkfield")
        with house.tenancy.session(Scope.brand(brand), write=True) as s:
            for card, name, street in PEOPLE:
                who = customers.enrol(s, name=name, card=card)
                if street:
                    home = AddressIn("IE", street, city="Dublin", postal_code="D02 X285")
                    addresses.put(s, who.id, home)
            picking.save(s, name="Everybody", rule=All())


@contextmanager
def opened(instance: Path) -> Iterator[Any]:
    """The installation's house."""
    app = create_app({"instance": str(instance)}, faces=False)
    house = house_of(app)
    with app.app_context():
        yield house
    house.engine.dispose()


def work(instance: Path) -> None:
    """Do what is due, as the job runner does."""
    with opened(instance) as house:
        while house.runner.run_one() is not None:
            pass


def test_a_mailing_from_plan_to_piece(call: Call, instance: Path) -> None:
    plan = ("mailings", "draft", *ON, "--name", "Spring", "--purpose", "news", "--segment")
    nobody = call(*plan, "x")
    assert nobody.code == 2 and "no segment “x”" in nobody.err
    assert "no mailings here yet" in call("mailings", "list", *ON).err
    drafted = call(*plan, "everybody", "--json", debug=True)
    assert drafted.json["number"] == 1
    assert "approved before" in call("mailings", "release", 1, *ON).err

    fall = call("mailings", "select", 1, *ON, "--json", debug=True).json["waterfall"]
    assert fall["selected"] == 4 and fall["ready"] == 0, "nobody has agreed"
    assert call("contacts", "basis", *ON, "--channel", "post").code == 0
    told = call("mailings", "select", 1, *ON, "--json").json
    assert told["waterfall"]["ready"] == 2
    reasons = {one["reason"]: one["people"] for one in told["waterfall"]["steps"]}
    assert reasons == {"unreachable": 1, "household": 1}
    manifest = told["mailing"]["manifest"]

    assert "Others were selected" in call("mailings", "approve", 1, *ON, "--manifest", "0").err
    assert call("mailings", "approve", 1, *ON, "--manifest", manifest, debug=True).code == 0
    assert call("mailings", "release", 1, *ON, debug=True).code == 0
    work(instance)
    shown = call("mailings", "show", 1, *ON)
    assert "finished" in shown.out and "Everybody" in shown.out
    lines = list(csv.reader(io.StringIO(call("mailings", "export", 1, *ON).out)))
    assert [row[1] for row in lines] == ["Name", "Ann Lee", "'=cmd|'/c calc'"]
    code = lines[1][0]
    chain = call("mailings", "why", code.lower(), *ON, debug=True).out
    assert "Mailing: Spring, for the purpose “news”." in chain
    assert "No consent was needed" in chain and "1 High Street" in chain
    assert call("mailings", "why", "ZZZZZZZZZZ", *ON).code == 2
    (listed,) = call("mailings", "list", *ON, "--json").json
    assert listed["status"] == "finished"
    assert call("mailings", "list", *ON, "--store", "101", "--json").json == []


def test_a_mailing_in_print_and_one_by_email(call: Call, instance: Path) -> None:
    with opened(instance) as house:
        brand = find_brand(house, "larkfield")
        with house.tenancy.session(Scope.brand(brand), write=True) as s:
            made = printing.draft(s, TemplateIn("Spring", "postcard", "a6", {"text": "{{ code }}"}))
            printing.approve(s, made)
    assert call("contacts", "basis", *ON, "--channel", "post").code == 0
    plan = ("mailings", "draft", *ON, "--name", "Card", "--purpose", "news", "--segment")
    assert "there are: 1 Spring" in call(*plan, "everybody", "--design", 9).err
    number = call(*plan, "everybody", "--design", 1, "--json").json["number"]
    assert "Select people first" in call("mailings", "preflight", number, *ON).err
    manifest = call("mailings", "select", number, *ON, "--json").json["mailing"]["manifest"]
    assert call("mailings", "preflight", number, *ON, "--json", debug=True).json["pieces"] == 2
    proof = instance / "proof.pdf"
    assert call("mailings", "proof", number, *ON, "--output", proof).code == 0
    labels = ("mailings", "labels", number, *ON, "--output", instance / "labels.pdf", "--sheet")
    assert call(*labels, "L7160", "--start", 3).code == 0
    assert "Use one of: L7160" in call(*labels, "A1").err
    assert "what was released" in call("mailings", "print", number, *ON).err
    call("mailings", "approve", number, *ON, "--manifest", manifest)
    call("mailings", "release", number, *ON)
    work(instance)
    (file,) = call("mailings", "print", number, *ON, "--json", debug=True).json
    assert file["pieces"] == 2 and Path(file["path"]).read_bytes().startswith(b"%PDF")
    gone = call("mailings", "print", number, *ON, "--take-away", "--json")
    assert gone.json == {"deleted": 1} and not Path(file["path"]).exists()

    text = instance / "spring.txt"
    text.write_text("Hello {{ name }}", encoding="utf-8")
    number = call(
        *plan, "everybody", "--channel", "email", "--subject", "Spring", "--text-file", text,
        "--json",
    ).json["number"]  # fmt: skip
    assert "No mail server" in call("mailings", "select", number, *ON).err


def test_what_is_laid_down_and_who_must_not_be_contacted(call: Call) -> None:
    for one in call("contacts", "rules", *ON, "--json").json["rules"]:
        assert call("contacts", "withdraw", one["id"], *ON).code == 0
    assert "Nothing is laid down" in call("contacts", "rules", *ON).err
    assert call("contacts", "cap", *ON, "--most", 2, "--days", 30, "--region", "coast").code == 0
    assert call("contacts", "cap", *ON, "--most", 2, "--days", 30, "--region", "moon").code == 2
    quiet = ("contacts", "quiet", *ON, "--channel", "sms", "--to", "8:00", "--from")
    assert call(*quiet, "21:00").code == 0
    assert "no time of the day" in call(*quiet, "25:00").err
    assert call("contacts", "holdout", *ON, 5, debug=True).code == 0
    told = call("contacts", "rules", *ON, "--json").json
    assert told["holdout_percent"] == 5 and len(told["rules"]) == 2
    one = told["rules"][0]["id"]
    assert call("contacts", "withdraw", one, *ON).code == 0
    assert call("contacts", "withdraw", one, *ON).code == 2

    ask = ("contacts", "ask", "7001", *ON, "--purpose", "news", "--channel", "post", "--json")
    assert call(*ask).json["allowed"] is False
    assert call("contacts", "basis", *ON, "--channel", "post").code == 0
    assert call(*ask).json["allowed"] is True
    lost = ("contacts", "ask", "7999", *ON, "--purpose", "news", "--channel", "post")
    assert "Nobody here has the card 7999." in call(*lost).err
    gone = call(
        "contacts", "suppress", *ON, "7001", "9999", "--reason", "deceased", "--json", debug=True
    )
    assert (gone.json["new"], gone.json["unknown"]) == (1, ["9999"])
    assert call(*ask).json == {"allowed": False, "reason": "They are deceased."}
