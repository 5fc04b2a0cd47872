"""The precision that is in force, whatever the flags say."""

import numpy as np
import pytest

from implementations.equivalence import precision
from implementations.equivalence.kit import Kit
from implementations.equivalence.rounding import arithmetic
from implementations.frameworks import numpy_adapter
from implementations.layers.convolution import convolution_numpy


def product_in(kind: str) -> precision.Product:
    return lambda a, b: np.asarray(a.view(arithmetic(kind)) @ b)


def plain(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a @ b


@pytest.mark.parametrize(("kind", "bits"), [("float32", 23), ("tf32", 10), ("bfloat16", 7)])
def test_bits_are_measured(kind: str, bits: int) -> None:
    assert precision.kept_bits("float32", product_in(kind)) == bits
    assert precision.check(kind, bits, "matrix product").passed
    assert precision.check("float32", bits, "matrix product").passed is (kind == "float32")


def test_float64_keeps_all() -> None:
    assert precision.kept_bits("float64", plain) == 52


@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_a_product_stays_within_its_bound(kind: str) -> None:
    assert precision.product_check(kind, plain, "matrix product").passed


@pytest.mark.parametrize("kind", ["tf32", "bfloat16"])
def test_a_coarser_product_breaks_the_bound_of_float32_and_keeps_its_own(kind: str) -> None:
    assert not precision.product_check("float32", product_in(kind), "matrix product").passed
    assert precision.product_check(kind, product_in(kind), "matrix product").passed


def test_one_wrong_element_breaks_the_bound() -> None:
    def wrong(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        c = a @ b
        c[3, 4] += 0.5
        return c

    assert not precision.product_check("float32", wrong, "matrix product").passed


def test_a_convolution_that_rounds_by_itself_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """As cuDNN's, whose TF32 is not switched off with that of products."""
    kit = Kit("cnn", "numpy", numpy_adapter, "cpu")
    assert all(check.passed for kind in ("float32", "float64") for check in kit.precision(kind))
    assert list(kit.products.by_name()) == ["matrix product", "convolution"]
    monkeypatch.setattr(
        numpy_adapter,
        "convolution",
        lambda x, kernel: np.asarray(convolution_numpy.forward(x.view(arithmetic("tf32")), kernel)),
    )
    failed = [check for check in kit.precision("float32") if not check.passed]
    assert [(check.group, check.tensor) for check in failed] == [
        ("effective precision", "10 bits kept by a convolution"),
        ("convolution", "64 x 64 x 64"),
    ]


def test_a_network_without_convolutions_is_not_asked_for_them() -> None:
    assert list(Kit("mlp", "numpy", numpy_adapter, "cpu").products.by_name()) == ["matrix product"]
