"""One cell in the two runs that are compared: its verdict, whether it may fail the comparison, and what could have been missed in it."""

import math
from dataclasses import dataclass
from typing import Literal, get_args

from benchmarks.analysis.cell_results import CellResult
from benchmarks.records.record import Cell
from benchmarks.statistics import Comparison
from benchmarks.verdict_rule import MIN_BLOCKS_FOR_VERDICT

Verdict = Literal["unequal", "slower", "missing", "not settled", "new", "faster", "tied"]
SEVERITY = get_args(Verdict)  # also the order of the rows

FAILING = ("unequal", "slower", "missing")


@dataclass(frozen=True)
class Row:
    """One cell in both runs. `counts` says whether its verdict may fail the comparison; `note` says why not.

    Floors, peers and unproved cells are only shown.
    """

    cell: Cell
    a: CellResult | None
    b: CellResult | None
    verdict: Verdict
    comparison: Comparison | None  # B's time over A's; None where one of them has no time
    counts: bool
    note: str
    without: Comparison | None = None
    """The same with the machine's factor taken out, or the implementation's that all are held against."""

    disagreement: float = 0.0
    """How far, as a fraction, the floors disagree on the machine's factor that was taken out."""

    hidden: float = 0.0
    """The slowdown, as a fraction, that a machine hides whose floors got faster, where the cells did not follow."""

    lost: int = 0
    """In how many blocks more than in A the cell failed in B, though it was timed in others."""

    @property
    def judged(self) -> Comparison | None:
        """What the verdict is of."""
        return self.without or self.comparison

    @property
    def fails(self) -> bool:
        """Whether this row alone makes the comparison fail."""
        return self.counts and self.verdict in FAILING and not self.may_be_chance

    @property
    def may_be_chance(self) -> bool:
        """Whether its difference alone would be one, and a table as large as this has such by chance (Holm)."""
        return bool(self.verdict in ("faster", "slower") and self.judged and not self.judged.detected)

    @property
    def missable(self) -> float:
        """The slowdown, as a fraction, that could have been missed here: up to the interval's upper end, of a machine that
        changed by as much more as its floors disagree, and behind what a faster machine hides.

        Infinite where there are too few blocks for a verdict.
        """
        told = self.judged and self.judged.ratio.blocks >= MIN_BLOCKS_FOR_VERDICT
        if not self.judged or not told:
            return math.inf
        return max(self.judged.ratio.high * (1 + self.disagreement) * (1 + self.hidden) - 1, 0.0)
