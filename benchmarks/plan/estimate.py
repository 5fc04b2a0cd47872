"""How long a run takes on a quiet machine, and what fits into a budget: from the sizes of the network and of the data.

The rates are cautious ones of a slow two-core machine and of a small GPU. Deterministic, for a run that was stopped goes
on only where the same command plans the same again. No framework is imported.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from benchmarks import system
from benchmarks.plan.cells import Plan, left_out
from benchmarks.plan.profiles import Profile
from benchmarks.plan.schedule import (
    ALONE,
    VISITS,
    by_implementation,
    process_of,
    processes,
    rounds_for,
)
from benchmarks.records.configuration import Axes, size_order
from benchmarks.records.record import COPY, FLOORS, PEAK, Cell, Configuration
from benchmarks.verdict_rule import MIN_BLOCKS_FOR_VERDICT
from benchmarks.worker import afterwards
from benchmarks.worker.timing import STRETCH_S, WARM_ROUNDS
from implementations import registry
from implementations.catalogue import FRAMEWORKS, Framework
from implementations.contract import Spec
from implementations.errors import BadInput

CALL_S = 1e-3
"""A call before any work; and about what passing a turn on takes."""

BYTES_PER_S = {"cpu": 4e9, "cuda": 4e11}

FLOPS_PER_S = {"cpu": 2e10, "cuda": 5e12}
"""In float32: of one core, or of a GPU."""

PROOF_FLOPS_PER_S, LARGE_PROOF_FLOPS_PER_S = 1.5e10, 3e10
"""Of the oracle on one core: rounding at random included, and not."""

MOST_BLOCKS = 1000
FEWEST_BLOCKS = 3
"""What a budget gives up sizes for. The estimate is cautious: on a quicker machine more blocks fit."""

FEW_PERTURBATIONS = 4
"""As the proof has it (`tolerances`), which would import NumPy, and a plan is made without it."""

FIRST_CALLS, FIRST_EPOCHS = 35, 5
"""That the first block makes besides: two first ones, of all but an epoch some 20 that test the fence and some 10 that look whether
results are remembered.
"""

FLOOR_S = {"cpu": 0.01, "cuda": 0.03}
"""A large product or a large copy."""


@dataclass(frozen=True)
class RunEstimate:
    """Of runs with these networks, by model, on data with so many training samples (0: there are none)."""

    specs: Mapping[str, Spec]
    samples: Mapping[str, int]
    unnamed: Collection[str] = ()
    """Models that nobody named: a budget gives them up first, and their costs are not measured."""

    def run_s(self, cells: Sequence[Cell], profile: Profile) -> float:
        """Blocks, what the first of them does besides, and the costs after them."""
        blocks_s = profile.blocks * self.block_s(cells, profile)
        return blocks_s + self.once_s(cells, profile) + self.costs_s(cells, profile)

    def block_s(self, cells: Sequence[Cell], profile: Profile) -> float:
        """Workers start and prove side by side, then work through their cells in turn."""
        starts = [_start_s(whos[0]) for whos in processes(cell.who for cell in cells)]
        starting = max([*starts, sum(starts) / self.cores], default=0.0)
        turns = sum(self._cell_s(cell, profile) for cell in cells)
        return starting + self._proving_s(cells) + turns + self._afterwards_s(cells)

    def once_s(self, cells: Sequence[Cell], profile: Profile) -> float:
        """In the first block: compiling alone, a second proof, what all proofs share, learning."""
        sizes = _sizes(cells)
        compiling = sum(_compile_s(who) for who, _ in sizes)
        shared = {(who.model, who.precision, size_order(axes)): self._strays_s(who, axes) for who, axes in sizes}
        calls = sum(
            (FIRST_EPOCHS if cell.phase == "epoch" else FIRST_CALLS) * self.call_s(cell) + 3 * profile.round_s
            for cell in cells
        )
        return compiling + self._proving_s(cells) + sum(shared.values()) + calls + self._learning_s(cells, profile)

    def costs_s(self, cells: Sequence[Cell], profile: Profile) -> float:
        """Imports alone, then memory and energy, after the blocks, however many these are."""
        total = 0.0
        if not profile.costs:
            return total
        for who, its_cells in by_implementation(c for c in cells if c.who.model not in self.unnamed).items():
            steps = [cell for cell in its_cells if cell.phase == "train_step"]
            total += _start_s(who) + sum(0.2 + 12 * self.call_s(cell) for cell in steps)
            total += len(steps) * (who.device != "cpu")  # a second of energy each, where there is a counter
        return total

    def share_s(self, cells: Sequence[Cell], profile: Profile) -> float:
        """Roughly how many seconds a block is shorter without these cells, of which the floors stay."""
        timed = [cell for cell in cells if cell.phase not in FLOORS]
        return sum(self._cell_s(cell, profile) + self._proof_s(cell.who, cell.axes) / self.cores for cell in timed)

    def call_s(self, cell: Cell) -> float:
        """One call."""
        if cell.phase in (PEAK, COPY):
            return FLOOR_S[cell.who.device.partition(":")[0]]
        spec, kind = self._at(cell.who, cell.axes), cell.who.device.partition(":")[0]
        rate = FLOPS_PER_S[kind] * (cell.who.threads if kind == "cpu" else 1)
        calls = self.samples[cell.who.model] // spec.batch if cell.phase == "epoch" else 1
        phase = "predict" if cell.phase == "predict" else "train_step"
        work = spec.flops(phase) / rate + spec.least_bytes(phase) / BYTES_PER_S[kind]
        return float(calls * (CALL_S + work))

    @cached_property
    def cores(self) -> int:
        """Cores this process may use."""
        return system.usable_cores()

    def _at(self, who: Configuration, axes: Axes) -> Spec:
        return self.specs[who.model].changed(**axes)

    def _cell_s(self, cell: Cell, profile: Profile) -> float:
        """Its turns: the state put back, a pass to warm up, the round; before them a pilot, after them a call."""
        call = self.call_s(cell)
        round_s = max(profile.round_s, call)
        turns_s = (rounds_for(round_s, profile.rounds) + ALONE) * (2 * CALL_S + call + round_s)
        return max(STRETCH_S, 2 * call) + turns_s + (VISITS - 1) * CALL_S + call

    def _proving_s(self, cells: Sequence[Cell]) -> float:
        """Processes side by side, from one start each: the slowest, or all of them on the cores there are."""
        alone: dict[Configuration, float] = {}
        for who, axes in _sizes(cells):
            process = process_of(who)
            alone[process] = alone.get(process, 0.0) + self._proof_s(who, axes) + _compile_s(who) / 4
        return max([*alone.values(), sum(alone.values()) / self.cores], default=0.0)

    def _proof_s(self, who: Configuration, axes: Axes) -> float:
        """From one start, on one core: the oracle's step, with strays that are there."""
        moving = 20 * self._at(who, axes).least_bytes("train_step") / BYTES_PER_S["cpu"]
        return 0.1 + moving + 3 * self._flops(who, axes) / LARGE_PROOF_FLOPS_PER_S

    def _afterwards_s(self, cells: Sequence[Cell]) -> float:
        """Proofs from where the rounds ended, of one cell in six, one after the other."""
        flops = [self._flops(c.who, c.axes) for c in afterwards.proved(cells, lambda c: self._flops(c.who, c.axes))]
        runs = (2 + FEW_PERTURBATIONS) * sum(flops)
        return (0.05 * len(flops) + runs / PROOF_FLOPS_PER_S) / MIN_BLOCKS_FOR_VERDICT

    def _strays_s(self, who: Configuration, axes: Axes) -> float:
        """What the proofs of a network share, from two starts; of a large one on the cores of whoever comes first."""
        flops = self._flops(who, axes)
        side_by_side = min(who.threads, FEW_PERTURBATIONS) if flops >= afterwards.LARGE_FLOPS else 1
        return 2 * FEW_PERTURBATIONS * flops / PROOF_FLOPS_PER_S / side_by_side

    def _flops(self, who: Configuration, axes: Axes) -> float:
        return float(self._at(who, axes).flops("train_step"))

    def _learning_s(self, cells: Sequence[Cell], profile: Profile) -> float:
        """One training to the last epoch; the others end at the target, about half way."""
        epochs = profile.epochs * (1 + (profile.trainings - 1) / 2)
        whos = [
            who for who in by_implementation(cells) if not registry.is_peer(who.framework) and self.samples[who.model]
        ]
        epoch = [self.call_s(Cell(who=who, phase="epoch", axes=self.specs[who.model].axes())) for who in whos]
        return epochs * sum(epoch)


def within(budget_s: float, plan: Plan, profile: Profile, estimate: RunEstimate) -> tuple[Plan, Profile]:
    """The plan and the profile with as many blocks as the budget allows, and never fewer than a verdict needs.

    The run ends with its budget, and goes on when the same command is given again. Where by the estimate not three blocks
    fit, rounds are given up, then the sizes that take longest, each with its reason; if that does not help, as few of
    them as leave room for one block. A network's own size, or its last one, stays. Raises BadInput where not one block fits.
    """
    for fewest in (min(FEWEST_BLOCKS, profile.blocks), 1):
        cells, absent = list(plan.cells), list(plan.absent)
        fitted = _fit(budget_s, cells, profile, estimate)
        while fitted.blocks < fewest and (groups := _dispensable(cells, estimate)):
            costly = max(groups, key=lambda group: estimate.share_s([c for c in cells if _size_of(c) == group], fitted))
            why = f"it would take too much of a budget of {budget_s:.0f} s."
            absent += left_out([c for c in cells if _size_of(c) == costly], why, "Allow a larger --budget.")
            cells = [cell for cell in cells if _size_of(cell) != costly]
            fitted = _fit(budget_s, cells, profile, estimate)
        if fitted.blocks >= fewest or not cells:
            return Plan(cells, absent), replace(
                fitted, blocks=max(fitted.blocks, min(MIN_BLOCKS_FOR_VERDICT, profile.blocks))
            )
    least = estimate.run_s(cells, replace(fitted, blocks=1))
    raise BadInput(
        f"--budget: one block takes about {least:.0f} s with what follows it. Allow more, or choose fewer cells."
    )


def _dispensable(cells: Sequence[Cell], estimate: RunEstimate) -> list[tuple[object, ...]]:
    """Sizes that may be left out: those of networks that nobody named; then of each network and kind of device all but its own
    size, or but one where that is not there.
    """
    there = dict.fromkeys(map(_size_of, cells))
    unnamed = [size for size in there if size[0] in estimate.unnamed]
    if 0 < len(unnamed) < len(there):  # else -k has named them
        return unnamed
    of_each: dict[tuple[object, ...], list[tuple[object, ...]]] = {}
    for size in there:
        of_each.setdefault(size[:2], []).append(size)
    dispensable = []
    for (model, _), sizes in of_each.items():
        own = [size for size in sizes if size[2] == size_order(estimate.specs[str(model)].axes())] or sizes[:1]
        dispensable += [size for size in sizes if size not in own]
    return dispensable


def _fit(budget_s: float, cells: Sequence[Cell], profile: Profile, estimate: RunEstimate) -> Profile:
    blocks_s = budget_s - estimate.costs_s(cells, profile) - estimate.once_s(cells, profile)
    for rounds in range(profile.rounds, min(2 * WARM_ROUNDS, profile.rounds) - 1, -1):
        fitted = replace(profile, rounds=rounds)
        block_s = max(estimate.block_s(cells, fitted), CALL_S)
        if blocks_s >= MIN_BLOCKS_FOR_VERDICT * block_s:
            break
    return replace(fitted, blocks=min(max(int(blocks_s // block_s), 0), MOST_BLOCKS))


def _size_of(cell: Cell) -> tuple[object, ...]:
    """What a budget leaves out together: a size of a network on a kind of device."""
    return cell.who.model, cell.who.device.partition(":")[0], size_order(cell.axes)


def _sizes(cells: Sequence[Cell]) -> list[tuple[Configuration, Axes]]:
    """What is built and proved, each once: an implementation at a size."""
    axes_by_size = {(cell.who, size_order(cell.axes)): cell.axes for cell in cells}
    return [(who, axes) for (who, _), axes in axes_by_size.items()]


def _start_s(who: Configuration) -> float:
    framework = FRAMEWORKS.get(registry.base(who.framework))
    return framework.start_s if framework else Framework._field_defaults["start_s"]


def _compile_s(who: Configuration) -> float:
    framework = FRAMEWORKS.get(registry.base(who.framework))
    return framework.compile_s[who.mode == "tuned"] if framework else 0.0
