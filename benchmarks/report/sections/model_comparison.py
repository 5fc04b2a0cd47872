"""Which network for the job? All networks that were trained on the same data, side by side."""

from collections.abc import Sequence
from statistics import median

from benchmarks import wording
from benchmarks.analysis.cell_results import CellResult
from benchmarks.analysis.model_comparison import Contender, Task, tasks
from benchmarks.analysis.ranking import ComparisonGroup, by_network
from benchmarks.analysis.results import Results
from benchmarks.records.run_record import MetricText
from benchmarks.report.document import Block, Section, Text, table
from benchmarks.report.sections.learning import said, span, value
from benchmarks.wording import NO_VALUE

_HOW = (
    "Each network at its own size; the times are those of its fastest proved implementation, plain. To the target: the implementation with the "
    "lowest median over its trainings, where all of them reached it; evaluation, and what came once before (building, compiling: see Does it learn?), are not counted. Networks compute different things and took no "
    "turns with one another, so there is no verdict between them, only what each came to: another seed, or other test data, may order them otherwise."
)


def section(results: Results, groups: Sequence[ComparisonGroup]) -> Section:
    """A table per task; nothing where no two networks share one."""
    found = tasks(list(by_network(results, groups)))
    blocks: list[Block] = [block for task in found for block in _task(results, task)]
    lost = [wording.label(results, of.who) for of in results.untrained]
    blocks += (
        [Text(f"The trainings of {wording.listed(lost)} were lost, and count nowhere here.", "warning")]
        if lost and found
        else []
    )
    note: list[Block] = [Text(_HOW, "note")] if found else []
    return Section("networks", "Which network for the job?", [*blocks, *note])


def _task(results: Results, task: Task) -> list[Block]:
    target = task.target
    rows = [_row(results, contender, target, task.last) for contender in task.contenders]
    columns = [
        "network",
        "#parameters",
        f"#{target.name} at the end",
        f"#reached {said(target)}",
        "#time until then, least median",
    ]
    columns += ["#epochs until then", "with", "#training, per sample", "#prediction, per sample"]
    return [Text(sentence(results, task), "lead"), *table(f"Networks on {task.data}", rows, *columns)]


def sentence(results: Results, task: Task) -> str:
    """Where the trainings ended, the best first, and the least median time until the target; no verdict."""
    target, sign = task.target, 1 if task.target.share else -1
    ends = [(contender, found) for contender in task.contenders if (found := contender.finals(task.last))]
    if not ends:
        return f"On {task.data} no training that was proved equal came to its end."
    ends.sort(key=lambda pair: -sign * median(pair[1]))
    names = wording.listed([f"the {_name(contender)} {_span(target, found)}" for contender, found in ends])
    seeds = {t.seed for contender, _ in ends for t in contender.trainings if t.points[-1].epoch == task.last}
    ended = f"On {task.data}, {target.name} at the end, of {wording.count(len(seeds), 'seed')}: {names}"
    reached = [(c, soonest) for c in task.contenders if (soonest := c.soonest(target))]
    if not reached:
        return f"{ended}; none reached {said(target)} in all of its trainings."
    contender, first = min(reached, key=lambda pair: pair[1].seconds)
    time, who = wording.duration(first.seconds), wording.label(results, first.who)
    trained = wording.count(len(first.times), "training")
    return f"{ended}. The least median time until {said(target)}, of {trained}, was that of the {_name(contender)} with {who}, {time}."


def _row(results: Results, contender: Contender, target: MetricText, last: int) -> list[str]:
    reached, soonest = contender.reaching(target), contender.soonest(target)
    batch = contender.results.network.size.get("batch")
    return [
        _name(contender),
        f"{contender.results.network.parameters:,}" if contender.results.network.parameters else NO_VALUE,
        _span(target, contender.finals(last)),
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


def _span(metric: MetricText, values: Sequence[float]) -> str:
    """The lowest and the highest, or the one that there is."""
    return span(values, lambda number: value(metric, number)) if values else NO_VALUE
