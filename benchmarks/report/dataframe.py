"""The results as one flat table: a row per cell, numbers unrounded. What results.csv and results.jsonl hold."""

import json
from collections.abc import Sequence

import numpy as np
import pandas as pd

from benchmarks import wording
from benchmarks.analysis import ranking, roofline, step_times
from benchmarks.analysis.cell_results import CellResult
from benchmarks.analysis.ranking import ComparisonGroup, Placement
from benchmarks.analysis.results import Results
from benchmarks.plan.schedule import implementation_of
from benchmarks.records.configuration import size_order
from benchmarks.statistics import Estimate


def cells(results: Results, groups: Sequence[ComparisonGroup]) -> pd.DataFrame:
    """One row per cell of these groups. Where there is no time, no ratio or no interval, there is no number."""
    axes = sorted({name for entry in results.entries for name in entry.cell.axes})
    details = Details(results)
    rows = [_row(place, group, axes) | details.of(place.entry) for group in groups for place in group.places]
    columns = [*_IDENTITY, *map(_of_axis, axes), *_MEASURED, *map(_of_step, details.steps)]
    return pd.DataFrame(rows, columns=columns)


def _of_axis(name: str) -> str:
    return f"axis_{wording.clean(name)}"


def _of_step(name: str) -> str:
    return f"step_{wording.clean(name)}_s"


def meanings(table: pd.DataFrame) -> str:
    """What each column of the table is, as comma-separated text."""
    rows = [(name, _meaning(name)) for name in table.columns]
    return pd.DataFrame(rows, columns=["column", "meaning"]).to_csv(index=False, lineterminator="\n")


def _meaning(column: str) -> str:
    if column.startswith("axis_"):
        return f"the size on the axis {column.removeprefix('axis_')}"
    if column.startswith("step_"):
        return f"{column.removeprefix('step_').removesuffix('_s')} within a watched training step, seconds"
    return MEANINGS[column]


def csv(table: pd.DataFrame) -> str:
    """As comma-separated text, times in seconds."""
    return table.to_csv(index=False, lineterminator="\n")


def jsonl(table: pd.DataFrame) -> str:
    """As JSON Lines, times in seconds; null where there is nothing."""
    rows = table.astype(object).where(table.notna() & (table != ""), None).to_dict("records")
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


MEANINGS = {
    "run": "the run's name, where a page holds several",
    "cell": "the cell's identity",
    "model": "which network",
    "framework": "which framework, and its backend",
    "variant": "spec, or a named change of the specification",
    "device": "where it ran",
    "threads": "threads on the CPU",
    "precision": "number type of the arithmetic",
    "mode": "plain: as its documentation teaches; tuned: as its expert would ship it",
    "phase": "what is timed",
    "status": "measured, or why not",
    "standing": "ranked, own variant, beside the ranking, not proved, impossible (faster than any product here), or no time",
    "rank": "among its like; 2-3 where the order was not settled",
    "time_s": "seconds per call: the median of the block medians",
    "time_low_s": "lower end of its 95% interval",
    "time_high_s": "upper end of its 95% interval",
    "blocks": "fresh processes behind it",
    "rounds": "timed rounds behind it",
    "samples_per_s": "samples per second",
    "tokens_per_s": "tokens per second, where the inputs are tokens",
    "spread_between": "standard deviation of the block medians over their mean",
    "p50_s": "half of a block's rounds took at most so many seconds per call; the median over the blocks",
    "p99_s": "99% of a block's rounds took at most so many seconds per call; the median over the blocks",
    "cpu_s": "processor seconds per call, user and system, of all threads, spinning ones included: the median of the block medians; over time_s, how many cores were busy",
    "ratio_to_best": "time over that of the fastest of its group, round by round",
    "ratio_low": "lower end of its 95% interval",
    "ratio_high": "upper end of its 95% interval",
    "verdict": "against the fastest: slower, tied, not settled; of the fastest itself what holds against all",
    "flops": "floating-point operations of the call's matrix products",
    "least_bytes": "bytes that a call must move at least",
    "floor_s": "the products at the library's best rate and the bytes at the best copy's, seconds",
    "efficiency": "floor over time",
    "efficiency_low": "lower end of its 95% interval",
    "efficiency_high": "upper end of its 95% interval",
    "import_s": "importing the framework, alone, once, seconds",
    "first_call_s": "the first call, in the first block, seconds",
    "second_call_s": "the second call, likewise",
    "installed_bytes": "on disk, with all that it requires",
    "host_before_bytes": "held by the process before training, in a process where nothing is timed",
    "host_peak_bytes": "its peak while training",
    "device_before_bytes": "held on the device before training",
    "device_peak_bytes": "its peak on the device",
    "joules_per_sample": "energy of training, idle included",
    "reason": "why there is no time or no rank",
}
"""What each column is."""

_IDENTITY = ("cell", "model", "framework", "variant", "device", "threads", "precision", "mode", "phase")
_MEASURED = tuple(name for name in MEANINGS if name not in ("run", *_IDENTITY))


class Details:
    """What is known of a cell besides its times: floors, costs, steps."""

    def __init__(self, results: Results) -> None:
        of_each = [results.of(network.model) for network in results.run.networks]
        self.floors = {floor.entry.id: floor for of in of_each for floor in roofline.floors(of)}
        self.imports = {start.who: start.import_s for start in results.starts}
        self.installed = {record.framework: record.bytes for record in results.installed}
        self.resources = {(record.who, size_order(record.axes)): record for record in results.resources}
        self.watched = {(times.who, size_order(times.axes)): times for times in step_times.times(results)}
        self.steps = list(dict.fromkeys(step for times in self.watched.values() for step in times.steps))

    def of(self, entry: CellResult) -> dict[str, object]:
        """By column."""
        cell, floor = entry.cell, self.floors.get(entry.id)
        known: dict[str, object] = {
            "import_s": self.imports.get(implementation_of(cell.who)),
            "installed_bytes": self.installed.get(cell.who.framework),
            **dict(zip(("first_call_s", "second_call_s"), entry.first_calls, strict=True)),
        }
        if floor:
            known |= {
                "flops": floor.flops,
                "least_bytes": floor.least_bytes,
                "floor_s": floor.products_s + floor.bytes_s,
            }
            known |= _numbers(("efficiency", "efficiency_low", "efficiency_high"), floor.efficiency)
        return known | (self._of_training(entry) if cell.phase == "train_step" else {})

    def _of_training(self, entry: CellResult) -> dict[str, object]:
        key = entry.cell.who, size_order(entry.cell.axes)
        known: dict[str, object] = {}
        if record := self.resources.get(key):
            for place, peak in (("host", record.host), ("device", record.device)):
                known |= {f"{place}_before_bytes": peak.before_bytes, f"{place}_peak_bytes": peak.peak_bytes}
            energy = record.energy
            known["joules_per_sample"] = energy.joules / energy.samples if energy.joules and energy.samples else None
        times = self.watched.get(key)
        return known | ({_of_step(name): spent.value for name, spent in times.steps.items()} if times else {})


def _numbers(names: tuple[str, str, str], estimate: Estimate | None) -> dict[str, object]:
    """A value and the ends of its interval, by column."""
    return dict(zip(names, (estimate.value, *estimate.interval), strict=True)) if estimate else {}


def spread(entry: CellResult) -> float | None:
    """Standard deviation of the block medians over their mean; None of one block."""
    medians = list(entry.medians.values())
    return float(np.std(medians, ddof=1) / np.mean(medians)) if len(medians) > 1 else None


def _row(place: Placement, group: ComparisonGroup, axes: list[str]) -> dict[str, object]:
    entry, cell, time = place.entry, place.entry.cell, place.entry.time
    ratio = Estimate(1.0, 1.0, 1.0, 1) if place.is_reference else place.comparison.ratio if place.comparison else None
    names = {"cell": cell.id, "phase": cell.phase, **cell.who.model_dump(exclude={"threads"}), "reason": entry.reason}
    quantiles = [np.quantile(rounds, (0.5, 0.99)) for rounds in entry.rounds.values()]
    return {
        **{name: wording.clean(text) for name, text in names.items()},
        "threads": cell.who.threads,
        **{_of_axis(name): cell.axes.get(name, "") for name in axes},
        "status": entry.status,
        "standing": entry.standing,
        "rank": rank(place),
        **_numbers(("time_s", "time_low_s", "time_high_s"), time),
        "blocks": len(entry.medians),
        "rounds": sum(map(len, entry.rounds.values())),
        "samples_per_s": entry.samples_per_call / time.value if time else None,
        "tokens_per_s": entry.tokens_per_call / time.value if time and entry.tokens_per_call else None,
        "spread_between": spread(entry),
        **(dict(zip(("p50_s", "p99_s"), np.median(quantiles, axis=0).tolist(), strict=True)) if quantiles else {}),
        "cpu_s": entry.cpu_s,
        **_numbers(("ratio_to_best", "ratio_low", "ratio_high"), ratio),
        "verdict": verdict(place, group),
    }


def rank(place: Placement) -> str:
    """ "1", or "2-3" where the order was not settled, or nothing."""
    if place.ranks is None:
        return ""
    best, worst = place.ranks
    return str(best) if best == worst else f"{best}-{worst}"


def verdict(place: Placement, group: ComparisonGroup) -> str:
    """What may be said of an entry; of the reference, what may be said of all its rivals together."""
    if not place.is_reference:
        return ranking.verdict(place) if place.comparison and place.entry.standing != "beside" else ""
    if not group.rivals:
        return "alone"
    if group.with_verdict("not settled", "not compared"):
        return "not settled"
    return "tied" if group.with_verdict("tied") else "fastest"
