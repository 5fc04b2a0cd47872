"""Records to results: a run, sorted by what its records speak of. Reads nothing and renders nothing."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from typing import Any

from benchmarks.analysis import impossible_times
from benchmarks.analysis.cell_results import CellResult, Timed, entries
from benchmarks.plan import remaining
from benchmarks.records.configuration import size_order
from benchmarks.records.record import (
    BlockRecord,
    Configuration,
    InstalledRecord,
    LearningRecord,
    ProofRecord,
    Record,
    ResourceRecord,
    RunRecord,
    SourceRecord,
    StartRecord,
    StepsRecord,
    TimingRecord,
    UntrainedRecord,
    WorkerRecord,
)
from benchmarks.records.records_file import run_of, standing
from benchmarks.records.run_record import NetworkRecord


@dataclass(frozen=True)
class Results:
    """A run, ready to be shown."""

    run: RunRecord
    entries: Sequence[CellResult]
    proofs: Sequence[ProofRecord]
    workers: Sequence[WorkerRecord]
    timings: Sequence[TimingRecord]
    blocks: Sequence[BlockRecord]
    controls: Sequence[TimingRecord]
    """The null control's timings, which are no results."""

    learning: Sequence[LearningRecord]
    untrained: Sequence[UntrainedRecord]
    profiles: Sequence[StepsRecord]
    """Where training steps spend their time; watched, never ranked."""

    starts: Sequence[StartRecord]
    installed: Sequence[InstalledRecord]
    resources: Sequence[ResourceRecord]
    lacking_costs: Sequence[Configuration]
    """Timed implementations of which some of the three above are still to be measured."""

    sources: Sequence[SourceRecord]
    problems: Sequence[str]
    environment: Mapping[str, Any]

    @property
    def network(self) -> NetworkRecord:
        """The network, where there is one; of several, first ask `of` for one."""
        (network,) = self.run.networks
        return network

    def of(self, model: str) -> "Results":
        """What belongs to one model: all there is, where the run has no other."""
        if len(self.run.networks) == 1:
            return self

        def kept(records: Sequence[Any]) -> list[Any]:
            return [record for record in records if record.who.model == model]

        cells = [cell for cell in self.run.cells if cell.who.model == model]
        absent = [row for row in self.run.absent if row.model == model]
        return replace(
            self,
            run=self.run.model_copy(update={"networks": [self.run.network(model)], "cells": cells, "absent": absent}),
            entries=[entry for entry in self.entries if entry.cell.who.model == model],
            timings=[timing for timing in self.timings if timing.cell.who.model == model],
            controls=[timing for timing in self.controls if timing.cell.who.model == model],
            proofs=kept(self.proofs),
            workers=kept(self.workers),
            learning=kept(self.learning),
            untrained=kept(self.untrained),
            profiles=kept(self.profiles),
            starts=kept(self.starts),
            resources=kept(self.resources),
            lacking_costs=[who for who in self.lacking_costs if who.model == model],
            sources=[source for source in self.sources if source.model == model],
        )

    @cached_property
    def several_devices(self) -> bool:
        """Whether labels must name the device."""
        return len({entry.cell.who.device for entry in self.entries}) > 1

    def holes(self) -> list[CellResult]:
        """Planned cells without a timing in some block."""
        return [entry for entry in self.entries if entry.planned and len(entry.medians) < self.block_count]

    @property
    def block_count(self) -> int:
        """Blocks that every planned cell should be in: those that were planned, and further ones that were measured whole."""
        return max(self.run.blocks, len(self.blocks))

    @property
    def blocks_measured(self) -> int:
        """Those that were measured whole; where none is, those that some cell was timed in."""
        return len(self.blocks) or max((len(entry.medians) for entry in self.entries), default=0)


CHANGED = "the code was changed while the run went on; what was recorded after the last whole block is left out."


def gather(records: Iterable[Record], problems: Sequence[str], environment: Mapping[str, Any]) -> Results:
    """Sort the records of one run by what they speak of."""
    by_kind: dict[str, list[Any]] = defaultdict(list)
    for record in standing(records):
        by_kind[record.kind].append(record)
    run = run_of(by_kind["run"])
    proofs = by_kind["proof"]
    timings, repeated = _timings(timing for timing in by_kind["timing"] if not timing.control)
    controls = [timing for timing in by_kind["timing"] if timing.control]
    blocks = _longest(by_kind["block"])
    return Results(
        run=run,
        entries=impossible_times.judged(entries(run, timings, by_kind["outcome"], proofs), blocks),
        proofs=proofs,
        workers=by_kind["worker"],
        timings=list(timings.values()),
        blocks=blocks,
        controls=_latest(controls, lambda timing: (timing.cell.comparison_group, timing.block)),
        learning=_latest(by_kind["learning"], lambda r: (r.who, r.block, r.seed, r.dropout)),
        untrained=_latest(by_kind["untrained"], lambda r: r.who),
        profiles=_latest(by_kind["steps"], lambda r: (r.who, size_order(r.axes), r.block)),
        starts=by_kind["start"],
        installed=by_kind["installed"],
        resources=by_kind["resources"],
        lacking_costs=list(remaining.costs(run.cells_with_costs, chain.from_iterable(by_kind.values()))),
        sources=by_kind["source"],
        problems=[*problems, *repeated, *[CHANGED][: len(by_kind["changed"])]],
        environment=environment,
    )


def _timings(records: Iterable[TimingRecord]) -> tuple[dict[Timed, TimingRecord], list[str]]:
    """By cell and block, and a sentence for each block of which cells are there twice.

    A resumed run repeats the block that it was stopped in: the later record belongs to the complete one.
    """
    timings: dict[Timed, TimingRecord] = {}
    again: dict[int, list[str]] = defaultdict(list)
    for timing in records:
        key = timing.cell.id, timing.block
        if key in timings:
            again[timing.block].append(key[0])
        timings[key] = timing
    return timings, [
        f"block {block} was timed again, for {cells[0]}{f' and {len(cells) - 1} more' if cells[1:] else ''}; the later timings are used."
        for block, cells in again.items()
    ]


def _longest(records: Iterable[BlockRecord]) -> list[BlockRecord]:
    """Of each block the attempt that took longest: another one repeated what had failed in it, and nearly all times are not of that."""
    return _latest(sorted(records, key=lambda record: (record.block, record.wall_s)), lambda record: record.block)


def _latest(records: Iterable[Any], key: Callable[[Any], Hashable]) -> list[Any]:
    """A resumed run repeats the block that it was stopped in: the later record belongs to the complete one."""
    return list({key(record): record for record in records}.values())
