"""Environment, how to reproduce the results and this report, and what was wrong with the records."""

import shlex
from collections.abc import Sequence

from benchmarks import wording
from benchmarks.analysis import machine_facts
from benchmarks.analysis.ranking import Heat
from benchmarks.analysis.results import Results
from benchmarks.report.document import Block, Bullets, Code, Heading, Section, Text, table


def section(results: Results, heats: Sequence[Heat]) -> Section:
    """The machine, the run, the commands, the problems."""
    machine = table("The machine", machine_facts.rows(results.environment), "fact", "value")
    blocks: list[Block] = machine or [Text("The machine's facts were not recorded (no environment.json).")]
    blocks += table("The run", _run(results), "fact", "value")
    blocks += table("The specification", machine_facts.rows(results.run.spec), "field", "value", folded=True)
    return Section(
        "environment",
        "Environment and how to reproduce",
        [*blocks, *_reproduce(results), *_problems(results)],
    )


def _run(results: Results) -> list[tuple[str, str]]:
    run = results.run
    facts = {"started": run.started_at, "profile": run.profile, "blocks": run.blocks, "seed": run.seed}
    facts |= {"model": wording.model(run.model), "specification (SHA-256)": run.spec_sha256}
    facts |= {"record schema": run.schema_version}
    rows = [(name, str(value)) for name, value in facts.items()]
    return rows + machine_facts.rows(run.dataset, "data: ") + machine_facts.rows(run.code, "code: ")


def _reproduce(results: Results) -> list[Block]:
    command = wording.clean(shlex.join(results.run.command)) or wording.NO_VALUE
    return [
        Heading("How to reproduce"),
        Text("The same measurement (its times will be others, on another day by more than the intervals say):"),
        Code("Run again", command),
        Text("This report, byte for byte, from the stored records:"),
        Code("Report again", "python -m benchmarks report FOLDER"),
        Text("The numbers stand beside it: results.csv has a row per cell, records.jsonl every single round."),
    ]


def _problems(results: Results) -> list[Block]:
    if not results.problems:
        return []
    return [Heading("Problems with the records"), Bullets(results.problems)]
