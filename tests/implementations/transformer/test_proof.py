"""The proof of a network that must not look ahead: leaks, casts to a coarser type, dropout where it does not belong."""

from typing import Any

import pytest

from implementations import mistakes
from implementations.declarations import Mistake
from implementations.equivalence import reach
from implementations.equivalence.kit import HOT, ZEROED, Kit
from implementations.frameworks import numpy_adapter
from implementations.transformer.transformer_numpy import Transformer
from tests.mutation.low_precision import emulated
from tests.support.transformer.small_models import SHAPES, small_spec

KIT = Kit("transformer", "numpy", numpy_adapter, "cpu")
LEAKS = {
    "by one position": ("place > place[:, None]", "place > place[:, None] + 1"),
    "everywhere": ("np.where(ahead(s.shape[-1]), -np.inf, s) if causal else s", "s"),
    "by a number that is not small enough": ("-np.inf, s)", "-10.0, s)"),
    "the wrong way round": ("place > place[:, None]", "place < place[:, None]"),
}
"""Text of `attention_numpy` that forbids to look ahead, and what does not."""

FINITE = ("-np.inf, s)", "-1e4, s)")


def planted(change: tuple[str, str], file: str = "attention/attention") -> Any:
    """NumPy's Transformer with another text in one of its files."""
    return mistakes.planted("transformer", "numpy", Mistake("", "", file, {"numpy": (change,)})).Transformer


def failing(model: Any, spec: Any, starts: Any = None) -> dict[str, set[str]]:
    """By start that fails, the groups of what fails there."""
    failed: dict[str, set[str]] = {}
    for check in KIT.steps(KIT.candidate(spec, model), starts or KIT.starts(spec)):
        if not check.passed:
            failed.setdefault(check.check, set()).add(check.group)
    return failed


def looked_at(model: Any, spec: Any) -> list[str]:
    """What fails of what a prediction must look at and must not."""
    checks = reach.not_looked_at(KIT.candidate(spec, model), KIT.states, KIT.starts(spec)[0])
    assert len(checks) == (2 if spec.outputs == "every" and spec.length > 1 else 0)
    return [check.group for check in checks if not check.passed]


@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_right_is_right(shape: str) -> None:
    spec = small_spec(**SHAPES[shape], precision="float32")
    assert failing(Transformer(spec), spec) == {}
    assert looked_at(Transformer(spec), spec) == []


@pytest.mark.parametrize("shape", ["tokens, every", "rows, every"])
@pytest.mark.parametrize("leak", LEAKS)
def test_a_look_ahead_is_noticed_without_an_oracle(leak: str, shape: str) -> None:
    spec = small_spec(**SHAPES[shape], precision="float32")
    leaking = planted(LEAKS[leak])(spec)
    assert looked_at(leaking, spec)[:1] == ["is not looked at"]
    assert failing(leaking, spec).keys() == {HOT, ZEROED}


def test_a_network_that_looks_at_nothing_later_is_noticed() -> None:
    spec = small_spec(precision="float32")
    blind = planted(
        ("e + weight", "np.where(np.arange(e.shape[1])[:, None] < e.shape[1] // 2, e, 0) + weight"),
        "positions/positions",
    )
    assert looked_at(blind(spec), spec) == ["is seen from there on"]


def test_a_finite_mask_is_noticed_where_scores_are_as_large_and_nowhere_else() -> None:
    spec = small_spec(precision="float32")
    leaking = planted(FINITE)(spec)
    assert failing(leaking, spec) == {}
    assert looked_at(leaking, spec) == []
    assert failing(leaking, spec, KIT.stress_starts(spec)).keys() == {"large scores"}


@pytest.mark.parametrize(
    ("change", "file"),
    [
        (("exponentials = np.exp(s - s.max(axis=-1, keepdims=True))",
          "exponentials = np.exp((s - s.max(axis=-1, keepdims=True)).astype(np.float32)).astype(s.dtype)"), "attention/attention"),
        (("0.5 * z * (1 + bent(z))", "0.5 * z * (1 + bent(z.astype(np.float32)).astype(z.dtype))"), "activation/gelu"),
        (("    return gamma * z_hat", "    z_hat = z_hat.astype(np.float32).astype(h.dtype)\n    return gamma * z_hat"),
         "layer_norm/layer_norm"),
    ],
    ids=["softmax", "gelu", "layer norm"],
)  # fmt: skip
def test_a_cast_to_float32_is_noticed_in_float64(change: tuple[str, str], file: str) -> None:
    """As JAX's own attention casts its scores. In float32 there is nothing to notice."""
    model = planted(change, file)
    assert failing(model(small_spec()), small_spec()).keys() == {HOT, ZEROED}
    spec = small_spec(precision="float32")
    assert failing(model(spec), spec) == {}


def test_dropout_of_weights_in_a_prediction_is_noticed() -> None:
    """What an argument of a call says, evaluation mode does not switch off by itself."""
    spec = small_spec(precision="float32")
    dropping = planted(("shape, rate) if training and rate", "shape, rate) if rate"), "transformer")(spec)
    assert all("logits" in groups for groups in failing(dropping, spec).values())
    assert failing(dropping, spec).keys() == {HOT, ZEROED}


@pytest.mark.parametrize("shape", ["tokens, every", "rows, mean"])
def test_a_coarse_arithmetic_is_proved(shape: str) -> None:
    spec = small_spec(**SHAPES[shape], precision="tf32")
    assert failing(emulated("tf32", Transformer)(spec), spec) == {}
