"""The CuPy implementation's logic, proved on a NumPy stand-in. The CUDA side is proved where there is a GPU.

Where there is none, the conformance tests of CuPy are counted as skipped, with the reason. Its faults are planted in
`tests/mutation`.
"""

import sys

import numpy as np
import pytest

from implementations.declarations import TRAINING, Mistake
from implementations.equivalence.tolerances import Check
from implementations.mlp.spec import MLPSpec
from tests.mutation import planting
from tests.mutation.planting import PlantedKit
from tests.support import fresh_process
from tests.support.cupy import numpy_stand_in
from tests.support.mlp.cases import CASES, SMALL


@pytest.fixture
def kit(monkeypatch: pytest.MonkeyPatch) -> PlantedKit:
    """`import cupy` gives the stand-in, and nothing is planted."""
    monkeypatch.setitem(sys.modules, "cupy", numpy_stand_in.module())
    return PlantedKit("cupy", None)


def failed(checks: list[Check]) -> list[Check]:
    return [check for check in checks if not check.passed]


@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize("case", CASES)
def test_the_logic_equals_the_oracles(kit: PlantedKit, case: str, precision: str) -> None:
    spec = MLPSpec().changed(**SMALL | CASES[case], precision=precision)
    assert not failed(kit.steps(kit.candidate(spec), [*kit.starts(spec), *kit.stress_starts(spec)]))


def test_a_thousand_steps_stay_with_the_oracle(kit: PlantedKit) -> None:
    spec = MLPSpec().changed(**SMALL, precision="float64")
    assert not failed(kit.trajectory(kit.candidate(spec), 1000))


WATCH = """
import sys
from tests.support.cupy import numpy_stand_in
sys.modules["cupy"] = numpy_stand_in.module()
from implementations import initialisation, watching
from implementations.mlp.mlp_cupy import MLP
from implementations.mlp.spec import MLPSpec
from implementations.mlp.steps import STEPS
spec, begun, ended = MLPSpec(batch=32), [], []
model, (batch,) = MLP(spec), initialisation.batches(spec, 1)
model.load_state(initialisation.initial_state(spec))
with watching.watched(model, STEPS, begun.append, ended.append):
    model.train_step({name: numpy_stand_in.on_device(array) for name, array in batch.items()})
assert len(begun) == len(ended)
assert list(dict.fromkeys(begun)) == [step.name for step in STEPS], begun
"""
"""A process of its own: a module that is watched is one that others import, and would keep the stand-in."""


def test_every_step_can_be_watched() -> None:
    done = fresh_process.python("-c", WATCH)
    assert done.returncode == 0, done.stderr


def test_host_and_device_arrays_that_meet_are_noticed(kit: PlantedKit) -> None:
    """A slip that NumPy in CuPy's place would let through, were it not for the stand-in."""
    edits = (("cp.asnumpy(value) for name", "value for name"),)
    slip = Mistake("slip", "An array of the device is handed out.", TRAINING, {"cupy": edits})
    with pytest.raises(numpy_stand_in.Mixed):
        planting.noticed("cupy", slip, {}, "float32", everything=False)


def test_the_stand_in_keeps_host_and_device_apart() -> None:
    with pytest.raises(numpy_stand_in.Mixed):
        numpy_stand_in.on_device(np.ones(3)) + np.ones(3)
    assert isinstance(numpy_stand_in.on_device(np.ones(3)) + 1, numpy_stand_in.DeviceArray)
