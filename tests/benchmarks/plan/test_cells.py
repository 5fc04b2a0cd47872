"""Which cells a request becomes, and what is refused or said to be absent."""

from typing import Any

import pytest

from benchmarks.plan import cells as plans
from benchmarks.plan.cells import Plan
from benchmarks.plan.profiles import PROFILES
from benchmarks.plan.request import Request
from benchmarks.records.record import COPY, PEAK, PRODUCTS, Cell
from implementations import registry
from implementations.contract import Spec
from implementations.errors import BadInput, Unavailable
from implementations.mlp import spec as mlp_spec
from implementations.mlp.spec import MLPSpec

SPEC = MLPSpec()
ALL = ("numpy", "torch", "jax", "keras-tensorflow", "keras-torch", "keras-jax", "cupy")


@pytest.fixture(autouse=True)
def everything_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plan must not depend on what this machine has."""
    monkeypatch.setattr(registry, "PACKAGES", dict.fromkeys(registry.PACKAGES, ("json",)))


def make(profile: str = "quick", gpus: tuple[str, ...] = (), spec: Spec = SPEC, **options: Any) -> Plan:
    return plans.plan({"mlp": spec}, Request(PROFILES[profile], **{"threads": (2,)} | options), gpus)


def sizes_of(cells: list[Cell], framework: str, phase: str, variant: str = "spec") -> list[tuple[int, int]]:
    return [
        (int(cell.axes["batch"]), int(cell.axes["width"]))
        for cell in cells
        if (cell.who.framework, cell.phase, cell.who.variant) == (framework, phase, variant)
    ]


def test_quick_has_three_sizes_and_one_prediction_of_a_single_sample() -> None:
    cells = make().cells
    three = [(32, 128), (128, 128), (512, 128)]
    for framework in ("numpy", "torch", "keras-tensorflow"):
        assert sizes_of(cells, framework, "train_step") == three
        assert sizes_of(cells, framework, "products") == [(128, 128)]
        assert sizes_of(cells, framework, "predict") == [(1, 128), *three]
        assert sizes_of(cells, framework, "epoch") == [(128, 128)]
    assert {cell.who.mode for cell in cells} == {"plain"}
    assert sizes_of(make("smoke").cells, "numpy", "products") == sizes_of(make("smoke").cells, "numpy", "train_step")


def test_full_sweeps_batch_and_width_of_every_framework() -> None:
    cells = make("full").cells
    assert {cell.who.framework for cell in cells} == {*ALL} - {"cupy"}
    for mode in registry.MODES:
        of_mode = [cell for cell in cells if cell.who.mode == mode]
        assert all(len(sizes_of(of_mode, framework, "train_step")) == 12 for framework in ("jax", "keras-jax"))
    assert len(sizes_of(cells, "jax", "products")) == 1


def test_modes_are_those_that_were_asked_for_or_the_profiles() -> None:
    def modes(**options: Any) -> set[str]:
        return {cell.who.mode for cell in make(**options).cells}

    assert modes() == {"plain"}
    assert modes(modes=("tuned",)) == {"tuned"}
    assert modes(modes=("plain", "tuned")) == {"plain", "tuned"}
    stock = [cell for cell in make(modes=("tuned",), frameworks=("keras-jax",)).cells if cell.who.variant != "spec"]
    assert stock == [], "stock Keras is Keras as it comes"


def test_both_modes_of_a_framework_take_turns_with_one_another() -> None:
    cells = make(modes=registry.MODES, frameworks=("numpy",), phases=("train_step",)).cells
    assert len({cell.comparison_group for cell in cells}) == 3
    assert len({cell.who for cell in cells}) == 2


def test_a_framework_without_the_mode_is_absent_or_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry.part("mlp", "spec"), "TUNED", ("numpy", "torch"))
    (absent,) = make(modes=("tuned",), profile="smoke", gpus=("GPU",)).absent
    assert (absent.framework, absent.reason) == ("cupy", "cupy has no tuned mode.")
    with pytest.raises(Unavailable, match="cupy has no tuned mode"):
        make(modes=("tuned",), frameworks=("cupy",), gpus=("GPU",))


def test_a_mode_that_no_gpu_has_proved_is_used_only_where_it_is_asked_for_by_name() -> None:
    def modes(**options: Any) -> set[str]:
        return {c.who.mode for c in make("full", gpus=("GPU",), **options).cells if c.who.framework == "cupy"}

    assert modes() == modes(modes=("plain", "tuned")) == modes(frameworks=("cupy",)) == {"plain"}
    assert modes(modes=("plain", "tuned"), frameworks=("cupy",)) == {"plain", "tuned"}
    (row,) = [row for row in make("full", gpus=("GPU",)).absent if row.framework == "cupy"]
    assert row.reason == "CuPy's tuned mode has never run on a GPU."
    assert "--framework cupy --mode tuned" in row.fix


def test_what_must_be_compiled_needs_a_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("implementations.registry.shutil.which", lambda name: None)
    plan = make("full", frameworks=())
    assert {c.who.mode for c in plan.cells if c.who.framework == "torch"} == {"plain"}
    assert [e.reason for e in plan.absent if e.framework == "torch"] == [
        "PyTorch tuned is compiled, and there is no C++ compiler."
    ]
    with pytest.raises(Unavailable, match="there is no C"):
        make(modes=("plain", "tuned"), frameworks=("torch",))


def test_a_coarse_precision_is_planned_where_framework_and_device_have_it() -> None:
    plan = make("full", gpus=("GPU",), precisions=("tf32", "bfloat16"))
    there = {(cell.who.framework, cell.who.device, cell.who.precision) for cell in plan.cells}
    assert {("torch", "cpu", "bfloat16"), ("torch", "cuda:0", "bfloat16"), ("torch", "cuda:0", "tf32")} <= there
    assert ("cupy", "cuda:0", "tf32") in there
    assert not {("torch", "cpu", "tf32"), ("cupy", "cuda:0", "bfloat16")} & there
    assert "numpy" not in {framework for framework, _, _ in there}
    reasons = {(entry.framework, entry.device, entry.reason) for entry in plan.absent}
    assert ("torch", "cpu", "tf32 is computed on cuda, not on cpu.") in reasons
    assert ("cupy", "cuda:0", "cupy is not offered in bfloat16.") in reasons
    assert "numpy" in {framework for framework, _, _ in reasons}


def test_a_coarse_precision_that_nothing_named_offers_is_an_error() -> None:
    with pytest.raises(Unavailable, match="tf32 is computed on cuda, not on cpu"):
        make(frameworks=("torch",), precisions=("tf32",))
    with pytest.raises(Unavailable, match="numpy is not offered in bfloat16"):
        make(frameworks=("numpy", "torch"), precisions=("bfloat16",))


def test_a_peer_stands_beside_every_mode() -> None:
    cells = make(modes=("tuned",), frameworks=("numpy", "scikit-learn"), phases=("train_step",)).cells
    assert {(cell.who.framework, cell.who.mode) for cell in cells} == {("numpy", "tuned"), ("scikit-learn", "plain")}
    assert len({cell.comparison_group for cell in cells}) == 3


def test_a_peer_is_timed_in_its_own_phases() -> None:
    cells = make("peers").cells
    phases = {name: {c.phase for c in cells if c.who.framework == name} for name in registry.PEERS}
    assert phases["peer-keras-fit"] == {"epoch"}
    assert phases["scikit-learn"] == {"train_step"}
    assert phases["peer-torch"] == {"train_step", "epoch"}


def test_peak_and_copy_are_timed_once_at_a_size_that_is_there_anyway() -> None:
    cells = make("full", frameworks=("numpy",), modes=("plain",), sets={"batch": [16, 64]}).cells
    for phase in ("peak", "copy"):
        assert sizes_of(cells, "numpy", phase) == [(16, 128)]
    assert {cell.axes["batch"] for cell in cells} == {16, 64}


def test_smoke_is_one_size_of_two_frameworks() -> None:
    cells = make("smoke").cells
    assert {cell.who.framework for cell in cells} == {"numpy", "torch"}
    assert sizes_of(cells, "numpy", "train_step") == [(32, 128)]
    assert sizes_of(cells, "numpy", "predict") == [(1, 128), (32, 128)]
    assert sizes_of(cells, "numpy", "epoch") == []


def test_stock_keras_runs_beside_in_the_training_step_of_the_specification_only() -> None:
    cells = make(frameworks=ALL[:-1]).cells
    stock = [cell for cell in cells if cell.who.variant == "stock"]
    assert {cell.who.framework for cell in stock} == {"keras-tensorflow", "keras-torch", "keras-jax"}
    assert {cell.phase for cell in stock} == {"train_step"}
    assert {(cell.axes["batch"], cell.axes["width"]) for cell in stock} == {(128, 128)}


def test_a_variant_asked_for_leaves_the_others_out() -> None:
    assert {cell.who.variant for cell in make(variants=("spec",)).cells} == {"spec"}
    stock = make(variants=("stock",)).cells
    assert {(cell.who.framework, cell.who.variant, cell.phase) for cell in stock} == {
        ("keras-tensorflow", "stock", "train_step")
    }
    assert len(stock) == 3


def test_filters_multiply() -> None:
    cells = make(
        frameworks=("numpy",), threads=(1, 2), precisions=("float32", "float64"), phases=("predict", "train_step")
    ).cells
    kinds = {(cell.who.threads, cell.who.precision, cell.phase) for cell in cells}
    assert kinds == {
        (t, p, phase) for t in (1, 2) for p in ("float32", "float64") for phase in ("predict", "train_step")
    }


def test_sets_multiply_and_replace_the_profiles_sizes() -> None:
    cells = make(frameworks=("numpy",), sets={"batch": [1, 8, 8], "width": [16, 32]}, phases=("predict",)).cells
    assert sizes_of(cells, "numpy", "predict") == [(1, 16), (1, 32), (8, 16), (8, 32)]


def test_a_network_of_ones_own_keeps_its_width() -> None:
    spec = MLPSpec(hidden=(40, 40))
    cells = make(frameworks=("numpy",), spec=spec, own_spec=True).cells
    assert sizes_of(cells, "numpy", "train_step") == [(128, 40), (32, 40), (512, 40)]


def every_network() -> list[Any]:
    """Each preset, and own ones with and without one common width, at a batch that no profile has, and at one."""
    own = [MLPSpec(batch=64), MLPSpec(batch=64, hidden=(40, 30)), MLPSpec(batch=1, batch_norm=False, hidden=(40, 20))]
    return [pytest.param(MLPSpec.preset(name), id=name) for name in MLPSpec.PRESETS] + [
        pytest.param(spec, id=str(spec.hidden)) for spec in own
    ]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("spec", every_network())
def test_every_phase_is_measured_at_the_networks_own_size_and_at_the_profiles_batches(
    profile: str, spec: MLPSpec
) -> None:
    cells = make(profile, spec=spec, own_spec=True, frameworks=("numpy",), gpus=()).cells
    own = spec.axes()
    assert len({cell.id for cell in cells}) == len(cells)
    batches = {size["batch"] for size in mlp_spec.SIZES.get(profile, ()) if "batch" in size}
    for phase in PROFILES[profile].phases:
        axes = [cell.axes for cell in cells if cell.phase == phase]
        if phase in (PEAK, COPY):
            assert len(axes) == len(PROFILES[profile].modes[:1])
            continue
        assert own in axes, phase
        if phase not in ("epoch", PRODUCTS):
            measured = {size["batch"] for size in axes if {**size, "batch": 0} == {**own, "batch": 0}}
            assert measured >= {
                b for b in batches if spec.changed(batch=b).flops("train_step") <= PROFILES[profile].cpu_flops
            }


def test_a_size_at_which_a_phase_cannot_run_is_a_hole_and_the_others_are_measured() -> None:
    made = make(frameworks=("numpy",), phases=("train_step", "predict"), sets={"batch": [1, 8, 64]})
    assert sizes_of(made.cells, "numpy", "predict") == [(1, 128), (8, 128), (64, 128)]
    assert sizes_of(made.cells, "numpy", "train_step") == [(8, 128), (64, 128)]
    with_floors = make(frameworks=("numpy",), sets={"batch": [1, 8, 64]}, profile="full").cells
    assert [cell.axes["batch"] for cell in with_floors if cell.phase == PEAK] == [8]
    (hole,) = made.absent
    assert hole.reason.startswith("left out at batch 1, width 128: batch: training with batch norm needs at least 2")


@pytest.mark.parametrize("profile", ["full", "gpu"])
def test_it_keeps_it_at_every_batch_of_a_profile_that_sweeps_widths(profile: str) -> None:
    spec = MLPSpec(hidden=(40, 40))
    cells = make(
        frameworks=("numpy",), spec=spec, own_spec=True, profile=profile, phases=("train_step",), modes=("plain",)
    ).cells
    batches = {"full": [32, 128, 512, 2048], "gpu": [32, 512, 8192]}[profile]
    assert sizes_of(cells, "numpy", "train_step")[0] == (128, 40)
    assert sorted(sizes_of(cells, "numpy", "train_step")) == sorted({(batch, 40) for batch in (128, *batches)})


def test_an_interpreter_of_what_is_not_measured_is_refused() -> None:
    with pytest.raises(
        BadInput, match=r"--python keras-torch=python: keras-torch is not in this run. Name it with --framework"
    ):
        make(pythons={"keras-torch": "python"})
    with pytest.raises(BadInput, match=r"nmpy: no such framework. Did you mean numpy"):
        make(pythons={"nmpy": "python"})


def test_a_keyword_chooses_by_identity() -> None:
    assert [cell.phase for cell in make(keyword="numpy/spec/cpu/t2/float32/plain/epoch").cells] == ["epoch"]
    with pytest.raises(BadInput, match=r"-k never: matches none of the .* cells; `list`"):
        make(keyword="never")


def test_identities_are_unique_and_stable() -> None:
    gpus = ("an H200", "another")
    chosen: dict[str, Any] = {"frameworks": ALL, "precisions": ("float32", "float64"), "threads": (1, 2)}
    names = [cell.id for cell in make(gpus=gpus, **chosen).cells]
    assert len(set(names)) == len(names)
    assert names == [cell.id for cell in make(gpus=gpus, **chosen).cells]
    assert make("smoke").cells[0].id == "mlp/numpy/spec/cpu/t2/float32/plain/train_step/batch32-width128"


def test_a_name_given_twice_is_one_framework() -> None:
    assert make(frameworks=("numpy", "numpy")).cells == make(frameworks=("numpy",)).cells


def test_scikit_learn_is_a_peer_that_only_trains() -> None:
    cells = make(frameworks=("scikit-learn",)).cells
    assert {cell.phase for cell in cells} == {"train_step"}


# Devices


def test_every_gpu_is_a_device_and_each_framework_stays_where_it_can_run() -> None:
    cells = make(gpus=("one", "two")).cells
    devices: dict[str, set[str]] = {}
    for cell in cells:
        devices.setdefault(cell.who.framework, set()).add(cell.who.device)
    everywhere = {"cpu", "cuda:0", "cuda:1"}
    assert devices == {
        "numpy": {"cpu"},
        "torch": everywhere,
        "jax": everywhere,
        "keras-tensorflow": everywhere,
        "cupy": {"cuda:0", "cuda:1"},
    }


def test_a_device_can_be_asked_for_by_kind_or_by_number() -> None:
    gpus = ("one", "two")
    assert {c.who.device for c in make(gpus=gpus, devices=("cuda",)).cells} == {"cuda:0", "cuda:1"}
    assert {c.who.device for c in make(gpus=gpus, devices=("cuda:1",)).cells} == {"cuda:1"}
    assert {c.who.device for c in make(gpus=gpus, devices=("cpu",)).cells} == {"cpu"}


def test_a_framework_that_was_not_asked_for_and_cannot_run_is_absent_with_reason_and_fix() -> None:
    plan = make()
    assert "cupy" not in {cell.who.framework for cell in plan.cells}
    (absent,) = plan.absent
    assert absent.framework == "cupy"
    assert "sees no GPU" in absent.reason
    assert "doctor" in absent.fix


def test_a_framework_that_was_asked_for_by_name_and_cannot_run_is_an_error() -> None:
    with pytest.raises(Unavailable) as caught:
        make(frameworks=("cupy",))
    assert caught.value.reason == "CuPy sees no GPU (no NVIDIA driver)."
    assert "doctor" in caught.value.fix


def test_what_is_not_installed_is_absent_or_an_error_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.PACKAGES, "torch", ("not_there",))
    assert {entry.framework for entry in make().absent} == {"torch", "cupy"}
    with pytest.raises(Unavailable, match=r"not_there is not installed.*pip install"):
        make(frameworks=("torch",))
    assert make(frameworks=("torch",), pythons={"torch": "/another/python"}).cells  # installed there, for all we know


def test_a_framework_that_cannot_use_the_device_asked_for_says_which_it_can() -> None:
    with pytest.raises(Unavailable, match=r"numpy does not run on cuda.*It can use: cpu"):
        make(gpus=("one",), frameworks=("numpy",), devices=("cuda",))


@pytest.mark.parametrize(
    ("name", "guess"),
    [("pytorch", "torch"), ("nunpy", "numpy"), ("keras-tf", "keras-torch"), ("sklearn", "scikit-learn")],
)
def test_an_unknown_framework_gets_the_nearest_name(name: str, guess: str) -> None:
    with pytest.raises(BadInput, match=f"--framework {name}: no such framework. Did you mean {guess}"):
        make(frameworks=(name,))


@pytest.mark.parametrize(("name", "guess"), [("gpu", "cuda"), ("gpu:0", "cuda"), ("cdua", "cuda"), ("cpuu", "cpu")])
def test_an_unknown_device_gets_the_nearest_name(name: str, guess: str) -> None:
    with pytest.raises(BadInput, match=f"--device {name}: no such device. Did you mean {guess}\\?"):
        make(devices=(name,))


@pytest.mark.parametrize(("gpus", "why"), [((), "no GPU is visible"), (("one",), "there are 1 GPUs")])
def test_a_gpu_that_is_not_there_is_an_error_even_if_no_framework_was_named(gpus: tuple[str, ...], why: str) -> None:
    with pytest.raises(Unavailable, match=f"--device cuda:1: {why}"):
        make(gpus=gpus, devices=("cuda:1",))


# Sizes and phases that cannot be


@pytest.mark.parametrize("phase", ["train_step", "epoch", "products"])
def test_training_a_single_sample_with_batch_norm_is_refused_by_name(phase: str) -> None:
    with pytest.raises(BadInput, match=r"batch: training with batch norm needs at least 2 samples.*batch_norm = false"):
        make(frameworks=("numpy",), phases=(phase,), sets={"batch": [1]})


def test_a_single_sample_can_be_predicted_or_trained_without_batch_norm() -> None:
    assert make(frameworks=("numpy",), phases=("predict",), sets={"batch": [1]}).cells
    plain = MLPSpec(batch_norm=False)
    assert make(frameworks=("numpy",), phases=("train_step",), sets={"batch": [1]}, spec=plain).cells


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"phases": ("training",)}, "--phase training: no such phase; phases are predict, train_step, epoch, products"),
        ({"precisions": ("float16",)}, "precision"),
        ({"modes": ("fast",)}, "--mode fast: no such mode; modes are plain, tuned"),
        ({"variants": ("stok",)}, "'stok'"),
        ({"sets": {"batch": [0]}}, "batch: Input should be greater than 0"),
    ],
)
def test_unknown_phases_precisions_variants_and_sizes_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        make(**options)


def test_another_installation_of_a_framework_is_planned_beside_the_first() -> None:
    cells = make(frameworks=("keras-jax",), pythons={"keras-jax@next": "python"}).cells
    first = [c.model_copy(update={"who": c.who.model_copy(update={"framework": "keras-jax@next"})}) for c in cells]
    assert {c.who.framework for c in cells} == {"keras-jax", "keras-jax@next"}
    assert {c.comparison_group for c in cells if c.who.framework == "keras-jax"} == {c.comparison_group for c in first}
    assert len([c for c in cells if c.who.variant == "stock"]) == 2
