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
