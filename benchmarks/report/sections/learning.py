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

Curves = Mapping[str, LearningRecord]
"""Of each implementation the training from the first seed, by its label."""


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
    by_time = sorted(trainings, key=lambda training: training.points[-1].elapsed_s)
    curves = {wording.label(results, training.who): training for training in by_time if training.seed == first}
    charts = [*_charts(metric, curves, name), *_numbers(metric, curves, name)]
    to_target = _to_target(metric, _by_label(results, trainings), name)
    return [Heading(f"Trained in {name}"), *charts, *to_target, *_finals(results, curves, name)]


def _by_label(results: Results, trainings: Iterable[LearningRecord]) -> ByLabel:
    by_label: ByLabel = defaultdict(list)
    for training in trainings:
        by_label[wording.label(results, training.who)].append(training)
    return by_label


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


def _charts(metric: MetricText, curves: Curves, name: str) -> list[Block]:
    """The metric by epoch and by time."""
    by_epoch = _chart(metric, curves, "epoch", lambda point: point.epoch)
    by_time = _chart(metric, curves, "seconds of training", lambda point: point.elapsed_s)
    finals = [training.points[-1].metric for training in curves.values()]
    at_end = f"At the end {span(finals, lambda number: value(metric, number))}."
    names = wording.slug(f"{metric.name}-epochs-{name}"), wording.slug(f"{metric.name}-time-{name}")
    return [
        Figure(names[0], by_epoch, f"Test {metric.name} by epoch, {name}", at_end, _HOW_EPOCHS),
        Figure(
            names[1],
            by_time,
            f"Test {metric.name} by time, {name}",
            _durations(curves),
            _HOW_TIME.format(metric=metric.name),
        ),
    ]


def _chart(metric: MetricText, curves: Curves, x_title: str, x: Callable[[LearningPoint], float]) -> plots.Spec:
    """A line per training; short ones have marks."""
    lines = []
    for label, training in curves.items():
        points = [(x(point), point.metric, None, None) for point in training.points]
        words = [f"{x_title} {_count(at)}: {value(metric, number)}" for at, number, *_ in points]
        lines.append(
            plots.Line(wording.short(label), training.who.framework, points, words=words, marked=len(points) < 3)
        )
    y_format = ".0%" if metric.share else "~g"
    return plots.lines(lines, x_title, f"test {metric.name}", log=False, height=260, y_format=y_format)


def _count(at: float) -> str:
    return wording.number(at) if at % 1 else f"{at:,.0f}"


def _numbers(metric: MetricText, curves: Curves, name: str) -> list[Block]:
    """What both charts show, at a few epochs before the last, of which a table of its own tells."""
    last = max(training.points[-1].epoch for training in curves.values())
    epochs = [epoch for epoch in _EPOCHS if epoch < last] or [last]
    rows = [[label, *(_after(metric, training, epoch) for epoch in epochs)] for label, training in curves.items()]
    caption = f"Test {metric.name} after some epochs, and the training time until then (once), {name}"
    columns = ("implementation", *(f"#epoch {epoch:,}" for epoch in epochs))
    return table(caption, rows, *columns, frameworks=_frameworks(curves), folded=True)


def _after(metric: MetricText, training: LearningRecord, epoch: int) -> str:
    point = next((point for point in training.points if point.epoch == epoch), None)
    if point is None:
        return NO_VALUE
    return wording.Quantity(f"{value(metric, point.metric)} at {wording.duration(point.elapsed_s)}", point.metric)


def _frameworks(curves: Curves) -> list[str]:
    return [training.who.framework for training in curves.values()]


def _durations(curves: Curves) -> str:
    took = (f"{wording.duration(training.points[-1].elapsed_s)} in {label}" for label, training in curves.items())
    return f"Training took {wording.listed(took)} (one training each)."


def _finals(results: Results, curves: Curves, name: str) -> list[Block]:
    metric = results.network.metric
    rows = [_final(metric, label, training) for label, training in curves.items()]
    columns = [
        "implementation",
        "#batch",
        "#epochs",
        f"#final {metric.name}",
        "#final loss",
        "#time (once)",
        "predictions",
    ]
    note, samples = _FINAL, results.network.dataset.test_samples
    if samples and metric.share:
        worth = f"{100 / samples:.2g} percentage points"
        note += f" The test set has {samples:,} samples: one more right or wrong is {worth}."
    return table(f"Final {metric.name}, {name}", rows, *columns, frameworks=_frameworks(curves), note=note)


def _final(metric: MetricText, label: str, training: LearningRecord) -> list[str]:
    last = training.points[-1]
    return [
        label,
        f"{training.batch:,}",
        f"{last.epoch:,}",
        value(metric, last.metric, 2),
        wording.number(last.train_loss),
        wording.duration(last.elapsed_s),
        training.predictions_sha256[:8] or NO_VALUE,
    ]


def span(values: Sequence[float], text_of: Callable[[float], str]) -> str:
    """One value, or the lowest and the highest."""
    low, high = text_of(min(values)), text_of(max(values))
    return low if low == high else f"{low} to {high}"
