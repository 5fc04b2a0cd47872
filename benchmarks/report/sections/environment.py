"""Environment, how to reproduce the results and this report, and what was wrong with the records."""

import shlex
from collections.abc import Sequence

from benchmarks import wording
from benchmarks.analysis.ranking import ComparisonGroup
from benchmarks.analysis.results import Results
from benchmarks.report import facts
from benchmarks.report.document import Block, Bullets, Code, Heading, Section, Text, table


def section(results: Results, groups: Sequence[ComparisonGroup]) -> Section:
    """The machine, the run, the commands, the problems."""
    blocks = table("The machine", facts.rows(results.environment), "fact", "value")
    blocks = blocks or [Text("The machine's facts were not recorded (no environment.json).")]
    blocks += table("The run", _run(results), "fact", "value")
    blocks += table("The specification", facts.rows(results.run.spec), "field", "value", folded=True)
    blocks += _reproduce(results)
    if results.problems:
        blocks += [Heading("Problems with the records"), Bullets(results.problems)]
    return Section("environment", "Environment and how to reproduce", blocks)


def _run(results: Results) -> list[tuple[str, str]]:
    run = results.run
    about = {"started": run.started_at, "profile": run.profile, "blocks": run.blocks, "seed": run.seed}
    about |= {"model": wording.model(run), "specification (SHA-256)": run.spec_sha256}
    about |= {"record schema": run.schema_version}
    rows = [(name, str(value)) for name, value in about.items()]
    data, code = (part.model_dump(exclude_none=True) for part in (run.dataset, run.code))
    return rows + facts.rows(data, "data: ") + facts.rows(code, "code: ")


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
