"""A run for other tools: they read it, and what was not proved equal is not in it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from markdown_it import MarkdownIt

from benchmarks.cli.commands import main
from benchmarks.records import record
from benchmarks.report import exports
from tests.support import synthetic
from tests.support.command import invoke
from tests.support.hostile_names import HOSTILE, hostile_records
from tests.support.parsed_page import Page
from tests.support.report_text import gathered
from tests.support.synthetic import cell, measured


def exported(records: list[record.Record]) -> list[dict[str, Any]]:
    return json.loads(exports.pytest_benchmark_json(gathered(records)))["benchmarks"]


def test_pytest_benchmark_reads_it(tmp_path: Path) -> None:
    folder = synthetic.save(tmp_path / "run", synthetic.quick(), synthetic.ENVIRONMENT)
    done = invoke("export", folder, "--as", "pytest-benchmark")
    assert done.exit_code == 0
    (tmp_path / "old.json").write_text(done.stdout, encoding="utf-8")
    (tmp_path / "new.json").write_text(done.stdout, encoding="utf-8")
    program = str(Path(sys.executable).with_name("pytest-benchmark"))
    command = [program, "compare", "old.json", "new.json", "--csv", "table"]
    read = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert read.returncode == 0, read.stderr
    assert (tmp_path / "table.csv").read_text(encoding="utf-8").count("numpy/spec") == 2 * 3


def test_every_round_after_the_warm_up_is_in_it() -> None:
    records = measured([(cell("numpy"), 1e-4)])
    (exported_cell,) = exported(records)
    per_call_s = [s for timing in records if isinstance(timing, record.TimingRecord) for s in timing.per_call]
    assert exported_cell["stats"]["data"] == per_call_s
    assert exported_cell["stats"]["rounds"] == len(per_call_s) == 60
    assert exported_cell["stats"]["iterations"] == 10
    low, high = exported_cell["extra_info"]["interval_95_s"]
    assert low <= exported_cell["extra_info"]["time_s"] <= high


def test_what_may_not_be_ranked_is_not_handed_to_a_tool_that_ranks() -> None:
    frameworks = {item["params"]["framework"] for item in exported(synthetic.quick())}
    assert "scikit-learn" not in frameworks
    unproved = [item for item in synthetic.quick() if item.kind != "proof" or item.who.framework != "numpy"]
    assert {item["params"]["framework"] for item in exported(unproved)} == frameworks - {"numpy"}


def test_the_summary_tells_what_failed() -> None:
    timed = cell("numpy"), cell("torch")
    records = measured([(of, 1e-4) for of in timed])
    records.append(synthetic.proof(timed[0], 5, error=3.0))
    text = exports.job_summary(gathered(records))
    assert "12 of 13 proofs passed" in text
    assert "dense1.weight" in text
    assert "not proved equal in block 5" in text
    assert len(text.splitlines()) < 60


def test_the_summary_tells_what_was_set_aside(tmp_path: Path) -> None:
    folder = synthetic.save(tmp_path, synthetic.quick(), synthetic.ENVIRONMENT)
    assert "set aside" not in invoke("export", folder, "--as", "summary").stdout
    (folder / "environment.json").write_text("{", encoding="utf-8")
    with (folder / "records.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"kind":"timing"')
    told = invoke("export", folder, "--as", "summary").stdout
    assert "environment.json was set aside: it is not JSON" in told
    assert "was set aside: it is cut short or is not JSON" in told


@pytest.mark.parametrize(
    "records", [[synthetic.run([])], [synthetic.run([cell("numpy")])]], ids=["empty", "nothing ran"]
)
def test_little_is_still_something(records: list[record.Record]) -> None:
    assert exported(records) == []
    assert "Nothing was timed" in exports.job_summary(gathered(records))


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_text(name: str) -> None:
    records = hostile_records(name)
    assert exported(records)
    page = Page(MarkdownIt("commonmark").enable("table").render(exports.job_summary(gathered(records))))
    assert page.tags["script"] == page.tags["img"] == 0
    assert page.tags["h1"] == 1


def test_a_folder_without_a_run_is_named(tmp_path: Path) -> None:
    done = invoke("export", tmp_path, "--as", "summary")
    assert done.exit_code == 2
    assert "not a results folder" in done.output


def test_the_command_offers_every_format() -> None:
    (choice,) = [option.type for option in main.commands["export"].params if option.name == "format_"]
    assert isinstance(choice, click.Choice)
    assert set(choice.choices) == set(exports.FORMATS)
