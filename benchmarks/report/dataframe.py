"""The results as one flat table: a row per cell, numbers unrounded. What results.csv and results.jsonl hold."""

import json
from collections.abc import Sequence

import pandas as pd

from benchmarks import wording
from benchmarks.analysis import ranking, roofline
from benchmarks.analysis.ranking import ComparisonGroup, Place
from benchmarks.analysis.results import Results
from benchmarks.analysis.roofline import Floor


def cells(results: Results, groups: Sequence[ComparisonGroup]) -> pd.DataFrame:
    """One row per cell of these groups. Where there is no time, no ratio or no interval, there is no number."""
    axes = sorted({name for entry in results.entries for name in entry.cell.axes})
    floor_of = {floor.entry.id: floor for floor in roofline.floors(results)}
    rows = [_row(place, group, axes, floor_of.get(place.entry.id)) for group in groups for place in group.places]
    columns = list(_IDENTITY) + [f"axis_{wording.clean(name)}" for name in axes] + list(_MEASURED)
    return pd.DataFrame(rows, columns=columns)


def csv(table: pd.DataFrame) -> str:
    """As comma-separated text, times in seconds."""
    return table.to_csv(index=False, lineterminator="\n")


def jsonl(table: pd.DataFrame) -> str:
    """As JSON Lines, times in seconds; null where there is nothing."""
    rows = table.astype(object).where(table.notna() & (table != ""), None).to_dict("records")
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


_IDENTITY = ("cell", "model", "framework", "variant", "device", "threads", "precision", "mode", "phase")
_TIME = ("time_s", "time_low_s", "time_high_s", "blocks", "rounds", "samples_per_s")
_RATIO = ("ratio_to_best", "ratio_low", "ratio_high", "verdict")
_FLOOR = ("flops", "least_bytes", "floor_s", "efficiency", "efficiency_low", "efficiency_high")
_MEASURED = ("status", "standing", "rank", *_TIME, *_RATIO, *_FLOOR, "reason")


def _row(place: Place, group: ComparisonGroup, axes: list[str], floor: Floor | None) -> list[object]:
    entry, cell, who = place.entry, place.entry.cell, place.entry.cell.who
    names = (cell.id, who.model, who.framework, who.variant, who.device)
    identity = [*map(wording.clean, names), who.threads, *map(wording.clean, (who.precision, who.mode, cell.phase))]
    time, ratio = entry.time, place.comparison.ratio if place.comparison else None
    return [
        *identity,
        *(cell.axes.get(name, "") for name in axes),
        entry.status,
        entry.standing,
        rank(place),
        time.value if time else None,
        *(time.interval if time else (None, None)),
        len(entry.medians),
        entry.round_count,
        entry.samples_per_call / time.value if time else None,
        1.0 if place.is_reference else ratio.value if ratio else None,
        *(ratio.interval if ratio else (None, None)),
        verdict(place, group),
        *_floor(floor),
        wording.clean(entry.reason),
    ]


def _floor(floor: Floor | None) -> list[object]:
    if floor is None:
        return [None] * len(_FLOOR)
    seconds, efficiency = floor.products_s + floor.bytes_s, floor.efficiency
    return [floor.flops, floor.least_bytes, seconds, efficiency.value, *efficiency.interval]


def rank(place: Place) -> str:
    """ "1", or "2-3" where the order was not settled, or nothing."""
    if place.ranks is None:
        return ""
    best, worst = place.ranks
    return str(best) if best == worst else f"{best}-{worst}"


def verdict(place: Place, group: ComparisonGroup) -> str:
    """What may be said of an entry; of the reference, what may be said of all its rivals together."""
    if not place.is_reference:
        return ranking.verdict(place) if place.comparison and place.entry.standing != "beside" else ""
    if not group.rivals:
        return "alone"
    if group.with_verdict("inconclusive", "not compared"):
        return "inconclusive"
    return "tied" if group.with_verdict("tied") else "fastest"
