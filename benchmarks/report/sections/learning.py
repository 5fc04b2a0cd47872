"""Learning: the model's metric against epochs and against time on real data, and whether all end at the same predictions."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import median

from benchmarks import statistics, wording
from benchmarks.analysis.ranking import ComparisonGroup
from benchmarks.analysis.results import Results
from benchmarks.records.record import LearningPoint, LearningRecord
from benchmarks.records.run_record import MetricText
from benchmarks.report import missing, plots
from benchmarks.report.document import Block, Figure, Heading, Section, Text, table
from benchmarks.wording import NO_VALUE

_TARGET = (
    "The same seeds for all, each with its own start, order and masks; the interval is over the seeds. Evaluation is not counted; what came "
    "before the first training happened once and stands apart. Rows go from the least time to the most, which is no rank."
)
_FINAL = "Predictions: rows with the same characters (of a SHA-256) predict the same class for every test sample."
_HOW_EPOCHS = "How to read this: one line per training; lines that lie together learn alike from each epoch."
_HOW_TIME = "How to read this: a line further left reaches the same {metric} sooner. Few trainings each, so no verdict is drawn."
_EPOCHS = (1, 5, 20, 100)
"""Epochs in the charts' table, beside the last one."""

Setting = tuple[str, int, float]
"""Precision, threads and dropout rate."""

ByLabel = Mapping[str, list[LearningRecord]]
"""Trainings by the label of their implementation."""


def section(results: Results, groups: Sequence[ComparisonGroup]) -> Section:
    """One part per precision, number of threads and dropout rate."""
    by_setting: dict[Setting, list[LearningRecord]] = defaultdict(list)
    for training in results.learning:
        if training.points:
            by_setting[training.who.precision, training.who.threads, training.dropout].append(training)
    settings = sorted(by_setting)
    blocks: list[Block] = [
        Text(f"The trainings of {wording.label(results, lost.who)} were lost: {lost.reason}", "warning")
        for lost in results.untrained
    ]
    blocks += [block for setting in settings for block in _setting(results, setting, by_setting[setting])]
    summary = _summary(results.network.metric, by_setting[settings[0]]) if settings else ""
    if results.untrained:
        summary = f"{summary[:-1] or 'No training was made'}; {missing.lost_trainings(results)}."
    return Section("learning", "Does it learn?", blocks, summary)


def _summary(metric: MetricText, trainings: Sequence[LearningRecord]) -> str:
    """How many reached the target, and where they ended."""
    reached, last = len(_ends(metric, trainings)), max(training.points[-1].epoch for training in trainings)
    whole = [training for training in trainings if training.points[-1].epoch == last]
    finals = span([training.points[-1].metric for training in whole], lambda number: value(metric, number))
    ended = (
        "after {0} it was {1}"
        if len(whole) == len(trainings)
        else f"{len(whole)} went on, and ended after {{0}} at {{1}}"
    )
    count = wording.count(len(trainings), "training")
    return f"{reached} of {count} reached {said(metric)} on the test set at some epoch; {ended.format(wording.count(last, 'epoch'), finals)}."


def _setting(results: Results, setting: Setting, trainings: Sequence[LearningRecord]) -> list[Block]:
    (precision, threads, dropout), metric = setting, results.network.metric
    name = f"{precision}, {wording.count(threads, 'thread')}, dropout {dropout:g}"
    first = min(training.seed for training in trainings)
    first_seed = [training for training in trainings if training.seed == first]
    curves = _from_least_time(_by_label(results, first_seed))
    charts = [*_charts(metric, curves, name), *_numbers(metric, curves, name)]
    to_target = _to_target(metric, _by_label(results, trainings), name)
    return [Heading(f"Trained in {name}"), *charts, *to_target, *_finals(results, curves, name)]


def _by_label(results: Results, trainings: Iterable[LearningRecord]) -> ByLabel:
    by_label: ByLabel = defaultdict(list)
    for training in trainings:
        by_label[wording.label(results, training.who)].append(training)
    return by_label


def _from_least_time(by_label: ByLabel) -> ByLabel:
    """In the order of the median time of their trainings, in which charts and tables show them."""
    times = {label: median(training.points[-1].elapsed_s for training in by_label[label]) for label in by_label}
    return {label: by_label[label] for label in sorted(times, key=times.__getitem__)}


def value(metric: MetricText, number: float, digits: int = 1) -> str:
    """What the metric came to: in percent with so many decimals, or as a number."""
    return f"{number:.{digits}%}" if metric.share else wording.number(number)


def said(metric: MetricText) -> str:
    """The target in words."""
    return f"{metric.target:.0%} {metric.name}" if metric.share else f"{metric.target:g} {metric.name}"


def _to_target(metric: MetricText, by_label: ByLabel, name: str) -> list[Block]:
    """Time to the metric's target over the seeds; nothing where there was one seed only."""
    several = [item for item in by_label.items() if len({training.seed for training in item[1]}) > 1]
    several.sort(key=lambda item: _time_to_target(metric, item[1]))
    rows = [_reached(metric, label, trainings) for label, trainings in several]
    columns = ["implementation", "#reached it", "#time, median", "#95% interval", "#epochs"]
    columns += ["#before: building, compiling (once)"]
    frameworks = [trainings[0].who.framework for _, trainings in several]
    target = f"{metric.target:.0%}" if metric.share else said(metric)
    return table(f"Time to {target} on the test set, {name}", rows, *columns, frameworks=frameworks, note=_TARGET)


def _ends(metric: MetricText, trainings: Sequence[LearningRecord]) -> list[LearningPoint]:
    """Where each training that reached the target did so first."""
    return [point for training in trainings if (point := training.first_at(metric))]


def _time_to_target(metric: MetricText, trainings: Sequence[LearningRecord]) -> float:
    """The median, infinite where there is none, so that it sorts last."""
    ends = _ends(metric, trainings)
    return median(point.elapsed_s for point in ends) if len(ends) == len(trainings) else math.inf


def _reached(metric: MetricText, label: str, trainings: Sequence[LearningRecord]) -> list[str]:
    """Without a median where one did not reach it: over the others alone it would be too low."""
    ends = _ends(metric, trainings)
    counts = f"{len(ends)} of {len(trainings)}"
    before = [t.prepare_s for t in trainings if t.prepare_s is not None][:1]
    prepared = wording.duration(before[0]) if before else NO_VALUE
    if len(ends) < len(trainings):
        return [label, counts, NO_VALUE, NO_VALUE, NO_VALUE, prepared]
    time = statistics.estimate([point.elapsed_s for point in ends])
    epochs = span([float(point.epoch) for point in ends], lambda epoch: f"{epoch:,.0f}")
    return [label, counts, wording.duration(time.value), wording.duration_interval(time), epochs, prepared]


def _charts(metric: MetricText, by_label: ByLabel, name: str) -> list[Block]:
    """The metric by epoch and by time."""
    epochs, times = _lines(by_label, lambda point: point.epoch), _lines(by_label, lambda point: point.elapsed_s)
    y_format = ".0%" if metric.share else "~g"
    by_epoch = plots.lines(epochs, "epoch", f"test {metric.name}", log=False, height=260, y_format=y_format)
    by_time = plots.lines(times, "seconds of training", f"test {metric.name}", log=False, height=260, y_format=y_format)
    finals = [training.points[-1].metric for trainings in by_label.values() for training in trainings]
    at_end = f"At the end {span(finals, lambda number: value(metric, number))}."
    names = wording.slug(f"{metric.name}-epochs-{name}"), wording.slug(f"{metric.name}-time-{name}")
    return [
        Figure(names[0], by_epoch, f"Test {metric.name} by epoch, {name}", at_end, _HOW_EPOCHS),
        Figure(
            names[1],
            by_time,
            f"Test {metric.name} by time, {name}",
            _durations(by_label),
            _HOW_TIME.format(metric=metric.name),
        ),
    ]


def _numbers(metric: MetricText, by_label: ByLabel, name: str) -> list[Block]:
    """What both charts show, at a few epochs before the last, of which a table of its own tells."""
    last = max(training.points[-1].epoch for trainings in by_label.values() for training in trainings)
    epochs = [epoch for epoch in _EPOCHS if epoch < last] or [last]
    rows = [[label, *(_after(metric, trainings, epoch) for epoch in epochs)] for label, trainings in by_label.items()]
    caption = f"Test {metric.name} after some epochs, and the training time until then ({_counted(by_label)}), {name}"
    columns = ("implementation", *(f"#epoch {epoch:,}" for epoch in epochs))
    return table(caption, rows, *columns, frameworks=_frameworks(by_label), folded=True)


def _after(metric: MetricText, trainings: Sequence[LearningRecord], epoch: int) -> str:
    points = [point for training in trainings for point in training.points if point.epoch == epoch]
    if not points:
        return NO_VALUE
    values = [point.metric for point in points]
    text = span(values, lambda number: value(metric, number))
    return wording.Quantity(f"{text} at {span([p.elapsed_s for p in points], wording.duration)}", min(values))


def _frameworks(by_label: ByLabel) -> list[str]:
    return [trainings[0].who.framework for trainings in by_label.values()]


def _counted(by_label: ByLabel) -> str:
    """How many trainings a time is of, for a header."""
    return "once" if all(len(trainings) == 1 for trainings in by_label.values()) else "lowest to highest"


def _lines(by_label: ByLabel, x: Callable[[LearningPoint], float]) -> list[plots.Line]:
    """A line per training; only an implementation's first one carries its name."""
    lines = []
    for label, trainings in by_label.items():
        for number, training in enumerate(trainings):
            points = [(x(point), point.metric, None, None) for point in training.points]
            name = "" if number else wording.short(label)
            lines.append(plots.Line(name, training.who.framework, points, marked=len(points) < 3))
    return lines


def _durations(by_label: ByLabel) -> str:
    times = wording.listed(
        f"{span([training.points[-1].elapsed_s for training in trainings], wording.duration)} in {label}"
        for label, trainings in by_label.items()
    )
    if _counted(by_label) == "once":
        return f"Training took {times} (one training each)."
    counts = span([len(trainings) for trainings in by_label.values()], str)
    return f"Training took {times} ({counts} trainings each, lowest to highest)."


def _finals(results: Results, by_label: ByLabel, name: str) -> list[Block]:
    metric = results.network.metric
    rows = [_final(metric, label, trainings) for label, trainings in by_label.items()]
    columns = ["implementation", "#trainings", "#batch", "#epochs", f"#final {metric.name}", "#final loss"]
    columns += [f"#time ({_counted(by_label)})", "predictions"]
    note, samples = _FINAL, results.network.dataset.test_samples
    if samples and metric.share:
        worth = f"{100 / samples:.2g} percentage points"
        note += f" The test set has {samples:,} samples: one more right or wrong is {worth}."
    return table(f"Final {metric.name}, {name}", rows, *columns, frameworks=_frameworks(by_label), note=note)


def _final(metric: MetricText, label: str, trainings: Sequence[LearningRecord]) -> list[str]:
    last = [training.points[-1] for training in trainings]
    hashes = dict.fromkeys(training.predictions_sha256[:8] for training in trainings)
    return [
        label,
        str(len(trainings)),
        span([float(training.batch) for training in trainings], lambda batch: f"{batch:,.0f}"),
        span([float(point.epoch) for point in last], lambda epoch: f"{epoch:,.0f}"),
        span([point.metric for point in last], lambda number: value(metric, number, 2)),
        span([point.train_loss for point in last], wording.number),
        span([point.elapsed_s for point in last], wording.duration),
        ", ".join(hashes) or NO_VALUE,
    ]


def span(values: Sequence[float], text_of: Callable[[float], str]) -> str:
    """One value, or the lowest and the highest."""
    low, high = text_of(min(values)), text_of(max(values))
    return low if low == high else f"{low} to {high}"
