"""Several runs on one page: each ranks by itself, and a cell is compared only with the same cell of the same network."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.analysis.loaded_run import LoadedRun
from benchmarks.records import record
from benchmarks.report import markdown, several_runs
from tests.support import report_text, synthetic
from tests.support.command import invoke
from tests.support.hostile_names import HOSTILE, hostile_records
from tests.support.parsed_page import Page
from tests.support.synthetic import cell, measured


def run(name: str, records: list[record.Record], **environment: Any) -> LoadedRun:
    return LoadedRun(name, report_text.gathered(records, synthetic.ENVIRONMENT | environment))


def timed(seconds: float, noise: float = 0.001, **options: Any) -> list[record.Record]:
    return measured([(cell("numpy"), seconds), (cell("torch"), 2e-4)], noise=noise, **options)


def text(*runs: LoadedRun) -> str:
    return markdown.render(several_runs.document(runs), {})


def row(page: str, start: str) -> str:
    return next(line for line in page.splitlines() if line.startswith(f"| {start}"))


def test_a_cell_is_compared_with_the_first_run() -> None:
    page = text(run("old", timed(1e-4)), run("new", timed(1.5e-4)), run("same", timed(1e-4)))
    fields = row(page, "NumPy on cpu").split(" | ")
    assert fields[3].startswith("1.50 (")
    assert fields[3].endswith("slower")
    assert fields[4].startswith("1.00 (")
    assert fields[4].rstrip(" |").endswith("tied")


def test_other_networks_are_shown_and_not_compared() -> None:
    page = text(run("old", timed(1e-4)), run("wider", timed(1.5e-4, spec_sha256="1" * 64, spec={"features": 128})))
    assert "Not compared with old, because the MLP or its data is another one: wider." in page
    assert "not compared" in row(page, "NumPy on cpu")
    assert "128" in row(page, "specification, features")


def test_what_differs_is_told_and_what_does_not_is_not() -> None:
    page = text(run("here", timed(1e-4)), run("there", timed(1e-4), cpu="Another 9000"))
    assert "Another 9000" in row(page, "machine, cpu")
    assert "| machine, cores" not in page


def test_a_cell_without_a_proof_has_no_time_and_no_ratio() -> None:
    unproved = [item for item in timed(1e-4) if item.kind != "proof" or item.who.framework != "numpy"]
    proved = run("old", timed(1e-4))
    page = text(proved, run("new", unproved))
    assert row(page, "NumPy on cpu").split(" | ")[3].startswith("not proved equal")
    assert "no proof in block" in page
    assert row(text(run("new", unproved), proved), "NumPy on cpu").endswith("| not proved equal | not compared |")


def test_a_cell_that_another_run_did_not_plan_is_called_so() -> None:
    alone = measured([(cell("torch"), 2e-4)])
    assert row(text(run("old", timed(1e-4)), run("new", alone)), "NumPy on cpu").endswith("| not planned |")


def test_a_run_that_is_partial_says_so_first() -> None:
    records = [*timed(1e-4), *synthetic.costs(cell("numpy"), cell("torch"))]
    cut = [item for item in records if item.kind != "timing" or item.block < 3]
    page = text(run("old", records), run("new", cut))
    assert page.partition("## 1. Headline")[2].lstrip().startswith("**new: Partial results")


def test_a_run_without_any_time_is_still_on_the_page() -> None:
    page = text(run("empty", [synthetic.run([cell("numpy")])]), run("full", timed(1e-4)))
    assert "empty: Nothing was timed" in page
    assert "not compared" in row(page, "NumPy on cpu")


def test_difference_by_chance_in_a_large_table_is_called_so() -> None:
    cells = [cell("numpy", batch=b) for b in range(1, 200)]
    old = measured([(of, 1e-4) for of in cells], noise=0.05)
    new = measured([(of, 1.08e-4) for of in cells], noise=0.05)
    compared = several_runs._compared([run("old", old), run("new", new)])
    assert len(compared) == 199
    assert any(c.verdict == "slower" and not c.detected for c in compared.values())
    assert all(
        c.detected or several_runs._ratio(None, c).count("chance") == (c.verdict in ("faster", "slower"))
        for c in compared.values()
    )


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_runs_are_text(name: str) -> None:
    from benchmarks.report import html

    page = Page(
        html.render(
            several_runs.document([run(name, hostile_records(name)), run(f"{name}2", hostile_records(name))]), {}
        )
    )
    assert page.tags["script"] == 1
    assert page.tags["img"] == page.tags["iframe"] == 0


def test_the_command_writes_a_page_and_its_tables(tmp_path: Path) -> None:
    for name, seconds in (("one", 1e-4), ("two", 2e-4)):
        synthetic.save(tmp_path / name, timed(seconds), synthetic.ENVIRONMENT)
    command = ("report", "--runs", tmp_path / "one", tmp_path / "two", "--into", tmp_path / "both")
    done = invoke(*command)
    assert done.exit_code == 0, done.output
    assert {path.name for path in (tmp_path / "both").iterdir()} == {
        "report.md",
        "report.html",
        "results.csv",
        "results.jsonl",
        "columns.csv",
    }
    rows = [json.loads(line) for line in (tmp_path / "both" / "results.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [fields["run"] for fields in rows] == ["one", "one", "two", "two"]
    columns = (tmp_path / "both" / "columns.csv").read_text(encoding="utf-8").splitlines()
    assert columns[1].startswith("run,")
    assert [line.partition(",")[0] for line in columns[1:]] == list(rows[0])
    first = (tmp_path / "both" / "report.html").read_bytes()
    invoke(*command)
    assert (tmp_path / "both" / "report.html").read_bytes() == first


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--runs", "one"], "at least two"),
        (["one", "two"], "--runs"),
        (["one", "--into", "x"], "--runs"),
        (["--runs", "nowhere", "neither"], "nowhere"),
        ([], "FOLDERS"),
    ],
)
def test_what_is_asked_wrongly_is_told(
    words: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = invoke("report", *words)
    assert done.exit_code == 2
    assert message in done.output
    assert not list(tmp_path.iterdir())


def test_what_makes_one_distrust_a_run_stands_on_the_page_of_all_of_them_too() -> None:
    counted = record.Interference(cores=2, usable=2, stolen_s=4.0, throttled_s=None)
    disturbed = [*timed(1e-4), record.BlockRecord(block=0, wall_s=10, interference=counted)]
    page = text(run("quiet", timed(1e-4)), run("loud", disturbed))
    first = page.partition("Headline\n")[2].partition("\n## ")[0]
    told = {line.strip("*").partition(":")[0] for line in first.splitlines() if "The host took 20%" in line}
    assert told == {"loud"}


def test_a_phase_without_a_row_has_no_heading() -> None:
    records = [
        item.model_copy(update={"ranked": False}) if item.kind == "timing" and item.cell.phase == "peak" else item
        for item in measured([(cell("numpy"), 1e-4), (cell("numpy", "peak"), 1e-5)], noise=0.001)
    ]
    page = text(run("old", records), run("new", records))
    assert "### Training step" in page
    assert "### One large product" not in page
