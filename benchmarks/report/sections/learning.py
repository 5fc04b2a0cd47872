"""Learning: accuracy against epochs and against time on real data, and whether all end at the same predictions."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import median

from benchmarks import statistics, wording
from benchmarks.analysis.ranking import Heat
from benchmarks.analysis.results import Results
from benchmarks.records.record import TARGET, LearningPoint, LearningRecord
from benchmarks.report import plots
from benchmarks.report.document import Block, Figure, Heading, Section, Text, table
from benchmarks.wording import NO_VALUE

_TARGET = (
    "Trainings from several seeds, each with its own start, order and masks; they are the same seeds for all. The interval is over "
    "the seeds, within one process. Evaluation is not counted, and what came before the first training (building the model, the "
    "first step and prediction, and with them compiling) is shown apart; it happened once. Where one seed did not reach it, there "
    "is no median. Rows go from the least median time to the most, which is no rank."
)
_FINAL = (
    "Rows go from the least time to the most, which is no rank. Predictions: a fingerprint of the classes predicted on the test "
    "set (the first eight characters of their SHA-256); two rows with the same characters predict the same class for every "
    "test sample."
)
_EPOCHS = (1, 2, 3, 5, 10, 20, 50, 100)
"""Those whose numbers are in the charts' table, beside the last one."""
_EXACT = ("float64", 0.0)
"""Without dropout and in double precision every framework computes the same training."""


def section(results: Results, heats: Sequence[Heat]) -> Section:
    """One part per precision and dropout rate, the exact trainings last."""
    groups: dict[tuple[str, float], list[LearningRecord]] = defaultdict(list)
    for training in results.learning:
        if training.points:
            groups[training.who.precision, training.dropout].append(training)
    blocks: list[Block] = []
    for group in sorted(groups, key=lambda group: (group == _EXACT, group)):
        blocks += _group(results, group, groups[group])
    return Section("learning", "Does it learn?", blocks or [Text("No training on real data was recorded.")])


def _group(results: Results, group: tuple[str, float], trainings: Sequence[LearningRecord]) -> list[Block]:
    precision, dropout = group
    name = f"{precision}, dropout {f'{dropout:g}'}"
    blocks: list[Block] = [Heading(f"Trained in {name}")]
    curves = [training for training in trainings if training.seed == 0]
    if group == _EXACT:
        # The lines of a chart would lie on top of each other: what counts is whether the ends are the same.
        blocks.append(Text(_identical(results, curves)))
    else:
        curves = _from_least_time(results, curves)
        blocks += [*_against_epochs(results, curves, name), *_against_time(results, curves, name)]
        blocks += _numbers(results, curves, name)
    return blocks + _to_target(results, trainings, name) + _finals(results, curves, name)


def _by_label(results: Results, trainings: Iterable[LearningRecord]) -> dict[str, list[LearningRecord]]:
    found: dict[str, list[LearningRecord]] = defaultdict(list)
    for training in trainings:
        found[results.label(training.who)].append(training)
    return found


def _from_least_time(results: Results, trainings: Sequence[LearningRecord]) -> list[LearningRecord]:
    """The implementations by the median time of their trainings, in which charts and tables show them."""
    groups = _by_label(results, trainings).values()
    ordered = sorted(groups, key=lambda found: median(training.points[-1].elapsed_s for training in found))
    return [training for found in ordered for training in found]


def _to_target(results: Results, trainings: Sequence[LearningRecord], name: str) -> list[Block]:
    """Time to the target accuracy over the seeds; nothing where there was one seed only."""
    by_label = _by_label(results, trainings)
    several = [(label, found) for label, found in by_label.items() if len({t.seed for t in found}) > 1]
    several.sort(key=lambda group: _time_to_target(group[1]))
    rows = [_reached(label, found) for label, found in several]
    columns = (
        "implementation",
        "#reached it",
        "#time, median",
        "#95% interval",
        "#epochs",
        "#before: building, compiling (once)",
    )
    frameworks = [found[0].who.framework for _, found in several]
    blocks = table(f"Time to {TARGET:.0%} on the test set, {name}", rows, *columns, frameworks=frameworks)
    return [*blocks, Text(_TARGET, "note")] if blocks else []


def _ends(trainings: Sequence[LearningRecord]) -> list[LearningPoint]:
    """Where each training that reached the target did so first."""
    first = [next((p for p in t.points if p.test_accuracy >= TARGET), None) for t in trainings]
    return [point for point in first if point]


def _time_to_target(trainings: Sequence[LearningRecord]) -> float:
    """The median, infinite where there is none, so that it sorts last."""
    ends = _ends(trainings)
    return median(point.elapsed_s for point in ends) if len(ends) == len(trainings) else math.inf


def _reached(label: str, trainings: Sequence[LearningRecord]) -> list[str]:
    """A median over those that reached it would flatter whoever often does not: then there is none."""
    ends = _ends(trainings)
    counts = f"{len(ends)} of {len(trainings)}"
    before = [t.prepare_s for t in trainings if t.prepare_s is not None][:1]
    prepared = wording.duration(before[0]) if before else NO_VALUE
    if len(ends) < len(trainings):
        return [label, counts, NO_VALUE, NO_VALUE, NO_VALUE, prepared]
    time = statistics.estimate([point.elapsed_s for point in ends])
    epochs = _span([float(point.epoch) for point in ends], lambda epoch: f"{epoch:,.0f}")
    return [label, counts, wording.duration(time.value), wording.duration_interval(time), epochs, prepared]


def _against_epochs(results: Results, trainings: Sequence[LearningRecord], name: str) -> list[Block]:
    lines = _lines(results, trainings, time=False)
    spec = plots.lines(lines, "epoch", "test accuracy", log=False, height=260, y_format=".0%")
    how = "How to read this: one line per training; lines that lie together learn alike from each epoch, whatever it costs in time."
    return [
        Figure(wording.slug(f"accuracy-epochs-{name}"), spec, f"Test accuracy by epoch, {name}", _range(trainings), how)
    ]


def _against_time(results: Results, trainings: Sequence[LearningRecord], name: str) -> list[Block]:
    lines = _lines(results, trainings, time=True)
    spec = plots.lines(lines, "seconds of training", "test accuracy", log=False, height=260, y_format=".0%")
    how = "How to read this: a line further left reaches the same accuracy sooner. Evaluation is not counted. Few trainings each, so no verdict is drawn from this chart."
    title, caption = f"Test accuracy by time, {name}", _durations(results, trainings)
    return [Figure(wording.slug(f"accuracy-time-{name}"), spec, title, caption, how)]


def _numbers(results: Results, trainings: Sequence[LearningRecord], name: str) -> list[Block]:
    """What both charts show, at a few epochs."""
    by_label = _by_label(results, trainings)
    last = max(training.points[-1].epoch for training in trainings)
    epochs = [*(epoch for epoch in _EPOCHS if epoch < last), last]
    rows = [[label, *(_after(found, epoch) for epoch in epochs)] for label, found in by_label.items()]
    caption = f"Test accuracy after some epochs, and the training time until then ({_counted(by_label)}), {name}"
    columns = ("implementation", *(f"#epoch {epoch:,}" for epoch in epochs))
    frameworks = [found[0].who.framework for found in by_label.values()]
    return table(caption, rows, *columns, frameworks=frameworks, folded=True)


def _after(trainings: Sequence[LearningRecord], epoch: int) -> str:
    points = [point for training in trainings for point in training.points if point.epoch == epoch]
    if not points:
        return NO_VALUE
    accuracies = [point.test_accuracy for point in points]
    shown = _span(accuracies, lambda accuracy: f"{accuracy:.1%}")
    return wording.Quantity(f"{shown} at {_span([p.elapsed_s for p in points], wording.duration)}", min(accuracies))


def _counted(by_label: Mapping[str, Sequence[LearningRecord]]) -> str:
    """How many trainings a time is of, for a header."""
    return "once" if all(len(found) == 1 for found in by_label.values()) else "lowest to highest"


def _lines(results: Results, trainings: Sequence[LearningRecord], time: bool) -> list[plots.Line]:
    """A line per training; only an implementation's first one carries its name."""
    lines, named = [], set()
    for training in trainings:
        label = wording.short(results.label(training.who))
        points = [(p.elapsed_s if time else float(p.epoch), p.test_accuracy, None, None) for p in training.points]
        shown = "" if label in named else label
        lines.append(plots.Line(shown, training.who.framework, points, marked=len(points) < 3))
        named.add(label)
    return lines


def _range(trainings: Sequence[LearningRecord]) -> str:
    finals = [training.points[-1].test_accuracy for training in trainings]
    low, high = f"{min(finals):.1%}", f"{max(finals):.1%}"
    return f"At the end {low}." if low == high else f"At the end {low} to {high}."


def _durations(results: Results, trainings: Sequence[LearningRecord]) -> str:
    by_label = _by_label(results, trainings)
    times = {
        label: _span([t.points[-1].elapsed_s for t in found], wording.duration) for label, found in by_label.items()
    }
    told = wording.listed(f"{time} in {label}" for label, time in times.items())
    if _counted(by_label) == "once":
        return f"Training took {told} (one training each)."
    counts = _span([float(len(found)) for found in by_label.values()], lambda count: f"{count:.0f}")
    return f"Training took {told} ({counts} trainings each, lowest to highest)."


def _identical(results: Results, trainings: Sequence[LearningRecord]) -> str:
    """Whether the exact trainings ended at the same predictions on the test set."""
    by_hash: dict[str, list[str]] = defaultdict(list)
    for training in trainings:
        label = results.label(training.who)
        if label not in by_hash[training.predictions_sha256]:
            by_hash[training.predictions_sha256].append(label)
    groups = list(by_hash.values())
    if sum(map(len, groups)) < 2:
        return "One implementation only: there is nothing to compare its predictions with."
    if len(groups) == 1:
        return f"{wording.listed(groups[0])} end with identical predictions on every test sample: the same network, trained the same way."
    told = "; ".join(wording.listed(group) for group in groups)
    return f"The predictions are not all identical; these groups agree among themselves: {told}."


def _finals(results: Results, trainings: Sequence[LearningRecord], name: str) -> list[Block]:
    by_label = _by_label(results, _from_least_time(results, trainings))
    rows = [_final(label, found) for label, found in by_label.items()]
    time = f"#time ({_counted(by_label)})"
    columns = ("implementation", "#trainings", "#batch", "#epochs", "#final accuracy", "#final loss", time)
    frameworks = [found[0].who.framework for found in by_label.values()]
    blocks = table(f"Final accuracy, {name}", rows, *columns, "predictions", frameworks=frameworks)
    return [*blocks, Text(f"{_FINAL}{_grain(results)}", "note")] if blocks else []


def _grain(results: Results) -> str:
    """What one sample of the test set is worth."""
    samples = results.run.dataset.get("test_samples")
    if not isinstance(samples, int) or samples < 1:
        return ""
    return f" The test set has {samples:,} samples: one more right or wrong is {100 / samples:.2g} percentage points."


def _final(label: str, trainings: Sequence[LearningRecord]) -> list[str]:
    last = [training.points[-1] for training in trainings]
    hashes = dict.fromkeys(training.predictions_sha256[:8] for training in trainings)
    return [
        label,
        str(len(trainings)),
        _span([float(training.batch) for training in trainings], lambda batch: f"{batch:,.0f}"),
        _span([float(point.epoch) for point in last], lambda epoch: f"{epoch:,.0f}"),
        _span([point.test_accuracy for point in last], lambda accuracy: f"{accuracy:.2%}"),
        _span([point.train_loss for point in last], wording.number),
        _span([point.elapsed_s for point in last], wording.duration),
        ", ".join(hashes) or NO_VALUE,
    ]


def _span(values: Sequence[float], shown: Callable[[float], str]) -> str:
    """One value, or the lowest and the highest."""
    low, high = shown(min(values)), shown(max(values))
    return low if low == high else f"{low} to {high}"
