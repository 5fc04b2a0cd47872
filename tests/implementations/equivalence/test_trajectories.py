"""Many steps in a row: what a free run is asked of, and what takes its place."""

import types
from dataclasses import replace
from typing import Any
from unittest import mock

import numpy as np
import pytest

from implementations import initialisation
from implementations.contract import Batch
from implementations.equivalence import tolerances, trajectories
from implementations.equivalence.kit import BATCHES, FREE_STEPS, Kit
from implementations.equivalence.repetition import Start
from implementations.frameworks import numpy_adapter
from implementations.mlp.mlp_numpy import MLP
from implementations.mlp.spec import MLPSpec
from tests.support.mlp.cases import SMALL
from tests.support.mlp.small_models import Oracle

SPEC = MLPSpec().changed(**SMALL, precision="float64")


@pytest.mark.parametrize(("changes", "chaotic"), [({}, False), ({"batch": 2}, True), ({"batch_norm": False}, False)])  # fmt: skip
def test_a_network_is_chaotic_where_rounding_alone_leads_it_astray(changes: dict, chaotic: bool) -> None:
    spec = SPEC.changed(**changes)
    candidate = Kit("mlp", "numpy", numpy_adapter, "cpu").candidate(spec)
    batches = initialisation.batches(spec, BATCHES)
    start = Start("free run", initialisation.hot_state(spec), batches[0])
    assert trajectories.is_chaotic(candidate, Oracle(spec), start, batches, FREE_STEPS) is chaotic


@pytest.mark.parametrize(("changes", "run"), [({}, "free run"), ({"batch": 2}, "restarted run")])
def test_where_a_free_run_says_nothing_each_step_is_judged_by_itself(changes: dict, run: str) -> None:
    kit, spec = Kit("mlp", "numpy", numpy_adapter, "cpu", "tuned"), SPEC.changed(**changes)
    checks = kit.trajectory(kit.candidate(spec))
    assert {check.check for check in checks} == {run}
    assert [check for check in checks if not check.passed] == []
    if run == "restarted run":
        misled = kit.trajectory(kit.candidate(spec), FREE_STEPS)
        assert {check.check for check in misled} == {"free run"}
        assert not all(check.passed for check in misled), "the same run judged at its end would have failed"


class Shaky(MLP):
    """An implementation whose rounding is another one in every run."""

    chance = np.random.default_rng()

    def train_step(self, batch: Batch) -> Any:
        loss = super().train_step(batch)
        bias = self.w["output.bias"]
        bias += (np.finfo(bias.dtype).eps * self.chance.standard_normal(bias.shape)).astype(bias.dtype)
        return loss


@pytest.mark.parametrize("switch", [True, False])
def test_two_runs_that_differ_are_not_deterministic(switch: bool) -> None:
    adapter = types.SimpleNamespace(to_device=numpy_adapter.to_device, to_host=numpy_adapter.to_host)
    if switch:
        adapter.make_deterministic = lambda: None
    kit = Kit("mlp", "numpy", adapter, "cpu")
    assert all(check.passed for check in kit.determinism(kit.candidate(SPEC)))
    kit.model_class = Shaky
    timed, deterministic = kit.determinism(kit.candidate(SPEC))
    assert (timed.group, timed.passed) == ("spread as timed", True)
    assert (deterministic.group, deterministic.passed) == ("spread when deterministic", False)


NO_FORM = "index_add does not have a deterministic implementation"


@pytest.mark.parametrize(
    ("device", "says", "is_told"),
    [("cuda:0", NO_FORM, True), ("cuda:0", "out of memory", False), ("cpu", NO_FORM, False)],
)
def test_on_a_gpu_an_operation_without_a_deterministic_form_is_told_and_nothing_else_is(
    device: str, says: str, is_told: bool
) -> None:
    class Refusing(MLP):
        deterministic = False

        def train_step(self, batch: Batch) -> Any:
            if self.deterministic:
                raise RuntimeError(f"{says}\nand more")
            return super().train_step(batch)

    adapter = types.SimpleNamespace(**vars(numpy_adapter))
    adapter.make_deterministic = lambda: setattr(Refusing, "deterministic", True)
    kit = Kit("mlp", "numpy", adapter, device)
    kit.model_class = Refusing
    candidate = kit.candidate(SPEC)
    if not is_told:
        with pytest.raises(RuntimeError, match=says):
            kit.determinism(candidate)
        return
    timed, refused = kit.determinism(candidate)
    assert timed.group == "spread as timed"
    assert (refused.group, refused.passed) == ("no deterministic form", True)
    assert refused.tensor == f"RuntimeError: {NO_FORM}"


class Early(MLP):
    """Drops nothing any more from its 20th step after a load on."""

    since = 0

    def load_state(self, state: Any) -> None:
        super().load_state(state)
        self.since = 0

    def train_step(self, batch: Batch) -> Any:
        self.since += 1
        return super().train_step(batch)

    def mask(self, name: str, shape: tuple[int, ...], rate: float) -> Any:
        return super().mask(name, shape, rate if self.since < 20 else 0.0)


class Breaking(Early):
    """Its numbers are none any more from the 60th step after a load on."""

    def mask(self, name: str, shape: tuple[int, ...], rate: float) -> Any:
        return MLP.mask(self, name, shape, rate)

    def train_step(self, batch: Batch) -> Any:
        loss = super().train_step(batch)
        if self.since == 60:
            self.w["output.weight"][...] = np.nan
        return loss


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize(("kind", "told"), [(MLP, set()), (Early, {"mask keep rate"}), (Breaking, {"numbers"})])
def test_what_happens_many_steps_after_a_load_is_told(kind: type[MLP], told: set[str], precision: str) -> None:
    kit, spec = Kit("mlp", "numpy", numpy_adapter, "cpu"), SPEC.changed(precision=precision)
    kit.model_class = kind
    candidate = kit.candidate(spec)
    checks = [*kit.trajectory(candidate), *kit.lifetime(candidate)]
    failed = {check.group for check in checks if not check.passed}
    assert told <= failed
    assert bool(told) == bool(failed)


class Tiring(MLP):
    """Learns nothing any more from a certain step of its life on, whatever is loaded."""

    steps = 0

    def train_step(self, batch: Batch) -> Any:
        self.steps += 1
        before = self.state()
        loss = super().train_step(batch)
        if self.steps > 1500:
            self.load_state(before)
        return loss


def test_what_shows_after_many_calls_of_one_object_is_noticed() -> None:
    spec = SPEC.changed(precision="float32")
    kit = Kit("mlp", "numpy", numpy_adapter, "cpu")
    assert all(check.passed for check in kit.lifetime(kit.candidate(spec)))
    failed = {check.group for check in kit.lifetime(kit.candidate(spec, Tiring(spec))) if not check.passed}
    assert "change of parameters" in failed


def test_where_training_diverges_that_is_said_and_fails_nothing() -> None:
    spec = SPEC.changed(precision="float32", batch_norm=False, optimizer={"kind": "sgd", "learning_rate": 1e9})
    kit = Kit("mlp", "numpy", numpy_adapter, "cpu")
    with np.errstate(all="ignore"):
        (check,) = kit.lifetime(kit.candidate(spec))
    assert (check.group, check.tensor, check.passed) == (tolerances.NOT_CERTIFIED, "training diverges", True)


def test_numbers_that_are_none_in_a_state_that_still_learns_are_no_excuse() -> None:
    class Poisoned(MLP):
        def state(self) -> Any:
            return super().state() | {"velocity:output.bias": np.full(self.spec.classes, np.nan)}

    spec = SPEC.changed(precision="float32")
    (check,) = (kit := Kit("mlp", "numpy", numpy_adapter, "cpu")).lifetime(kit.candidate(spec, Poisoned(spec)))
    assert (check.group, check.passed) == ("numbers", False)


def test_a_state_in_which_nothing_can_be_certified_is_said_and_fails_nothing() -> None:
    spec = SPEC.changed(precision="float32")
    kit = Kit("mlp", "numpy", numpy_adapter, "cpu")
    candidate = kit.candidate(spec)
    candidate.model.load_state(initialisation.hot_state(spec))
    uncertain = tolerances.Check("here", tolerances.CERTIFIABLE, "loss", 1.0, tolerances.MOST_BUDGET)
    with mock.patch.object(trajectories, "next_step", return_value=[uncertain]):
        checks = kit.from_here(candidate, "here", initialisation.batches(spec, 1)[0])
    (check,) = (check for check in checks if not check.group.startswith("mask "))
    assert (check.group, check.error, check.passed) == (tolerances.NOT_CERTIFIED, 1.0, True)


class Wrong(MLP):
    """Its logits are off by a thousandth."""

    def predict(self, batch: Batch) -> Any:
        return super().predict(batch) * np.float32(1.001)


@pytest.mark.parametrize("judged", [trajectories.next_step, trajectories.next_prediction])
def test_what_fails_with_few_runs_behind_its_budget_is_asked_again_with_all(judged: Any) -> None:
    spec, asked, judge = SPEC.changed(precision="float32"), list[int](), Start.judge

    def severe(self: Start, *what: Any) -> Any:
        asked.append(self.perturbed)
        checks = judge(self, *what)
        return [replace(check, budget=0.0) for check in checks] if self.is_brief else checks

    for model, equal in ((MLP(spec), True), (Wrong(spec), False)):
        candidate = Kit("mlp", "numpy", numpy_adapter, "cpu").candidate(spec, model)
        model.load_state(initialisation.hot_state(spec))
        with mock.patch.object(Start, "judge", severe):
            checks = judged(candidate, Oracle(spec), "here", initialisation.batches(spec, 1)[0])
        assert all(check.passed for check in checks) is equal
    assert set(asked) == {tolerances.FEW_PERTURBATIONS, tolerances.PERTURBATIONS}
