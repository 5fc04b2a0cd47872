"""Which cells are proved where their rounds ended."""

from benchmarks.worker import afterwards
from tests.support.synthetic import cell


def test_each_cell_of_a_small_network_is_proved_again_and_of_a_large_one_its_training_step() -> None:
    phases = ("train_step", "predict", "epoch", "products")
    cells = [cell("numpy", phase, batch) for batch in (1, 2, 3) for phase in phases]
    flops = {1: 1e6, 2: 5e9, 3: 5e10}
    proved = afterwards.proved(cells, lambda one: flops[int(one.axes["batch"])])
    assert {(one.axes["batch"], one.phase) for one in proved} == {
        (1, "train_step"), (1, "predict"), (1, "epoch"), (2, "train_step"),
    }  # fmt: skip


def test_six_blocks_in_a_row_prove_each_once_whatever_else_their_processes_hold() -> None:
    cells = [
        cell(name, phase, batch)
        for name in ("numpy", "torch")
        for phase in ("train_step", "predict")
        for batch in (1, 2, 3)
    ]
    turns = {one.id: [block for block in range(12) if afterwards.is_turn(one, block)] for one in cells}
    assert all(second - first == 6 for first, second in turns.values())
    assert len({first for first, _ in turns.values()}) > 3
