"""The runner of the benchmarks: what is measured is kept, whatever becomes of the others."""

import json
import sys
from types import SimpleNamespace

import pytest

pytest.importorskip("benchmarks", reason="run as `python -m pytest` from the checkout")
from benchmarks import __main__ as runner
from benchmarks import measure
from benchmarks.measure import Figure

GOOD = Figure("a sale", 2.0, 1.0, "µs", 2.0, ("<=", 3.0), "floor: nothing [at all]")
MISSED = Figure("a start", 9.0, 1.0, "s", 9.0, ("<=", 1.3))
TOLD = Figure("memory", 70.0, None, "MB", None, None)


@pytest.fixture
def bench(monkeypatch, tmp_path, capsys):
    """Runs benchmarks that are given as functions; gives (exit code, what is printed, JSON)."""
    monkeypatch.setattr(measure, "RESULTS", tmp_path / "results")
    for name in ("QUICK", "KEEP", "DATA"):
        monkeypatch.setenv(f"HIGHSTREET_BENCH_{name}", "")
    monkeypatch.setenv("COLUMNS", "160")

    def run(*arguments, **modules):
        monkeypatch.setattr(runner, "ALL", tuple(modules))
        for name, function in modules.items():
            monkeypatch.setitem(sys.modules, f"benchmarks.{name}", SimpleNamespace(run=function))
        code = runner.main(arguments)
        (file,) = (tmp_path / "results").glob("*.json")
        return code, capsys.readouterr().out, json.loads(file.read_text(encoding="utf-8"))

    return run


def fail():
    raise RuntimeError("the server is gone [now]")


def test_each_figure_stands_beside_its_floor_and_what_was_asked(bench):
    code, out, data = bench(good=lambda: [GOOD, TOLD])
    assert code == 0
    row = next(line for line in out.splitlines() if "a sale" in line and "│" in line)
    assert [cell.strip() for cell in row.strip("│").split("│")] == [
        "a sale", "2.00", "1.00", "µs", "2.00", "<= 3.0", "kept",
    ]  # fmt: skip
    told = next(line for line in out.splitlines() if "memory" in line and "│" in line)
    assert "kept" not in told
    assert "floor: nothing [at all]" in out
    assert [(f["name"], f["kept"], f["benchmark"]) for f in data["figures"]] == [
        ("a sale", True, "good"),
        ("memory", True, "good"),
    ]


def test_one_that_fails_loses_no_others(bench):
    code, out, data = bench(first=lambda: [GOOD], bad=fail, last=lambda: [TOLD])
    assert code == 1
    assert "RuntimeError: the server is gone [now]" in out
    assert [f["name"] for f in data["figures"]] == ["a sale", "memory"]
    assert ["RuntimeError" in b["failed"] for b in data["benchmarks"]] == [False, True, False]


def test_a_missed_demand_is_marked_and_fails(bench):
    code, out, data = bench(slow=lambda: [MISSED])
    assert code == 1
    assert "MISSED" in out
    assert data["figures"][0]["kept"] is False


def test_one_that_cannot_run_here_says_why_and_does_not_fail(bench):
    code, out, data = bench(
        gone=lambda: measure.skipped("gone", "no server answers"), good=lambda: [GOOD]
    )
    assert code == 0
    assert "left out: gone: no server answers" in out
    assert data["benchmarks"][0]["left_out"] == "gone: no server answers"


def test_what_is_measured_before_an_interruption_is_written(bench):
    def interrupted():
        raise KeyboardInterrupt

    code, _out, data = bench(good=lambda: [GOOD], cut=interrupted, never=fail)
    assert code == 1
    assert [b["name"] for b in data["benchmarks"]] == ["good", "cut"]
    assert len(data["figures"]) == 1


def test_only_those_that_are_named_run_and_options_reach_them(bench, monkeypatch):
    seen = {}

    def look():
        seen["quick"] = measure.quick()
        return [GOOD]

    code, _out, data = bench("asked", "--quick", asked=look, other=fail)
    assert code == 0
    assert seen == {"quick": True}
    assert data["quick"] is True


def test_an_unknown_name_is_wrong_usage(bench, capsys):
    with pytest.raises(SystemExit) as stop:
        bench("nonesuch", good=lambda: [GOOD])
    assert stop.value.code == 2
    assert "nonesuch" in capsys.readouterr().err
