"""An operator's day, on the demo: every command does what it says, for people and for machines."""

import json
import sqlite3
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from highstreet.cli import database
from highstreet.host.manifest import Manifest
from highstreet.host.plugin import Finding, Plugin
from highstreet.host.registry import Loaded
from highstreet_tenants import clock

from .conftest import Call, Called

CLUB = "torque-and-co"


@pytest.fixture(scope="module")
def built(instance: Path) -> Path:
    """The module's installation with the demo in it."""
    from highstreet.cli import main

    with pytest.raises(SystemExit) as ended:
        main(["--instance", str(instance), "demo", "--no-serve", "--json"])
    assert ended.value.code == 0
    return instance


@pytest.fixture
def at(call: Call, built: Path) -> Call:
    """Calls on the demo."""
    return call


def fine(done: Called) -> Called:
    assert done.code == 0, done.err
    return done


def test_the_demo_prints_one_json_object(at: Call) -> None:
    found = fine(at("demo", "--no-serve", "--json")).json
    assert {brand["slug"] for brand in found["brands"]} == {
        "crust-and-crumb",
        "torque-and-co",
        "last-reel-video",
    }
    for brand in found["brands"]:
        assert {"stores", "customers", "purchases", "points_earned", "rewards_issued"} <= set(brand)
    assert len(found["links"]) == 12
    assert found["seconds"] < 60


def test_the_demo_tells_people_too(at: Call) -> None:
    text = fine(at("demo", "--no-serve")).out
    assert "crust-and-crumb" in text
    assert text.count("http://127.0.0.1:5050/link/") == 9
    assert text.count("http://127.0.0.1:5050/m/") == 3


def test_brands(at: Call) -> None:
    rows = fine(at("brands", "list", "--json")).json
    assert {row["slug"]: row["stores"] for row in rows}[CLUB] == 12
    assert "torque-and-co\tTorque & Co\tbrand\t12" in fine(at("brands", "list")).out
    assert fine(at("brands", "show", CLUB, "--json")).json["customers_of"] == "brand"


def test_stores(at: Call) -> None:
    rows = fine(at("stores", "list", "--brand", CLUB, "--json")).json
    assert len(rows) == 12
    assert {row["region"] for row in rows} == {"north", "south"}
    close = ("stores", "close", "--brand", CLUB, rows[0]["code"], "--dry-run")
    told = fine(at(*close, "--json")).json
    (points, *_rewards) = told["owed"]
    assert (points["tool"], points["what"]) == ("points_club", "Points not yet spent")
    assert points["many"] > 0 and points["worth_minor"] > 0 and told["owed_in"] == "USD"
    assert "Still owed (Points club) · Points not yet spent: " in fine(at(*close)).out


def test_settings_are_tried_before_they_are_saved(at: Call) -> None:
    ask = ("plugins", "try", "points_club", "--brand", CLUB)
    told = fine(at(*ask, "--set", "accruals.0.points=3", "--json")).json
    assert told["changes"]["accruals"][0]["points"] == 3
    line = told["lines"][0]
    assert line["change"] == line["proposed"] - line["now"] > 0
    assert line["now"] == sum(store["lines"][0]["now"] for store in told["stores"])
    (first, *_others) = told["stores"]
    one = fine(at(*ask, "--store", first["store"], "--set", "pending_days=3", "--json")).json
    assert one["lines"][0]["now"] == first["lines"][0]["now"]
    said = fine(at(*ask, "--set", "accruals.0.points=3")).out
    assert "Tried in 12 stores" in said
    assert f"{line['label']}\t{line['now']:,}\t{line['proposed']:,}\t+" in said
    assert fine(at("plugins", "explain", "points_club", "--brand", CLUB)).out, "nothing is saved"
    for given, why in (
        ("accruals.9.points=3", "no such place"),
        ("nonsense=3", "no such setting"),
        ("expiry_days", "Write settings like"),
        ("expiry=never-ever", "expiry"),
    ):
        refused = at(*ask, "--set", given)
        assert refused.code and why in refused.err, refused.err


def test_machines_are_told_of_tools_what_people_read(at: Call) -> None:
    def read(*words: str) -> list[list[str]]:
        return [line.split("\t") for line in fine(at("plugins", *words)).out.splitlines()][1:]

    rows = fine(at("plugins", "list", "--json")).json
    keys = ("name", "title", "distribution", "state", "detail")
    assert read("list") == [[row[key] for key in keys] for row in rows]
    explain = ("explain", "points_club", "--brand", CLUB)
    rows = fine(at("plugins", *explain, "--json")).json
    assert len(rows) > 1
    assert read(*explain) == [[row[key] for key in ("store", "state", "reason")] for row in rows]
    one = (*explain, "--store", "speedway")
    (row,) = fine(at("plugins", *one, "--json")).json
    text = fine(at("plugins", *one)).out
    assert row["settings"]
    for key, value in row["settings"].items():
        said = value["value"]
        said = said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)
        assert f"  {key} = {said}  ({value['from']}" in text
    show = ("show", "points_club", "--brand", CLUB)
    told, text = fine(at("plugins", *show, "--json")).json, fine(at("plugins", *show)).out
    for key in ("name", "title", "summary", "version", "author", "requires", "state", "owed"):
        assert told[key] in ("", []) or f"{key}: {told[key]}\n" in text
    for use in told["hooks"]:
        assert f"{use['hook']}\t{use['calls']}\t{use['failures']}\t" in text
    assert fine(at("plugins", "doctor", "--json")).json == {"fine": True, "found": []}
    assert fine(at("plugins", "doctor")).out == "All tools are well.\n"


def test_plugins(at: Call) -> None:
    rows = fine(at("plugins", "list", "--json")).json
    assert [(row["name"], row["state"]) for row in rows if row["name"] == "points_club"] == [
        ("points_club", "loaded")
    ]
    told = fine(at("plugins", "explain", "points_club", "--brand", "last-reel-video", "--json"))
    states = {row["store"]: row["state"] for row in told.json}
    assert states["palace-row"] == "on"
    assert states["lighthouse"] == "off"
    assert states["bell-tower"] == "waiting"
    one = fine(
        at("plugins", "explain", "points_club", "--brand", CLUB, "--store", "speedway", "--json")
    ).json[0]
    assert one["settings"]["hold_minutes"] == {"value": 120, "from": "region", "locked": False}
    assert at("plugins", "explain", "nothing", "--brand", CLUB).code == 2


def test_users(at: Call) -> None:
    made = fine(at("users", "create", "zoe@example.org", "--name", "Zoe", "--json")).json
    assert "/link/" in made["link"]
    assert at("users", "create", "zoe@example.org", "--name", "Zoe").code == 2
    fine(at("users", "grant", "zoe@example.org", "store_manager", f"{CLUB}/store/speedway"))
    assert "/link/" in fine(at("users", "link", "zoe@example.org")).out
    fine(at("users", "disable", "zoe@example.org"))
    assert at("users", "link", "zoe@example.org").code == 2
    fine(at("users", "enable", "zoe@example.org"))
    rows = fine(at("users", "list", "--json")).json
    assert [row["disabled"] for row in rows if row["email"] == "zoe@example.org"] == [False]
    assert at("users", "grant", "zoe@example.org", "till_staff", CLUB).code == 2


def test_keys(at: Call) -> None:
    where = ("--brand", CLUB, "--store", "speedway")
    made = fine(at("keys", "create", *where, "--name", "Till 1", "--scope", "till.read", "--json"))
    assert made.json["key"].startswith("hs_")
    rows = fine(at("keys", "list", *where, "--json")).json
    assert [(row["name"], row["live"]) for row in rows] == [("Till 1", True)]
    fine(at("keys", "revoke", *where, made.json["id"]))
    assert fine(at("keys", "list", *where, "--json")).json[0]["live"] is False
    assert at("keys", "create", *where, "--name", "T", "--scope", "everything").code == 2


def test_jobs(at: Call, built: Path) -> None:
    from highstreet.app import create_app, house_of
    from highstreet.jobs import enqueue
    from highstreet_tenants.scopes import Scope

    app = create_app({"instance": str(built)}, faces=False)
    house = house_of(app)
    from highstreet.cli.base import find_brand

    brand = find_brand(house, CLUB)
    name = next(iter(house.jobs)).name
    with house.tenancy.session(Scope.operator(brand.id), write=True) as s:
        job_id = enqueue(s, name, {})
    house.engine.dispose()
    listed = fine(at("jobs", "list", "--status", "queued", "--json")).json
    assert str(job_id) in {job["id"] for job in listed["jobs"]}
    assert fine(at("jobs", "show", job_id, "--json")).json["status"] == "queued"
    fine(at("jobs", "cancel", job_id))
    assert fine(at("jobs", "show", job_id, "--json")).json["status"] == "cancelled"
    fine(at("jobs", "retry", job_id))
    assert at("jobs", "retry", job_id).code == 2
    fine(at("jobs", "cancel", job_id))
    assert at("jobs", "show", "00000000-0000-7000-8000-000000000000").code == 2


def test_a_customer_is_exported_whole(at: Call, built: Path, tmp_path: Path) -> None:
    import json

    path = tmp_path / "member.json"
    rows = sqlite3.connect(built / "highstreet.db").execute(
        "SELECT i.value FROM core_customer_identity AS i JOIN core_brand AS b ON b.id = i.brand_id"
        " WHERE b.slug = ? AND i.kind = 'card' LIMIT 1",
        (CLUB,),
    )
    card = rows.fetchone()[0]
    fine(at("export-customer", "--brand", CLUB, "--output", path, card))
    held = json.loads(path.read_text(encoding="utf-8"))
    assert held["purchases"]
    assert "points_club" in held["tools"]
    assert held["imports"][0]["ref"]
    assert at("export-customer", "--brand", CLUB, "nobody at all").code == 2
    refused = at("export-customer", "--brand", "crust-and-crumb", "x")
    assert "--store" in refused.err


def test_check_is_content(at: Call) -> None:
    found = fine(at("check", "--json")).json
    assert found["fine"]
    assert len(found["findings"]) >= 4
    assert "ok   the core's tables are up to date" in fine(at("check")).out
    (cards,) = [one for one in found["findings"] if "club cards" in one["what"]]
    assert cards["fine"], "a script that no font has is a remark: not every shop needs them all"


def test_a_tools_check_that_fails_is_told_and_hides_nothing() -> None:
    def check() -> list[Finding]:
        raise RuntimeError("no printer")

    manifest = Manifest("broken", "Broken", "", "1", Requirement("highstreet"))
    tool = Loaded("broken", manifest, Plugin("broken", checks=(check,)), "broken", "broken")
    (found,) = database._of_tool(tool, check)
    assert (found.fine, found.what) == (False, "Broken can say whether it is in order")
    assert "no printer" in found.advice


def test_brands_apply_says_what_changes_and_then_nothing(at: Call, tmp_path: Path) -> None:
    path = tmp_path / "brand.toml"
    path.write_text(
        '[brand]\nslug = "new"\nname = "New"\ncurrency = "GBP"\nlocale = "en_GB"\n'
        'zone = "Europe/London"\ncustomers = "brand"\n'
        '[[stores]]\nslug = "one"\ncode = "1"\nname = "One"\n',
        encoding="utf-8",
    )
    dry = fine(at("brands", "apply", path, "--dry-run"))
    assert dry.out.splitlines() == [
        "+ brand new",
        "+ store one",
        "This was a dry run: nothing was written.",
    ]
    assert at("brands", "show", "new").code == 2
    changes = fine(at("brands", "apply", path, "--json")).json["changes"]
    assert [(one["action"], one["what"]) for one in changes] == [("add", "brand"), ("add", "store")]
    assert fine(at("brands", "apply", path)).out == "Nothing to change.\n"
    path.write_text(path.read_text(encoding="utf-8") + 'colour = "red"\n', encoding="utf-8")
    refused = at("brands", "apply", path)
    assert refused.code == 2
    assert (
        refused.err == "Error: brand.toml:12: stores[1].colour: unknown key; check its spelling\n"
    )


def test_a_file_is_imported_with_its_errors_beside_it(at: Call, tmp_path: Path) -> None:
    path = tmp_path / "more.csv"
    path.write_text(
        "basket_id,household_id,store_id,occurred_at,sales_value\n"
        "m1,900,367,2026-01-01T10:00:00,12.00\n"
        "m2,900,1,2026-01-01T10:00:00,12.00\n",
        encoding="utf-8",
    )
    where = ("import", "purchases", path, "--brand", CLUB)
    dry = fine(at(*where, "--dry-run")).out
    assert "1 new, 0 known, 1 refused" in dry
    assert "dry run" in dry
    report = fine(at(*where, "--json")).json
    assert (report["created"], report["refused"]) == (1, 1)
    assert Path(report["errors_file"]).is_file()
    assert fine(at(*where, "--json")).json["known"] == 1
    assert at("import", "purchases", tmp_path / "none.csv", "--brand", CLUB).code == 2
    fine(at("audit", "--brand", CLUB))


def test_a_tools_own_file_is_imported(at: Call, tmp_path: Path) -> None:
    path = tmp_path / "balances.csv"
    path.write_text(
        "card,points,store\n4071228693,250,292\n4071228700,9,nowhere\n", encoding="utf-8"
    )
    where = ("import", "points_club.balances", path, "--brand", CLUB)
    assert "1 new, 0 known, 1 refused; 1 new customers" in fine(at(*where, "--dry-run")).out
    report = fine(at(*where, "--json")).json
    assert (report["kind"], report["created"], report["refused"]) == ("points_club.balances", 1, 1)
    assert "there is no store" in Path(report["errors_file"]).read_text(encoding="utf-8-sig")
    assert fine(at(*where, "--json")).json["known"] == 1
    fine(at("audit", "--brand", CLUB))
    wrong = at("import", "points_club.points", path, "--brand", CLUB)
    assert wrong.code == 2
    for known in ("purchases, customers, ", "direct_mail.history", "points_club.balances"):
        assert known in wrong.err
    assert at(*where, "--by-line").code == 2


def test_tools_are_asked_on_the_command_line(at: Call) -> None:
    verbs = [one["verb"] for one in fine(at("tool", "--json")).json]
    assert verbs == sorted(verbs) and {"points_club.books", "points_club.owed"} <= set(verbs)
    owed = fine(at("tool", "points_club.owed", "--brand", CLUB, "--json")).json
    assert len(owed) >= 12
    assert all(one["owed"] > 0 for one in owed)
    (own,) = fine(at("tool", "points_club.owed", "--brand", CLUB, "--store", "292", "--json")).json
    assert own in owed
    books = ("tool", "points_club.books", "--brand", CLUB)
    pairs = fine(at(*books, f"month={clock.now():%Y-%m}", "--json")).json
    assert sum(one["rewards"] for one in pairs) >= 24
    assert "owes\tgets" in fine(at(*books, f"month={clock.now():%Y-%m}")).out
    for wrong in (("month=x",), ("year=2026",), ("month",)):
        assert at(*books, *wrong).code == 2
    assert at("tool", "points_club.nothing", "--brand", CLUB).code == 2
    assert at("tool", "points_club.owed").code == 2


def test_audit_finds_a_balance_that_was_tampered_with(at: Call, built: Path) -> None:
    assert fine(at("audit")).out.endswith("Nothing differs.\n")
    database = sqlite3.connect(built / "highstreet.db")
    with database:
        database.execute(
            "UPDATE points_club_account SET balance = balance + 7 WHERE id ="
            " (SELECT MIN(id) FROM points_club_account)"
        )
    done = at("audit", "--json")
    assert done.code == 1
    assert done.json["differs"] > 0
    with database:
        database.execute(
            "UPDATE points_club_account SET balance = balance - 7 WHERE id ="
            " (SELECT MIN(id) FROM points_club_account)"
        )
    fine(at("audit"))


def test_reset_spares_a_database_with_other_brands(at: Call, instance: Path) -> None:
    done = at("demo", "--no-serve", "--reset", "--json")
    assert done.code == 2  # the brand "new" of an earlier test is in it
    assert "not the demo's (new)" in done.err
    assert (instance / "highstreet.db").exists()


def test_what_a_tool_owes_and_what_failed_in_it(at: Call, built: Path) -> None:
    from highstreet.app import create_app, house_of
    from highstreet.cli.base import find_brand, find_store, operating
    from highstreet.host import faults, policy
    from highstreet.purchases import service
    from highstreet.purchases.facts import PurchaseIn

    assert fine(at("plugins", "owed", "--brand", CLUB, "--json")).json == []
    assert "No tool owes anything" in at("plugins", "owed", "--brand", CLUB).err
    house = house_of(create_app({"instance": str(built)}, faces=False))
    brand = find_brand(house, CLUB)
    with operating(house, brand, write=True) as s:
        store = find_store(s, "292")
        policy.pause(s, "points_club", store.id)
        sale = PurchaseIn(store.id, "owed-1", clock.now(), 5000, store.currency)
        service.record(s, sale)
        error = KeyError("no such rate")
        faults.record(s, faults.of_error("points_club", "tool_facts", store.id, error, 3.0))
    (row,) = fine(at("plugins", "owed", "--brand", CLUB, "--json")).json
    assert (row["plugin"], row["store"], row["parts"]) == ("points_club", store.slug, 1)
    assert (row["hook"], row["tries"]) == ("purchases_recorded", 0)
    assert row["waits_for"].startswith("Paused by command line")
    assert "Paused by command line" in fine(at("plugins", "owed", "--brand", CLUB)).out
    again = fine(at("plugins", "owed", "--brand", CLUB, "--again", "--json")).json
    assert again["tried"] == 0, "it stands still"
    (told,) = fine(at("plugins", "faults", "points_club", "--brand", CLUB, "--json")).json
    assert (told["hook"], told["message"]) == ("tool_facts", "KeyError: 'no such rate'")
    shown = fine(at("plugins", "faults", "points_club", "--brand", CLUB, "--trace")).out
    assert "tool_facts" in shown and "KeyError" in shown
    with operating(house, brand, write=True) as s:
        policy.resume(s, "points_club", store.id)
    house.engine.dispose()
    (row,) = fine(at("plugins", "owed", "--brand", CLUB, "--store", "292", "--json")).json
    assert row["waits_for"] == ""
    again = fine(at("plugins", "owed", "--brand", CLUB, "--again", "--json")).json
    assert again["tried"] == 1
