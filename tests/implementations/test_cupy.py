"""The CuPy implementation's logic, proved on a NumPy stand-in. The CUDA side is proved where there is a GPU.

Where there is none, the conformance tests of CuPy are counted as skipped, with the reason. Its faults are planted in
`tests/mutation`.
"""

import sys
from typing import Any

import numpy as np
import pytest

from implementations import initialisation, mistakes, registry
from implementations.catalogue import MODEL
from implementations.declarations import TRAINING, Mistake
from implementations.equivalence.tolerances import Check
from tests.mutation import planting
from tests.mutation.planting import PlantedKit
from tests.support import batches, cases, fresh_process
from tests.support.cupy import numpy_stand_in

MODELS = cases.models("cupy")
EVERY_CASE = [
    (model, case, precision)
    for model in MODELS
    for precision in ("float64", "float32")
    for case in cases.chosen(model, "numpy", precision) | {cases.of(model).IN_FULL: {}}
    if precision == "float32" or model == MODEL
]
"""In float64 the first model's: on the stand-in, which is NumPy, a number of another type shows in float32."""


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """`import cupy` gives it."""
    monkeypatch.setitem(sys.modules, "cupy", numpy_stand_in.module())


def spec_of(model: str, precision: str, case: str = "") -> Any:
    own = cases.of(model)
    return registry.part(model, "spec").Spec().changed(**own.SMALL | own.CASES.get(case, {}), precision=precision)


def failed(checks: list[Check]) -> list[Check]:
    return [check for check in checks if not check.passed]


@pytest.mark.parametrize(("model", "case", "precision"), EVERY_CASE)
def test_the_logic_equals_the_oracles(stand_in: None, model: str, case: str, precision: str) -> None:
    kit, spec = PlantedKit("cupy", None, model), spec_of(model, precision, case)
    assert not failed(kit.steps(kit.candidate(spec), [*kit.starts(spec), *kit.stress_starts(spec)]))


@pytest.mark.parametrize(("model", "steps"), [(MODELS[0], 1000), (MODELS[-1], 100)])
def test_many_steps_stay_with_the_oracle(stand_in: None, model: str, steps: int) -> None:
    own = cases.of(model)
    kit, spec = PlantedKit("cupy", None, model), spec_of(model, "float64").changed(**next(iter(own.RUNS.values())))
    assert not failed(kit.trajectory(kit.candidate(spec), steps))


WATCH = """
import sys
from tests.support.cupy import numpy_stand_in
sys.modules["cupy"] = numpy_stand_in.module()
from implementations import initialisation, watching
from implementations import registry
model = sys.argv[1]
spec, steps = registry.part(model, "spec").Spec(batch=32), registry.part(model, "steps")
begun, ended = [], []
model, (batch,) = registry.model_class(model, "cupy")(spec, "cuda:0"), initialisation.batches(spec, 1)
model.load_state(initialisation.initial_state(spec))
with watching.watched(model, steps.STEPS, begun.append, ended.append):
    model.train_step({name: numpy_stand_in.on_device(array) for name, array in batch.items()})
assert len(begun) == len(ended)
taken = steps.taken(spec) if hasattr(steps, "taken") else steps.STEPS
assert list(dict.fromkeys(begun)) == [step.name for step in taken], begun
"""
"""A process of its own: a module that is watched is one that others import, and would keep the stand-in."""


@pytest.mark.parametrize("model", MODELS)
def test_every_step_can_be_watched(model: str) -> None:
    done = fresh_process.python("-c", WATCH, model)
    assert done.returncode == 0, done.stderr


def test_host_and_device_arrays_that_meet_are_noticed(stand_in: None) -> None:
    """A slip that NumPy in CuPy's place would let through, were it not for the stand-in."""
    edits = (("cp.asnumpy(value) for name", "value for name"),)
    slip = Mistake("slip", "An array of the device is handed out.", TRAINING, {"cupy": edits})
    with pytest.raises(numpy_stand_in.Mixed):
        planting.noticed("cupy", slip, {}, "float32", everything=False)


def test_a_state_that_was_rounded_on_its_way_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """`make test` plants in float32 alone, where this changes nothing."""
    monkeypatch.setitem(sys.modules, "cupy", numpy_stand_in.generous())
    (rounded,) = (each for each in mistakes.of_model("mlp") if each.name == "state rounded to float32")
    assert planting.noticed("cupy", rounded, {}, "float64", everything=False)[0]


def test_the_stand_in_keeps_host_and_device_apart() -> None:
    with pytest.raises(numpy_stand_in.Mixed):
        numpy_stand_in.on_device(np.ones(3)) + np.ones(3)
    assert isinstance(numpy_stand_in.on_device(np.ones(3)) + 1, numpy_stand_in.DeviceArray)


@pytest.mark.parametrize("model", MODELS)
def test_its_branches_choose_what_numpys_choose(stand_in: None, model: str) -> None:
    kit, spec = PlantedKit("cupy", None, model), spec_of(model, "float64").changed(dropout=0.0)
    batch, candidate = batches.one(spec), kit.candidate(spec)
    in_numpy: Any = registry.model_class(model, "numpy")(spec)
    for each in (in_numpy, candidate.model):
        each.load_state(initialisation.hot_state(spec))
    in_cupy: Any = candidate.model
    of_numpy, of_cupy = in_numpy.choices(batch), in_cupy.choices(candidate.batch(batch))
    assert list(of_cupy) == list(of_numpy)
    assert all(np.array_equal(of_cupy[name], chosen) for name, chosen in of_numpy.items())
