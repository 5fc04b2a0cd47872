"""Which framework offers TF32 and bfloat16 where, and how a process gets into a precision."""

import types

import pytest

from implementations import precisions, registry
from implementations.equivalence import tolerances
from implementations.errors import Unavailable
from implementations.mlp.spec import MLPSpec


def test_every_coarse_precision_is_one_of_the_specifications_and_has_a_tolerance() -> None:
    assert tuple(precisions.OFFERED) == tuple(precisions.DEVICES) == tolerances.COARSE
    for precision, stored in tolerances.STORED.items():
        assert MLPSpec().changed(precision=precision).dtype == stored


def test_a_number_type_is_offered_everywhere() -> None:
    assert precisions.problem("mlp", "numpy", "cpu", "float64") is None


@pytest.mark.parametrize("name", precisions.OFFERED["bfloat16"])
def test_bfloat16_is_computed_on_both_devices_and_tf32_on_a_gpu(name: str) -> None:
    assert precisions.problem("mlp", name, "cpu", "bfloat16") is None
    assert precisions.problem("mlp", f"{name}@next", "cuda:1", "tf32") is None
    assert "on cuda, not on cpu" in str(precisions.problem("mlp", name, "cpu", "tf32"))


@pytest.mark.parametrize("name", ["numpy", "cupy", "keras-tensorflow", "peer-torch"])
def test_where_bfloat16_is_not_offered_the_reason_names_the_framework(name: str) -> None:
    assert name in str(precisions.problem("mlp", name, "cuda:0", "bfloat16"))


def test_a_framework_from_elsewhere_is_asked_in_its_own_process() -> None:
    assert "elsewhere" not in registry.FAMILIES
    assert precisions.problem("mlp", "elsewhere", "cpu", "bfloat16") is None
    with pytest.raises(Unavailable, match="no `use_precision`"):
        precisions.enter(types.SimpleNamespace(NAME="elsewhere"), "bfloat16")


def test_entering_calls_the_switch_that_the_adapter_has() -> None:
    called: list[str] = []
    switches = {
        "use_precision": called.append,
        "use_float64": lambda: called.append("float64"),
        "patch_for_float64": lambda: called.append("patched"),
    }
    for precision in ("float32", "float64", "tf32"):
        precisions.enter(types.SimpleNamespace(NAME="any", **switches), precision)
    assert called == ["float64", "tf32"]
    only_patched = types.SimpleNamespace(NAME="any", patch_for_float64=switches["patch_for_float64"])
    with pytest.raises(Unavailable, match="only when it is patched"):
        precisions.enter(only_patched, "float64")
    precisions.enter(only_patched, "float64", patch=True)
    assert called == ["float64", "tf32", "patched"]
