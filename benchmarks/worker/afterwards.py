"""Which cells are proved once more where their rounds ended. Light, for the estimate of a run counts them too."""

from collections.abc import Callable, Iterable

from benchmarks.records.record import FLOORS, Cell

LARGE_FLOPS, AFTERWARDS_FLOPS = 1e9, 2e10
"""Of a training step: from here on a proof takes seconds (as `strays` has it); and longer than a block may wait for it."""


def proved(cells: Iterable[Cell], flops: Callable[[Cell], float]) -> list[Cell]:
    """The cells of a process that are proved once more where their rounds ended, each in one of as many blocks as a verdict takes.

    Of a large network the training steps alone, of a very large one none. `flops` says what a training step of a cell takes.
    """
    timed = sorted((cell for cell in cells if cell.phase not in FLOORS), key=lambda cell: cell.id)
    return [c for c in timed if flops(c) < (AFTERWARDS_FLOPS if c.phase == "train_step" else LARGE_FLOPS)]
