"""NumPy's functions in another arithmetic: none loses it, and what multiplies and adds is rounded as the matrix product."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import numpy as np
import pytest

from implementations import registry
from implementations.cnn.cnn_numpy import CNN
from implementations.cnn.spec import CNNSpec
from implementations.contract import Spec
from implementations.equivalence import array_functions, strays
from implementations.equivalence.oracle import Magnitude, oracle_of
from implementations.equivalence.rounding import Noise, arithmetic
from implementations.initialisation import batches, hot_state
from implementations.layers.pooling import max_pool_numpy as max_pool
from implementations.mlp.mlp_numpy import MLP
from implementations.mlp.spec import MLPSpec
from tests.support import ROOT

ASKED = ("choice", "runner_up", "lead")
"""Functions of a branch that the proof asks about plain numbers, as what they call: nothing is computed with what they return."""

FORMULAS = tuple(str(ROOT / "implementations" / folder) for folder in ("layers", *registry.OURS))
A, B = np.arange(6.0).reshape(2, 3) + 1, np.arange(12.0).reshape(3, 4) + 1

MOVED: dict[str, Callable[[Any], Any]] = {
    "where": lambda a: np.where(np.asarray(a) > 2, a, 0.0),
    "concatenate": lambda a: np.concatenate([a, np.zeros((2, 3))]),
    "stack": lambda a: np.stack([a, a]),
    "split": lambda a: np.split(a, 3, axis=1)[0],
    "pad": lambda a: np.pad(a, 1),
    "take_along_axis": lambda a: np.take_along_axis(a, np.zeros((2, 1), int), axis=1),
    "zeros_like": lambda a: np.zeros_like(a, shape=(4,)),
    "sliding_window_view": lambda a: np.lib.stride_tricks.sliding_window_view(a, 2, axis=1),
    "moveaxis": lambda a: np.moveaxis(a, 0, 1),
}
COMPUTED: dict[str, Callable[[Any], Any]] = {
    "sum": lambda a: np.sum(a, axis=0),
    "mean": lambda a: np.mean(a, axis=0),
    "var": lambda a: np.var(a, axis=0),
    "cumsum": lambda a: np.cumsum(a, axis=0),
    "einsum": lambda a: np.einsum("ij,jk->ik", a, B),
    "tensordot": lambda a: np.tensordot(a, B, axes=1),
    "dot": lambda a: np.dot(a, B),
    "the method dot": lambda a: a.dot(B),
    "vecdot": lambda a: np.vecdot(a, a),
}


def noisy(value: np.ndarray, precision: str = "float64") -> Any:
    """The same numbers, which compute with rounding at random of one part in a thousand."""
    return value.view(arithmetic(precision, Noise(1e-3, value.dtype, seed=0)))


@pytest.mark.parametrize("name", MOVED)
@pytest.mark.parametrize(
    "kind", [lambda a: noisy(a.copy()), lambda a: a.copy().view(Magnitude)], ids=["noise", "sizes"]
)
def test_what_moves_numbers_keeps_them_and_their_kind(name: str, kind: Callable[[Any], Any]) -> None:
    array = kind(A)
    result = MOVED[name](array)
    assert type(result) is type(array)
    assert np.array_equal(np.asarray(result), MOVED[name](A))


@pytest.mark.parametrize("name", COMPUTED)
def test_what_computes_is_off_by_rounding_and_keeps_its_kind(name: str) -> None:
    result, exact = COMPUTED[name](noisy(A.copy())), COMPUTED[name](A)
    off = np.abs(np.asarray(result) / exact - 1)
    assert isinstance(result, array_functions.Computing)
    assert 1e-4 < off.max() < 0.02


@pytest.mark.parametrize("name", ["einsum", "tensordot", "dot", "the method dot", "vecdot"])
def test_products_round_their_factors_in_coarse_arithmetic(name: str) -> None:
    """1 + 2^-9 has two bits more than bfloat16."""
    lost = np.full((2, 3), 1 + 2.0**-9, np.float32)
    assert np.array_equal(
        np.asarray(COMPUTED[name](lost.view(arithmetic("bfloat16")))), COMPUTED[name](np.ones((2, 3)))
    )


@pytest.mark.parametrize(
    "kind", [lambda a: noisy(a.copy()), lambda a: a.copy().view(Magnitude)], ids=["noise", "sizes"]
)
def test_a_function_of_which_nothing_is_known_is_refused(kind: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError, match=r"does not know np\.kron: say in .*array_functions"):
        np.kron(kind(A), B)


def test_sums_at_places_are_rounded_where_something_was_added() -> None:
    sums = noisy(np.zeros(3))
    np.add.at(sums, [0, 0, 1], noisy(np.ones(3)))
    plain = np.asarray(sums)
    assert np.all(np.abs(plain[:2] / [2, 1] - 1) > 1e-4)
    assert plain[2] == 0


@pytest.mark.parametrize(
    ("call", "count"),
    [
        (lambda a, b: array_functions.terms(np.dot, a, b), 3),
        (lambda a, b: array_functions.terms(np.einsum, "ij, jk -> ik", a, b), 3),
        (lambda a, b: array_functions.terms(np.einsum, "ij,jk->", a, b), 24),
        (lambda a, b: array_functions.terms(np.tensordot, a, b, 1), 3),
        (lambda a, b: array_functions.terms(np.tensordot, a, b, axes=([1], [0])), 3),
        (lambda a, b: array_functions.terms(np.tensordot, a, b, axes=0), 1),
    ],
)
def test_how_many_products_are_added_up(call: Callable[[Any, Any], int], count: int) -> None:
    assert call(A, B) == count


@pytest.mark.parametrize(("terms", "ulps"), [(1, 1.0), (400, 3.0), (40_000, 30.0)])
def test_a_long_sum_of_products_is_off_by_more(terms: int, ulps: float) -> None:
    factor = np.ones((500, terms), np.float32)
    product = np.asarray(factor.view(arithmetic("float32", Noise(2.0**-23, np.float32, seed=0))) @ factor[:1].T)
    assert 0.9 < np.std(product / terms - 1) / 2.0**-23 / ulps < 1.1


SPECIFICATIONS = [{}, {"batch_norm": False}, {"optimizer": {"kind": "adamw"}}, {"running_variance": "unbiased"}]


@pytest.mark.parametrize("changes", SPECIFICATIONS, ids=str)
@pytest.mark.parametrize("folded", [False, True])
def test_no_result_within_the_oracle_loses_its_arithmetic(changes: dict[str, Any], folded: bool) -> None:
    spec = MLPSpec().changed(features=5, hidden=(4, 3), classes=3, batch=6, precision="float32", **changes)
    noise = Noise(2.0**-23, np.float32, seed=0, folded=folded)
    oracle: Any = oracle_of(MLP)(spec)
    assert lost_in(oracle.in_arithmetic(np.float32, arithmetic("float32", noise)), spec) == set()


@pytest.mark.parametrize("changes", SPECIFICATIONS, ids=str)
@pytest.mark.parametrize("kind", ["float32", "bfloat16"])
def test_no_result_within_the_oracle_of_images_loses_its_arithmetic(changes: dict[str, Any], kind: str) -> None:
    spec = CNNSpec().changed(image=(5, 6, 2), channels=(3, 4), hidden=(5,), batch=6, precision="float32", **changes)
    oracle: Any = oracle_of(CNN)(spec)
    noise = Noise(2.0**-23, np.float32, seed=0, folded=True)
    assert lost_in(oracle.in_arithmetic(np.float32, arithmetic(kind, noise)), spec) == set()


def test_what_a_pool_passes_on_is_one_of_the_numbers_that_came() -> None:
    """A largest number that was off by rounding would be none of them."""
    a = np.random.default_rng(0).normal(size=(2, 4, 4, 3))
    p, chosen = max_pool.forward(noisy(a.copy()))
    assert np.isin(np.asarray(p), a).all()
    assert np.array_equal(np.asarray(max_pool.forward_on(noisy(a.copy()), chosen)[0]), np.asarray(p))


def test_a_lost_arithmetic_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from implementations.layers.batch_norm import batch_norm_numpy

    text = "\n".join(
        ["def shift(gamma, mean, variance, epsilon):", "    lost = np.array(mean) * 2", "    return gamma * lost"]
    )
    made: dict[str, Any] = {"np": np}
    exec(compile(text, FORMULAS[0], "exec"), made)  # where the tracer looks
    monkeypatch.setattr(batch_norm_numpy, "shift", made["shift"])
    spec = MLPSpec().changed(features=5, hidden=(4,), classes=3, batch=6, precision="float32")
    noise = Noise(2.0**-23, np.float32, seed=0, folded=True)
    oracle: Any = oracle_of(MLP)(spec)
    assert lost_in(oracle.in_arithmetic(np.float32, arithmetic("float32", noise)), spec) == {"shift: lost"}


def lost_in(oracle: Any, spec: Spec) -> set[str]:
    """Real arrays in local variables and results of the formulas that are NumPy's own, after a step and a prediction."""
    (batch,) = batches(spec, 1)
    oracle.load_state(hot_state(spec))
    found: set[str] = set()
    with every_return(found, oracle.array):
        oracle.repeat_step(batch, strays.masks(spec, spec.batch))
        oracle.predict(batch)
    return found


@contextmanager
def every_return(found: set[str], kind: type) -> Iterator[None]:
    """Looks at the local variables of every function of the formulas when it returns."""

    def on_call(frame: FrameType, event: str, value: object) -> Any:
        return on_return if frame.f_code.co_filename.startswith(FORMULAS) and not is_asked(frame) else None

    def on_return(frame: FrameType, event: str, value: object) -> Any:
        if event == "return":
            results = frame.f_locals | {"its result": value}
            found.update(f"{frame.f_code.co_name}: {name}" for name, v in results.items() if loses(v, kind))
        return on_return

    sys.settrace(on_call)
    try:
        yield
    finally:
        sys.settrace(None)


def is_asked(frame: FrameType | None) -> bool:
    """Whether it is one of those functions, or called by one."""
    return frame is not None and (frame.f_code.co_name in ASKED or is_asked(frame.f_back))


def loses(value: object, kind: type) -> bool:
    """Whether there is a real array of another kind in it."""
    if isinstance(value, list | tuple):
        return any(loses(part, kind) for part in value)
    return isinstance(value, np.ndarray) and value.dtype.kind == "f" and type(value) is not kind
