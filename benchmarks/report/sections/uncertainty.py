"""How sure is that? The blocks behind each estimate, the spread within and between processes, the machine's load."""

from collections.abc import Sequence

from benchmarks import wording
from benchmarks.analysis import answer
from benchmarks.analysis.cell_results import CellResult
from benchmarks.analysis.ranking import ComparisonGroup
from benchmarks.analysis.results import Results
from benchmarks.records.record import BlockRecord
from benchmarks.report import dataframe, gpu_clocks, nodes, plots
from benchmarks.report.document import Block, Figure, Section, Text, table
from benchmarks.report.sections import run_quality
from benchmarks.verdict_rule import MIN_BLOCKS_FOR_VERDICT

_HOW = (
    "A block is one fresh process per framework, in which the compared cells take turns, round by round. A time is the median of the block "
    "medians; its 95% interval is a t interval of the mean of their logarithms, stretched to the median where that lies outside, because rounds of "
    "one process are not independent. A ratio is paired round by round. "
    f"Two times are tied where the interval of their ratio lies within {wording.MARGIN}, different where it lies wholly outside, else "
    f"not settled; fewer than {MIN_BLOCKS_FOR_VERDICT} blocks give no verdict. A block's first rounds are warm-up, half at most; no other is dropped."
)
MUCH = 0.05
"""Of all processors' time, taken by the host of a virtual machine: more is said at the top."""


def section(results: Results, groups: Sequence[ComparisonGroup]) -> Section:
    """What an interval means here, the blocks behind the answer, the null control, the turns, the machine's load."""
    first = next(iter(answer.answers(results, groups)), None)
    figure = _figure(results, first.yours) if first else []
    checks = [*run_quality.null_controls(results), *run_quality.turns(results), *gpu_clocks.blocks(results, groups)]
    return Section(
        "certainty", "How sure is that?", [Text(_HOW), *figure, *checks, *_load(results)], run_quality.summary(results)
    )


def _figure(results: Results, group: ComparisonGroup) -> list[Block]:
    """The blocks behind each estimate of the answer."""
    entries = [place.entry for place in group.places if len(place.entry.medians) > 1]
    if not entries:
        return []
    spreads = {wording.label(results, entry.cell.who): dataframe.spread(entry) or 0.0 for entry in entries}
    widest = max(spreads, key=spreads.__getitem__)
    caption = f"Block medians differ most for {widest}: {wording.percent(spreads[widest])} between processes."
    how_to_read = (
        "How to read this: each small circle is one block's median, as a difference from the estimate (0). The bar is the estimate's 95% "
        "interval, cut where it leaves the chart."
    )
    title = f"Blocks behind each estimate, {wording.timed(group.phase, group.axes)} ({wording.setting(group.who)})"
    rows = [[wording.label(results, e.cell.who), wording.durations(e.medians, e.seconds)] for e in entries]
    columns = ("implementation", "block medians")
    spec = plots.deviations(wording.short(wording.size(group.axes), 60), [_dot(results, entry) for entry in entries])
    numbers = table(title, rows, *columns, frameworks=[entry.cell.who.framework for entry in entries])
    return [Figure("blocks", spec, title, caption, how_to_read), *numbers]


def _dot(results: Results, entry: CellResult) -> plots.Dot:
    value, low, high = (entry.time.value, entry.time.low, entry.time.high) if entry.time else (1.0, 1.0, 1.0)
    points = [_deviation(median, value) for median in entry.medians.values()]
    bounds = (_deviation(low, value), _deviation(high, value))
    label = wording.short(wording.label(results, entry.cell.who))
    words = f"{wording.duration(value)}, {wording.count(len(points), 'block')}"
    return plots.Dot(label, entry.cell.who.framework, 0.0, *bounds, words, points=points)


def _deviation(seconds: float, estimate: float) -> float:
    return round(100 * (seconds / estimate - 1), 4)


def _load(results: Results) -> list[Block]:
    """What else the machine did, in a sentence; the records have it block by block."""
    loads = [load for worker in results.workers for load in worker.load_average[:1]]
    shares = [share for block in results.blocks if (share := _taken(block)[0]) is not None]
    said = [f"The load (the run's own threads in it) was {min(loads):.2f} to {max(loads):.2f}."] if loads else []
    if shares:
        said.append(f"The host of this machine took up to {wording.percent(max(shares))} of the processors' time.")
    return [Text(" ".join(said))] if said else []


def _taken(block: BlockRecord) -> tuple[float | None, float | None]:
    """By the host, of all processors' time, and by a quota, of the block's time; None where it was not counted."""
    counters = block.interference
    if counters is None:
        return None, None
    host = None if counters.stolen_s is None else counters.stolen_s / (block.wall_s * counters.cores)
    return host, None if counters.throttled_s is None else counters.throttled_s / block.wall_s


def _others(results: Results) -> list[str]:
    """In which blocks other programs had much of the processors that the run may use."""
    shares = {str(block.block + 1): block.others_share or 0.0 for block in results.blocks}
    much = {number: share for number, share in shares.items() if share > MUCH}
    if not much:
        return []
    blocks = f"block{'s' * (len(much) > 1)} {wording.listed(list(much))}"
    return [
        f"Other programs took up to {wording.percent(max(much.values()))} of the processors' time, in {blocks}: "
        "times may be too long there. Run it again on a quiet machine."
    ]


def interfered(results: Results) -> str:
    """What else took processor time from the run, where it was much."""
    taken = [(block.block, *_taken(block)) for block in results.blocks]
    host = max((share for _, share, _ in taken if share is not None), default=0.0)
    stopped = [str(block + 1) for block, _, quota in taken if quota]
    said = [f"The host took {wording.percent(host)} of the processors' time."] if host > MUCH else []
    said += _others(results) + list(filter(None, [nodes.warning(results)]))
    if stopped:
        blocks = f"block{'s' * (len(stopped) > 1)} {wording.listed(stopped)}"
        said.append(f"A quota stopped the run in {blocks}: its times are too long there.")
    return " ".join(said)
