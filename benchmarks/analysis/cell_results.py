"""One cell's records to one entry: its estimate, what it may do, and the reason where it may not."""

import math
import statistics as stdlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from benchmarks import statistics
from benchmarks.records.configuration import size_order
from benchmarks.records.record import Cell, Check, Configuration, OutcomeRecord, ProofRecord, RunRecord, TimingRecord

Status = Literal["measured", "failed", "skipped", "unequal", "not run"]
Timed = tuple[str, int]
"""A cell's id and a block."""

Subject = tuple[Configuration, tuple[object, ...]]
"""What a proof speaks of: an implementation at a size."""

Standing = Literal["ranked", "own variant", "beside", "not proved", "impossible", "no time"]


_UNUSABLE = "the stored rounds hold no usable time (none after the warm-up, or one that is not positive)"


@dataclass(frozen=True)
class CellResult:
    """All that is known of one cell.

    `timings` are those that hold usable times, by block, and say besides when they were taken, in which no two runs agree; `rounds` holds their seconds per call of every round after the
    warm-up, `medians` the medians of these.
    `standing` says what the cell may do: be ranked, be shown as its own variant or beside, or lose its rank.
    """

    cell: Cell
    planned: bool
    status: Status
    standing: Standing
    reason: str
    fix: str
    last_lines: Sequence[str]
    timings: Mapping[int, TimingRecord] = field(compare=False, repr=False)
    rounds: Mapping[int, Sequence[float]]
    medians: Mapping[int, float]
    loops: int
    samples_per_call: int
    tokens_per_call: int

    @cached_property
    def id(self) -> str:
        """The cell's, spelled out once."""
        return self.cell.id

    @cached_property
    def comparison_group(self) -> tuple[str, ...]:
        """The cell's, spelled out once."""
        return self.cell.comparison_group

    @cached_property
    def time(self) -> statistics.Estimate | None:
        """Seconds per call, or None for a hole."""
        return statistics.estimate(list(self.medians.values())) if self.medians else None

    @property
    def seconds(self) -> float:
        """The estimate alone; infinite for a hole, so that it sorts last."""
        return self.time.value if self.time else math.inf

    @cached_property
    def cpu_s(self) -> float | None:
        """Processor seconds per call, of all threads: the median of the block medians. None where they were not counted."""
        medians = [stdlib.median(timing.cpu_per_call) for timing in self.timings.values() if timing.cpu_per_call]
        return stdlib.median(medians) if medians else None

    @property
    def first_calls(self) -> tuple[float | None, float | None]:
        """Seconds of the first and the second call, of the first block that says: its worker had the machine to itself."""
        said = (timing for timing in self.timings.values() if timing.first_call_s is not None)
        return next(((timing.first_call_s, timing.second_call_s) for timing in said), (None, None))

    @property
    def is_proved(self) -> bool:
        """Whether it was timed and proved equal: ranked, or its own variant."""
        return self.standing in ("ranked", "own variant")


def entries(
    run: RunRecord,
    timings: Mapping[Timed, TimingRecord],
    outcomes: Sequence[OutcomeRecord],
    proofs: Sequence[ProofRecord],
) -> list[CellResult]:
    """Every cell that was planned, or of which there is a record."""
    planned = {cell.id: cell for cell in run.cells}
    cells = dict(planned)
    timing_of: dict[str, dict[int, TimingRecord]] = defaultdict(dict)
    outcomes_of: dict[str, list[OutcomeRecord]] = defaultdict(list)
    proofs_of: dict[Subject, list[ProofRecord]] = defaultdict(list)
    for (name, block), timing in timings.items():
        cells.setdefault(name, timing.cell)
        timing_of[name][block] = timing
    for outcome in outcomes:
        name = outcome.cell.id
        cells.setdefault(name, outcome.cell)
        outcomes_of[name].append(outcome)
    for proof in proofs:
        proofs_of[subject_of(proof)].append(proof)
    return [
        _entry(cell, name in planned, timing_of[name], outcomes_of[name], proofs_of[subject_of(cell)])
        for name, cell in cells.items()
    ]


def _entry(
    cell: Cell,
    planned: bool,
    timings: Mapping[int, TimingRecord],
    outcomes: Sequence[OutcomeRecord],
    proofs: Sequence[ProofRecord],
) -> CellResult:
    rounds = {block: per_call for block in sorted(timings) if (per_call := timings[block].per_call)}
    usable = {block: timings[block] for block in rounds}
    used = list(usable.values())
    if timings and not used:
        block = next(iter(timings))
        outcomes = [*outcomes, OutcomeRecord(cell=cell, block=block, status="failed", reason=_UNUSABLE)]
    doubt = _doubt(rounds, outcomes, proofs)
    return CellResult(
        cell=cell,
        planned=planned,
        status="measured" if used else outcomes[-1].status if outcomes else "not run",
        standing=_standing(cell, used, doubt),
        reason=_reason(used, outcomes, doubt),
        fix="; ".join(dict.fromkeys(outcome.fix for outcome in outcomes if outcome.fix)),
        last_lines=next((outcome.last_lines for outcome in reversed(outcomes) if outcome.last_lines), []),
        timings=usable,
        rounds=rounds,
        medians={block: stdlib.median(per_call) for block, per_call in rounds.items()},
        loops=used[-1].loops if used else 0,
        samples_per_call=used[-1].samples_per_call if used else 0,
        tokens_per_call=used[-1].tokens_per_call if used else 0,
    )


def _standing(cell: Cell, used: Sequence[TimingRecord], doubt: str) -> Standing:
    if not used:
        return "no time"
    if not all(timing.ranked for timing in used):
        return "beside"
    if doubt:
        return "not proved"
    return "ranked" if cell.who.variant == "spec" else "own variant"


def _doubt(blocks: Iterable[int], outcomes: Sequence[OutcomeRecord], proofs: Sequence[ProofRecord]) -> str:
    """Why this cell counts as not proved equal, or nothing. One failed proof is enough."""
    failed = [proof for proof in proofs if not proof.passed]
    if failed:
        return f"not proved equal in block {failed[0].block}: {_failure(failed[0])}"
    if any(outcome.status == "unequal" for outcome in outcomes):
        return "not proved equal in some block"
    unproved = sorted(set(blocks) - {proof.block for proof in proofs})
    return f"no proof in block {', '.join(map(str, unproved))}" if unproved else ""


def _failure(proof: ProofRecord) -> str:
    failed = [check for check in proof.checks if not check.passed]
    if not failed:
        return "the proof holds no check"
    worst = max(failed, key=lambda check: (math.isnan(over_budget(check)), over_budget(check)))
    return f"{worst.group}, {worst.tensor}: error {over_budget(worst):.3g} times the budget ({worst.check})"


def over_budget(check: Check) -> float:
    """Error in units of its budget: at most 1 where the check passed."""
    if check.budget > 0:
        return check.error / check.budget
    return 0.0 if check.error == 0 else check.error * math.inf


def _reason(used: Sequence[TimingRecord], outcomes: Sequence[OutcomeRecord], doubt: str) -> str:
    reasons = [f"{outcome.status}: {outcome.reason}" if used else outcome.reason for outcome in outcomes]
    if used and doubt and all(timing.ranked for timing in used):
        reasons.append(doubt)
    if not used and not outcomes:
        reasons.append("the run ended before its turn")
    return "; ".join(dict.fromkeys(reasons))


def subject_of(cell_or_proof: Cell | ProofRecord) -> Subject:
    """What this cell or proof speaks of."""
    return cell_or_proof.who, size_order(cell_or_proof.axes)
