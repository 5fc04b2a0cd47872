"""Whose turn it is: turn groups, the order within them, and how many rounds. Pure: no process, no clock.

A turn group holds cells that are compared with one another, at most one of each process. Its workers are alive together and
take one round each in turn, in an order drawn anew, so that whatever happens to the machine happens to all of them.
Where the waiting cannot be kept still, whole workers take turns instead, there and back (A B B A).
A part of a block, some groups, is visited several times, for a share of its rounds each: what the machine suffers for a second is
then in one visit.
"""

import math
import random
from collections.abc import Iterable, Sequence
from typing import Literal, TypeVar

from benchmarks.records.record import COPY, PEAK, Cell, Configuration, TimingRecord
from benchmarks.worker.timing import warmup_rounds

Seat = TypeVar("Seat")
Schedule = Literal["rounds", "workers"]

CELL_S, FEWEST_ROUNDS = 0.3, 5
"""A block spends about this long on a cell's rounds where a single call is long; between-block spread needs no more."""

BURN = 0.01
"""Processor time of the waiting, over the time they waited: above this they were not still."""

VISITS = 8
"""So often a block comes to each turn group. On two busy cores a visit's medians strayed by 7.6% more than its rounds explain, and processes by nothing:
the same 12 rounds in three visits told training steps apart as 2.4 times as many blocks did. Every further visit helps less, and costs
a group some 20 ms.
"""

GROUPS = 20
"""In a part at most: enough for seconds between two visits, and few of them, for a part's rounds are kept when its last visit is over."""

ALONE = 3
"""Rounds that a worker takes in a row at the end: compared with them, its turns show what taking turns costs."""


def implementation_of(who: Configuration) -> Configuration:
    """The one that follows the specification: a framework's variants of a network share its records."""
    return who.model_copy(update={"variant": "spec"})


def process_of(who: Configuration) -> Configuration:
    """Whose process an implementation runs in: a framework's networks and their variants share one, so that it is imported once."""
    return who.model_copy(update={"variant": "spec", "model": ""})


def by_implementation(cells: Iterable[Cell]) -> dict[Configuration, list[Cell]]:
    """Cells by their implementation, its variants included."""
    groups: dict[Configuration, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(implementation_of(cell.who), []).append(cell)
    return groups


def processes(whos: Iterable[Configuration]) -> list[list[Configuration]]:
    """Implementations by the process that they share."""
    groups: dict[Configuration, list[Configuration]] = {}
    for who in dict.fromkeys(whos):
        groups.setdefault(process_of(who), []).append(who)
    return list(groups.values())


def turn_groups(cells: Iterable[Cell], order: random.Random) -> list[list[Cell]]:
    """The cells in the order of this block. A second cell of the same process has its turns after the first's."""
    by_comparison: dict[tuple[str, ...], list[list[Cell]]] = {}
    for cell in cells:
        groups = by_comparison.setdefault(cell.comparison_group, [])
        process = process_of(cell.who)
        free = [group for group in groups if process not in {process_of(member.who) for member in group}]
        if not free:
            groups.append([])
            free = groups[-1:]
        free[0].append(cell)
    shuffled = list(by_comparison.values())
    order.shuffle(shuffled)
    return [group for groups in shuffled for group in groups]


def parts(groups: Sequence[list[Cell]]) -> list[tuple[int, list[list[Cell]]]]:
    """A block's turn groups by part, each with its number of visits. The large product and the large copy have one: their arrays are held
    meanwhile.
    """
    large = [group for group in groups if group[0].phase in (PEAK, COPY)]
    others = [group for group in groups if group not in large]
    size = math.ceil(len(others) / max(1, math.ceil(len(others) / GROUPS)))
    spread = [(VISITS, others[at : at + size]) for at in range(0, len(others), max(size, 1))]
    return [*spread, *([(1, large)] if large else [])]


def control(cells: Sequence[Cell], block: int, peers: Iterable[str] = ()) -> list[Cell]:
    """The null control of a block: the training steps of one process, of all its networks; another one in each block."""
    peers = set(peers)
    there = processes(c.who for c in cells if c.who.variant == "spec" and c.who.framework not in peers)
    if not there:
        return []
    cells_of_copy = [cell for cell in cells if cell.who in there[block % len(there)]]
    return [cell for cell in cells_of_copy if cell.phase == "train_step"] or cells_of_copy


def restless(timing: TimingRecord) -> bool:
    """Whether this worker was not still while it waited, so that in its group whole workers take turns from the next block on."""
    return timing.waiting_cpu_s > BURN * timing.waiting_s


def fastest_calls(timings: Iterable[TimingRecord]) -> dict[str, float]:
    """Seconds per call of each cell's fastest round in any block, the null control's too: what no stall has lengthened."""
    fastest: dict[str, float] = {}
    for timing in timings:
        fastest[timing.cell.id] = min([fastest.get(timing.cell.id, math.inf), *timing.per_call])
    return fastest


def rounds_for(round_s: float, most: int) -> int:
    """How many rounds, for a round that takes this long: fewer where one call alone is long, enough for a median."""
    return max(min(FEWEST_ROUNDS, most), min(most, math.floor(CELL_S / max(round_s, 1e-9))))


def rounds_of_visit(rounds: int, visit: int, visits: int, schedule: Schedule = "rounds") -> int:
    """How many of a cell's rounds belong to a visit, the first of which is 0. The warm-up to the first; the others share the rest, and of few
    rounds an early one has none. Whole workers have all theirs in the last.
    """
    further = visits - 1
    if schedule == "workers" or not further:
        return rounds if visit == further else 0
    rest = rounds - (warm := warmup_rounds(rounds))
    return rest * visit // further - rest * (visit - 1) // further if visit else warm


def sequence(seats: Sequence[Seat], rounds: int, schedule: Schedule, order: random.Random) -> list[Seat]:
    """Every turn of a turn group. By rounds: all once in a new order, again and again. By workers: their warm-up, then there and back, so that what
    counts of each lies around the same moment.
    """
    if schedule == "rounds":
        return [seat for _ in range(rounds) for seat in order.sample(seats, len(seats))]
    outward = order.sample(seats, len(seats))
    back = (rounds - (warm := warmup_rounds(rounds))) // 2
    legs = [(outward, warm), (outward, rounds - warm - back), (outward[::-1], back)]
    return [seat for seats_in_turn, many in legs for seat in seats_in_turn for _ in range(many)]


def alone(seats: Sequence[Seat], order: random.Random) -> list[Seat]:
    """The turns at the end that each seat takes in a row."""
    return [seat for seat in order.sample(seats, len(seats)) for _ in range(ALONE)]
