"""Which network for the job? All networks that were trained on the same data, side by side."""

from collections.abc import Sequence

from benchmarks import wording
from benchmarks.analysis.cell_results import CellResult
from benchmarks.analysis.model_comparison import Contender, Task, tasks
from benchmarks.analysis.ranking import ComparisonGroup, by_network
from benchmarks.analysis.results import Results
from benchmarks.records.run_record import MetricText
from benchmarks.report.document import Block, Section, Text, table
from benchmarks.wording import NO_VALUE

_HOW = (
    "Each network at its own size; the times are those of its fastest proved implementation, plain. To the target: the implementation with the "
    "lowest median over its trainings, where all of them reached it; evaluation is not counted. Networks compute different things and took no "
    "turns with one another, so there is no verdict between them, only what each came to."
)


def section(results: Results, groups: Sequence[ComparisonGroup]) -> Section:
    """A table per task; nothing where no two networks share one."""
    found = tasks(list(by_network(results, groups)))
    blocks: list[Block] = [block for task in found for block in _task(results, task)]
    note: list[Block] = [Text(_HOW, "note")] if found else []
    return Section("networks", "Which network for the job?", [*blocks, *note])


def _task(results: Results, task: Task) -> list[Block]:
    target = task.target
    rows = [_row(results, contender, target) for contender in task.contenders]
    columns = ["network", "#parameters", f"#{target.name} at the end", f"#reached {said(target)}", "#in, least median"]
    columns += ["#epochs until then", "with", "#training, per sample", "#prediction, per sample"]
    return [Text(sentence(results, task), "lead"), *table(f"Networks on {task.data}", rows, *columns)]


def sentence(results: Results, task: Task) -> str:
    """Which ended best, and which reached the target soonest."""
    target, sign = task.target, 1 if task.target.share else -1
    best = max(task.contenders, key=lambda contender: sign * _best(contender, target))
    times = {id(c): soonest for c in task.contenders if (soonest := c.soonest(target))}
    ended = f"On {task.data} the {_name(best)} came to the best {target.name}, {value(target, _best(best, target))}"
    if not times:
        return f"{ended}; none reached {said(target)} in all of its trainings."
    first = min((c for c in task.contenders if id(c) in times), key=lambda c: times[id(c)].seconds)
    soonest = times[id(first)]
    who = wording.label(results, soonest.who)
    return f"{ended}; the {_name(first)} was at {said(target)} soonest, after {wording.duration(soonest.seconds)} with {who}."


def _row(results: Results, contender: Contender, target: MetricText) -> list[str]:
    reached, soonest = contender.reaching(target), contender.soonest(target)
    low, high = (value(target, end) for end in (min(contender.finals), max(contender.finals)))
    batch = contender.results.network.size.get("batch")
    return [
        _name(contender),
        f"{contender.results.network.parameters:,}" if contender.results.network.parameters else NO_VALUE,
        low if low == high else f"{low} to {high}",
        f"{sum(point is not None for point in reached)} of {len(reached)}",
        wording.duration(soonest.seconds) if soonest else NO_VALUE,
        f"{soonest.epochs:g}" if soonest else NO_VALUE,
        wording.label(results, soonest.who) if soonest else NO_VALUE,
        *(_per_sample(results, contender.fastest(phase), batch) for phase in ("train_step", "predict")),
    ]


def _per_sample(results: Results, entry: CellResult | None, batch: object) -> str:
    if entry is None or not isinstance(batch, int):
        return NO_VALUE
    return f"{wording.duration(entry.seconds / batch)} ({wording.label(results, entry.cell.who)})"


def _name(contender: Contender) -> str:
    return wording.network(contender.results.network)


def _best(contender: Contender, target: MetricText) -> float:
    return (max if target.share else min)(contender.finals)


def value(metric: MetricText, number: float) -> str:
    """In percent, or as a number."""
    return f"{number:.1%}" if metric.share else wording.number(number)


def said(metric: MetricText) -> str:
    """The target in words."""
    return f"{metric.target:.0%} {metric.name}" if metric.share else f"{metric.target:g} {metric.name}"
