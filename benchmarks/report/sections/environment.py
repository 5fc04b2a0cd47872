"""Environment, how to reproduce the results and this report, and what was wrong with the records."""

import shlex
from collections.abc import Sequence

from benchmarks import wording
from benchmarks.analysis import machine_facts
from benchmarks.analysis.ranking import ComparisonGroup
from benchmarks.analysis.results import Results
from benchmarks.report import facts, nodes
from benchmarks.report.document import Block, Bullets, Code, Heading, Section, Text, table


def section(results: Results, groups: Sequence[ComparisonGroup]) -> Section:
    """The machine, the run, the commands, the problems."""
    blocks = table("The machine", facts.rows(results.environment), "fact", "value")
    blocks = blocks or [Text("The machine's facts were not recorded (no environment.json).")]
    blocks += table("The run", _run(results), "fact", "value")
    blocks += _specification(results)
    blocks += _reproduce(results)
    if results.problems:
        blocks += [Heading("Problems with the records"), Bullets(results.problems)]
    summary = f"Run again: {_again(results)}"
    return Section("environment", "Environment and how to reproduce", blocks, summary)


def _specification(results: Results) -> list[Block]:
    """A row per field, a column per network."""
    networks = results.run.networks
    values = [dict(facts.rows(network.spec)) for network in networks]
    fields = dict.fromkeys(name for own in values for name in own)
    rows = [[name, *(own.get(name, wording.NO_VALUE) for own in values)] for name in fields]
    columns = map(wording.network, networks) if len(networks) > 1 else ["value"]
    return table("The specification", rows, "field", *columns, folded=True)


def steered(results: Results) -> str:
    """By which variables libraries were told what to compute with, where there were any."""
    chosen = ", ".join(f"{name}={value}" for name, value in machine_facts.choices(results.environment).items())
    return wording.clean(
        f"The environment steers libraries ({chosen}): without that, times may be others." if chosen else ""
    )


def _run(results: Results) -> list[tuple[str, str]]:
    run = results.run
    about = {"started": run.started_at, "profile": run.profile, "blocks": results.block_count, "seed": run.seed}
    about |= {"record schema": run.schema_version}
    rows = [(name, str(value)) for name, value in about.items()]
    rows += [("measured on", measured)] if (measured := nodes.of(results)) else []
    for network in run.networks:
        rows += [("model", wording.network(network)), ("specification (SHA-256)", network.spec_sha256)]
        rows += facts.rows(network.dataset.model_dump(exclude_none=True), "data: ")
    return rows + facts.rows(run.code.model_dump(exclude_none=True), "code: ")


def _again(results: Results) -> str:
    """The run's command as it is given in the project's folder, without the folder that holds this run already."""
    words, kept = iter(results.run.command), list[str]()
    for word in words:
        if word == "--into":
            next(words, None)
        elif not word.startswith("--into="):
            kept.append(word)
    if kept[:1] == ["python"]:
        kept[0] = ".venv/bin/python"
    return wording.clean(shlex.join(kept)) or wording.NO_VALUE


def _reproduce(results: Results) -> list[Block]:
    return [
        Heading("How to reproduce"),
        Text("The same measurement (its times will be others, on another day by more than the intervals say):"),
        Code("Run again", _again(results)),
        Text(
            "This report, byte for byte: .venv/bin/python -m benchmarks report FOLDER. results.csv has a row per cell (columns.csv says what each column is), records.jsonl every round, steps.html the code of each step."
        ),
    ]
