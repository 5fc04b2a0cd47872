"""One task, several networks: what each reached on the same data, how soon, and what a sample costs.

No verdict across networks: they compute different things, and took no turns with one another.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.analysis.cell_results import CellResult
from benchmarks.analysis.ranking import ComparisonGroup
from benchmarks.analysis.results import Results
from benchmarks.records.configuration import Configuration
from benchmarks.records.record import LearningPoint, LearningRecord
from benchmarks.records.run_record import MetricText

Part = tuple[Results, Sequence[ComparisonGroup]]
"""A network of the run: its results and its groups."""


@dataclass(frozen=True)
class ToTarget:
    """The implementation that reached a target in the least time, the median over its trainings."""

    who: Configuration
    times: Sequence[float]
    """Of each of its trainings, in seconds."""

    epochs: float

    @property
    def seconds(self) -> float:
        """The median."""
        return median(self.times)


@dataclass(frozen=True)
class Contender:
    """A network: its results, with its trainings, and its groups."""

    results: Results
    groups: Sequence[ComparisonGroup]

    @property
    def trainings(self) -> list[LearningRecord]:
        """Those of the specification in its own precision, in plain mode, by what was proved equal."""
        proved = {entry.cell.who for entry in self.results.entries if entry.is_proved}
        found = [t for t in self.results.learning if t.points and t.who in proved]
        own = "spec", "plain", self.results.network.spec.get("precision", "float32")
        return [t for t in found if (t.who.variant, t.who.mode, t.who.precision) == own]

    def finals(self, last: int) -> list[float]:
        """Where the trainings ended that went on to the last epoch, and that did not diverge."""
        ends = [t.points[-1].metric for t in self.trainings if t.points[-1].epoch == last]
        return [end for end in ends if math.isfinite(end)]

    def reaching(self, target: MetricText) -> list[LearningPoint | None]:
        """Of every training the first point at which it had reached the target."""
        return [training.first_at(target) for training in self.trainings]

    def soonest(self, target: MetricText) -> ToTarget | None:
        """None where no implementation reached the target in each of its trainings."""
        points: dict[Configuration, list[LearningPoint | None]] = defaultdict(list)
        for training in self.trainings:
            points[training.who].append(training.first_at(target))
        times = [
            ToTarget(who, [p.elapsed_s for p in there], median(p.epoch for p in there))
            for who, found in points.items()
            if len(there := [point for point in found if point]) == len(found)
        ]
        return min(times, key=lambda to_target: to_target.seconds, default=None)

    def fastest(self, phase: str) -> CellResult | None:
        """At the network's own size, in plain mode; None where nothing is ranked there."""
        own = [g for g in self.groups if (g.phase, g.axes, g.who.mode) == (phase, self.results.network.size, "plain")]
        return min((g.reference for g in own if g.reference), key=lambda entry: entry.seconds, default=None)


@dataclass(frozen=True)
class Task:
    """Networks that were trained on the same data and are judged by the same metric."""

    data: str
    contenders: Sequence[Contender]

    @property
    def last(self) -> int:
        """The last epoch of the longest training."""
        return max(t.points[-1].epoch for contender in self.contenders for t in contender.trainings)

    @property
    def target(self) -> MetricText:
        """The easiest of theirs: the same for all."""
        metrics = [contender.results.network.metric for contender in self.contenders]
        return (min if metrics[0].share else max)(metrics, key=lambda metric: metric.target)


def tasks(parts: Sequence[Part]) -> list[Task]:
    """Every data set on which several networks were trained."""
    found: dict[tuple[str, str], list[Contender]] = defaultdict(list)
    for results, groups in parts:
        contender = Contender(results, groups)
        if contender.trainings:
            found[results.network.dataset.name, results.network.metric.name].append(contender)
    return [Task(data, contenders) for (data, _), contenders in found.items() if len(contenders) > 1]
