"""How long a run takes knows the network and the data; a budget is kept by giving up rounds, then sizes, each with its reason."""

from dataclasses import replace
from typing import Any

import pytest

from benchmarks import system
from benchmarks.plan import cells as plans
from benchmarks.plan import estimate
from benchmarks.plan.cells import Plan
from benchmarks.plan.estimate import RunEstimate, within
from benchmarks.plan.profiles import PROFILES
from benchmarks.plan.request import Request
from benchmarks.worker import afterwards
from implementations import data
from implementations.contract import Spec
from implementations.equivalence import strays, tolerances
from implementations.errors import BadInput
from implementations.mlp.spec import SAMPLES, MLPSpec

SPEC = MLPSpec.preset("digits")


def estimate_of(spec: Spec, samples: int) -> RunEstimate:
    return RunEstimate({"mlp": spec}, {"mlp": samples})


DIGITS = estimate_of(SPEC, SAMPLES)
QUICK = PROFILES["quick"]


@pytest.fixture(autouse=True)
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """The estimate must not depend on this machine."""
    monkeypatch.setattr(system, "usable_cores", lambda: 2)


def make(profile: str = "quick", gpus: tuple[str, ...] = (), spec: Spec = SPEC, **options: Any) -> Plan:
    return plans.plan({"mlp": spec}, Request(PROFILES[profile], **{"threads": (2,)} | options), gpus)


def test_it_grows_with_cells_and_blocks() -> None:
    cells = make().cells
    assert DIGITS.run_s([], replace(QUICK, epochs=0)) == 0
    assert (
        0 < DIGITS.run_s(cells[:1], QUICK) < DIGITS.run_s(cells, QUICK) < DIGITS.run_s(cells, replace(QUICK, blocks=9))
    )
    assert DIGITS.run_s(cells, QUICK) < 240
    assert DIGITS.run_s(make("smoke").cells, PROFILES["smoke"]) < 30


def test_the_bundled_data_has_as_many_samples_as_a_command_that_does_not_load_it_believes() -> None:
    assert len(data.digits().y_train) == SAMPLES


def test_it_knows_how_many_steps_an_epoch_of_a_users_data_has() -> None:
    """A million rows are 7,812 steps of 128: at the 0.5 ms that a step here takes at least, 4 s an epoch; 20 epochs from 5 seeds."""
    cells = make(frameworks=("numpy",)).cells
    million = estimate_of(SPEC, 1_000_000)
    (epoch,) = [cell for cell in cells if cell.phase == "epoch"]
    assert million.call_s(epoch) > 4
    assert million.run_s(cells, QUICK) > 4 * (20 + QUICK.blocks * 8)
    assert DIGITS.run_s(cells, QUICK) < 60


def test_it_knows_how_large_the_network_is() -> None:
    """Ten million units of 64 inputs and 10 outputs at batch 512: 2.3e12 operations a step, a minute on two cores."""
    wide = estimate_of(SPEC.changed(hidden=(10_000_000,)), 0)
    cells = make(
        frameworks=("numpy",), phases=("train_step",), sets={"batch": [512]}, spec=wide.specs["mlp"], own_spec=True
    ).cells
    assert wide.call_s(cells[-1]) > 30
    assert wide.run_s(cells, PROFILES["smoke"]) > 600


def test_it_knows_the_proofs_constants() -> None:
    own = estimate.FEW_PERTURBATIONS, afterwards.LARGE_FLOPS
    assert own == (tolerances.FEW_PERTURBATIONS, strays.LARGE_FLOPS)


def test_proofs_of_large_networks_count() -> None:
    small, large = (
        make(frameworks=("numpy",), phases=("predict",), sets={"batch": [512], "width": [w]}).cells for w in (128, 4096)
    )
    once = [DIGITS.once_s(cells, replace(QUICK, epochs=0)) for cells in (small, large)]
    assert once[0] < 2
    assert once[1] > 20


def test_a_budget_buys_blocks_first() -> None:
    plan = make()
    for minutes in (4, 10, 60):
        fitted, profile = within(60 * minutes, plan, QUICK, DIGITS)
        assert fitted == plan
        assert DIGITS.run_s(plan.cells, profile) <= 60 * minutes
        assert DIGITS.run_s(plan.cells, replace(profile, blocks=profile.blocks + 1)) > 60 * minutes
        assert profile.rounds == QUICK.rounds


def test_a_small_budget_gives_up_rounds_and_then_sizes() -> None:
    plan = make(frameworks=("numpy", "torch"))
    six, three = (DIGITS.run_s(plan.cells, replace(QUICK, rounds=8, blocks=blocks)) for blocks in (6, 3))
    fitted, profile = within(six + 0.01, plan, QUICK, DIGITS)
    assert (fitted, profile.rounds, profile.blocks) == (plan, 8, 6)
    assert within(three + 0.01, plan, QUICK, DIGITS)[0] == plan
    fitted, profile = within(three - 0.5, plan, QUICK, DIGITS)
    gone = {cell.axes["batch"] for cell in plan.cells} - {cell.axes["batch"] for cell in fitted.cells}
    assert gone
    told = {row.framework: row for row in fitted.absent if row.reason.startswith(f"left out at batch {max(gone)}")}
    assert set(told) == {"numpy", "torch"}
    assert "--budget" in told["torch"].fix


def test_what_a_verdict_needs_is_planned_in_any_case_for_the_clock_may_find_room() -> None:
    plan = make(frameworks=("numpy", "torch"))
    three = DIGITS.run_s(plan.cells, replace(QUICK, rounds=8, blocks=3))
    assert within(three + 0.01, plan, QUICK, DIGITS)[1].blocks == 6


def test_where_giving_up_sizes_does_not_help_only_so_many_are_given_up_that_one_block_fits() -> None:
    """Starting and learning take most of this budget, whatever the sizes."""
    plan = make(frameworks=("numpy", "torch"))
    one = DIGITS.run_s(plan.cells, replace(QUICK, rounds=8, blocks=1))
    assert within(one + 0.01, plan, QUICK, DIGITS)[0] == plan
    with pytest.raises(BadInput, match="--budget: one block takes about"):
        within(1, plan, QUICK, DIGITS)


def test_nothing_fits_into_any_budget() -> None:
    assert within(10, Plan([], []), QUICK, DIGITS)[0] == Plan([], [])


def test_of_a_gpu_run_a_small_budget_leaves_out_the_largest_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "usable_cores", lambda: 16)
    plan = make("gpu", gpus=("one",), threads=(16,))
    fitted, _ = within(150, plan, PROFILES["gpu"], estimate_of(SPEC, SAMPLES))
    gone = [cell for cell in plan.cells if cell not in fitted.cells]
    assert (8192, 1024) in {(cell.axes["batch"], cell.axes["width"]) for cell in gone if cell.who.device == "cpu"}
    assert (32, 128) not in {(cell.axes["batch"], cell.axes["width"]) for cell in gone}


def test_the_gpu_profile_leaves_steps_beyond_60_gflop_to_the_gpu() -> None:
    mnist = MLPSpec.preset("mnist")
    plan = make("gpu", gpus=("one",), spec=mnist)
    on = {(c.who.device, c.axes["batch"], c.axes["width"]) for c in plan.cells if c.phase == "train_step"}
    assert ("cuda:0", 8192, 1024) in on
    assert ("cpu", 8192, 1024) not in on
    assert ("cpu", 512, 1024) in on
    reasons = {row.reason for row in plan.absent if row.framework == "numpy"}
    assert "left out at batch 8192, width 1024: a step takes more than 60 GFLOP." in reasons


def test_a_budget_never_leaves_out_the_networks_own_size() -> None:
    plan = make(sets={"batch": [32, 128, 512]}, phases=("train_step",), frameworks=("numpy", "torch"))
    least = DIGITS.run_s([c for c in plan.cells if c.axes["batch"] == 128], replace(QUICK, blocks=1, rounds=5))
    fitted, _ = within(least * 1.02, plan, QUICK, DIGITS)
    assert {cell.axes["batch"] for cell in fitted.cells} == {128}
