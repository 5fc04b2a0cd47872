"""Appendix: the judge, judged. Planted faults, and how many checks of the proof noticed each."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks import wording
from benchmarks.analysis.ranking import ComparisonGroup
from benchmarks.analysis.results import Results
from benchmarks.report.document import Section, Text, table
from benchmarks.wording import NO_VALUE

TITLE = "Appendix: the judge, judged"
PRECISIONS = ("float32", "float64")


def section(results: Results, groups: Sequence[ComparisonGroup]) -> Section:
    """The kill matrix, as it stood when the run began."""
    detection = results.run.fault_detection
    faults = detection.faults
    if not faults:
        nothing = "When this run began, nothing was known of what the proof notices. The command make prove finds out."
        return Section("fault-detection", TITLE, [Text(nothing)])
    planted = [noticed for by_framework in faults.values() for noticed in by_framework.values()]
    dead = sum(any(noticed.values()) for noticed in planted)
    code = (
        "The code is the same, byte for byte."
        if detection.same_code
        else "Code of the implementations or of the proof has changed since: the command make prove judges it anew."
    )
    note = (
        f"A proof is worth what it notices. {wording.count(len(faults), 'fault')} were planted, one at a time, as small "
        f"changes in the text of these implementations and of the oracle, {len(planted)} in all; {dead} were noticed. "
        f"Where nothing was planted, {detection.seeds:,} seeds raised "
        f"{wording.count(detection.false_alarms, 'false alarm')}. {code}"
    )
    how_to_read = "Checks that notice the fault, in float32 / in float64 (a dot: not asked, since the other precision shows it); a dash where it was not planted (results/proof says why)."
    return Section("fault-detection", TITLE, [Text(note), Text(how_to_read, "note"), *_matrix(faults)])


def _matrix(faults: Mapping[str, Mapping[str, Mapping[str, int]]]) -> list[Any]:
    frameworks = list(dict.fromkeys(name for by_framework in faults.values() for name in by_framework))
    rows = [
        [wording.clean(fault), *(_cell(noticed.get(name)) for name in frameworks)] for fault, noticed in faults.items()
    ]
    columns = ("fault", *(f"#{wording.framework(name)}" for name in frameworks))
    return table("Planted faults", rows, *columns, folded=True)


def _cell(noticed: Mapping[str, int] | None) -> str:
    if noticed is None:
        return NO_VALUE
    return " / ".join(str(noticed.get(precision, "·")) for precision in PRECISIONS)
