"""What was measured, one line each: a method, a comparison whose truth is known, and what the method said."""

import json
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks import writing
from benchmarks.selfcheck import units
from benchmarks.selfcheck.peers import HEADLINE
from benchmarks.statistics import compare_logs, compare_unpaired

OURS = "samenet"
FILE = "trials.jsonl"


@dataclass(frozen=True)
class Trial:
    """One comparison by one method. `seconds` is what it was given (ours: what it took, its share of starting included)."""

    sitting: int
    method: str
    workload: str
    extra: int
    seconds: float
    ratio: float
    low: float
    high: float
    verdict: str = ""
    by_default: bool = False
    """Another tool, left to choose how long it measures."""

    logs: Sequence[float] = field(default_factory=list)
    """Ours: the log ratio of each block."""

    @property
    def error(self) -> float:
        """Of the logarithm, so that too fast and too slow count alike."""
        return math.log(self.ratio / units.true_ratio(self.extra))

    @property
    def covers(self) -> bool:
        """Whether the interval holds the truth."""
        return self.low <= units.true_ratio(self.extra) <= self.high

    @property
    def detected(self) -> bool:
        """Whether the interval excludes 1."""
        return not self.low <= 1 <= self.high

    @property
    def half_width(self) -> float:
        """Of the interval, as a fraction."""
        return math.sqrt(self.high / self.low) - 1 if self.low > 0 else math.inf


def ours(sitting: int, workload: str, extra: int, seconds: float, logs: Sequence[float]) -> Trial:
    """By blocks of turns."""
    comparison = compare_logs(logs)
    ratio = comparison.ratio
    return Trial(
        sitting, OURS, workload, extra, seconds, ratio.value, ratio.low, ratio.high, comparison.verdict, logs=list(logs)
    )


def peers(
    sitting: int, method: str, workload: str, extra: int, seconds: float, samples: Mapping[str, Sequence[float]]
) -> Trial:
    """By another tool: the ratio of what it puts forward; Welch's t interval over its samples, as its users compute it."""
    headline = statistics.fmean if HEADLINE[method] == "mean" else statistics.median
    candidate, reference = samples[units.CANDIDATE], samples[units.REFERENCE]
    interval = compare_unpaired(candidate, reference).ratio
    return Trial(
        sitting, method, workload, extra, seconds, headline(candidate) / headline(reference), interval.low, interval.high
    )  # fmt: skip


def write(folder: Path, trials: Iterable[Trial]) -> None:
    """One JSON object per line."""
    lines = [json.dumps(asdict(trial)) + "\n" for trial in trials]
    writing.text(folder / FILE, "".join(lines))
