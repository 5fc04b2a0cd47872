"""Of CuPy's tuned mode, what its stand-in on the CPU cannot show: its graph and its products on a device."""

from typing import Any

import numpy as np
import pytest

from benchmarks import gpus
from implementations import initialisation, registry
from tests.support import batches

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(
        registry.missing("cupy") is not None or not gpus.visible(), reason="CuPy or a GPU is missing: CuPy was NOT run"
    ),
]


@pytest.fixture
def cupy() -> Any:
    import cupy

    return cupy


def test_its_products_keep_all_digits_of_float32(cupy: Any) -> None:
    """1 + 2^-23 times 1: TF32 would lose the last bit, and so would bfloat16."""
    from implementations.training.products_cupy import Products

    stream = cupy.cuda.Stream(non_blocking=True)
    product = Products(np.dtype(np.float32), stream)
    one = cupy.eye(64, dtype=np.float32)
    factor, result = one * np.float32(1 + 2**-23), cupy.empty_like(one)
    cupy.cuda.Device().synchronize()
    product(factor, one, result)
    stream.synchronize()
    assert np.array_equal(result.get(), factor.get())


def test_the_graph_of_a_training_step_allocates_nothing(cupy: Any) -> None:
    """A node that allocates would mean that cuBLAS did not take the workspace that it was given."""
    model_class = registry.model_class("mlp", "cupy", "tuned")
    spec = registry.part("mlp", "spec").Spec.preset("digits")
    model: Any = model_class(spec, "cuda:0")
    model.load_state(initialisation.initial_state(spec))
    batch = batches.typed(batches.one(spec), spec.dtype)
    model.train_step({name: cupy.asarray(array) for name, array in batch.items()})
    (room,) = model.rooms.values()
    graph = room.training.debug_dot_str(1)
    assert "KERNEL" in graph
    assert "MEM_ALLOC" not in graph
