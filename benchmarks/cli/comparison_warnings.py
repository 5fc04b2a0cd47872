"""What a reader of `compare` must know before believing a ratio."""

from benchmarks import wording
from benchmarks.analysis.comparability import Difference, Side
from benchmarks.analysis.run_comparison import RunComparison
from benchmarks.records.record import FLOORS
from benchmarks.report import facts
from benchmarks.report.sections import uncertainty

DRIFT = (
    "These runs were measured at different times, not in turns: whatever drifted between them (other load, heat, "
    "settings) is in every ratio. To decide between two versions, measure both in turns in one run (docs/ci.md)."
)
NO_FLOORS = (
    "No floor (matrix products, one large product) was timed in both runs: whether the machine itself changed is harder to "
    "tell. Measure with --phase train_step,predict,products,peak."
)


def warnings(runs: RunComparison) -> list[str]:
    """A sentence for each."""
    texts = [] if runs.in_turns else [DRIFT]
    if not runs.in_turns and not any(row.comparison and row.cell.phase in FLOORS for row in runs.rows):
        texts.append(NO_FLOORS)
    if runs.differences:
        texts.append(f"Compared anyway, although they differ in {'; '.join(map(difference, runs.differences))}.")
    texts += [*_reference_moved(runs), *_hidden(runs)]
    for side in runs.sides[:1] if runs.in_turns else runs.sides:
        texts += [f"{whose(side)}: {problem}" for problem in side.results.problems]
        texts += [f"{whose(side)}: {text}"] if (text := uncertainty.interfered(side.results)) else []
        texts += [] if side.null_controls else [f"{whose(side)} had no null control: its own measuring is unchecked."]
    return texts


def _reference_moved(runs: RunComparison) -> list[str]:
    """What all are held against has changed itself, where that is certain."""
    rows = (row for row in runs.rows if row.comparison and row.cell.phase not in FLOORS)
    own = [row for row in rows if row.cell.who.framework == runs.against]
    moved = [row for row in own if row.comparison and row.comparison.verdict in ("slower", "faster")]
    if not moved:
        return []
    return [
        f"{runs.against} itself is slower or faster in B in {len(moved)} of {wording.count(len(own), 'cell')}: if that is not the "
        "machine's doing, what is held against it seems to have moved the other way."
    ]


def _hidden(runs: RunComparison) -> list[str]:
    """Floors that got faster alone."""
    if not (hidden := max((row.hidden for row in runs.rows), default=0.0)):
        return []
    return [
        f"The machine's floors (matrix products, large copies) got {wording.percent(1 - 1 / (1 + hidden))} faster in B and the cells did not follow: "
        "a slowdown as large may hide in that."
    ]


def difference(difference: Difference) -> str:
    """What is not the same in both."""
    a, b = facts.text(difference.a), facts.text(difference.b)
    return wording.clean(f"{difference.fact}: {a} in A, {b} in B")


def whose(side: Side) -> str:
    """A or B, or the one run."""
    return "the run" if side.implementation else side.name
