"""Which cells are proved where their rounds ended."""

from types import SimpleNamespace
from typing import Any

from benchmarks.worker import afterwards
from benchmarks.worker.prover import Prover
from tests.support.synthetic import cell


def test_each_cell_of_a_small_network_is_proved_again_and_of_a_large_one_its_training_step() -> None:
    phases = ("train_step", "predict", "epoch", "products")
    cells = [cell("numpy", phase, batch) for batch in (1, 2, 3) for phase in phases]
    flops = {1: 1e6, 2: 5e9, 3: 5e10}
    proved = afterwards.proved(cells, lambda one: flops[int(one.axes["batch"])])
    assert {(one.axes["batch"], one.phase) for one in proved} == {
        (1, "train_step"), (1, "predict"), (1, "epoch"), (2, "train_step"),
    }  # fmt: skip


def test_six_blocks_prove_each_once_and_a_process_with_a_part_of_the_cells_proves_all_of_its_own() -> None:
    cells = [cell("numpy", phase, batch) for batch in (1, 2, 3, 4) for phase in ("train_step", "predict")]
    small: Any = SimpleNamespace(flops=lambda phase: 1e6)

    def turns(of: list[Any], block: int, proves_each: bool) -> list[str]:
        job = SimpleNamespace(block=block, proves_each=proves_each)
        prover: Any = SimpleNamespace(is_peer=False, cells=of, job=job, spec_at=lambda who, axes: small)
        return [one.id for one in of if Prover.is_its_turn(prover, one)]

    proved = [turns(cells, block, proves_each=False) for block in range(6)]
    assert sorted(name for names in proved for name in names) == sorted(one.id for one in cells)
    assert turns(cells[2:3], 2, proves_each=False) == []
    assert turns(cells[2:3], 2, proves_each=True) == [cells[2].id]
