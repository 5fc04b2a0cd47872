"""What PyTorch's page does beside PyTorch's own layers: the order of axes, in memory too, and what its branches chose.

In a process of its own (`tests/implementations/cnn/test_cnn_torch.py`), for no process may hold two frameworks.
"""

import numpy as np
import pytest
import torch

from implementations import initialisation, registry
from implementations.cnn.cnn_numpy import CNN as NumpyCNN
from implementations.cnn.cnn_torch import CNN, BehindMaps, ChannelsFirst
from implementations.cnn.peer_torch import Eager
from implementations.equivalence.kit import Kit
from tests.support import batches
from tests.support.cnn.small_models import SHAPES, small_spec


@pytest.mark.parametrize("channels", [1, 3])
def test_images_are_channels_first_in_memory(channels: int) -> None:
    x = torch.arange(2 * 4 * 5 * channels).reshape(2, 4, 5, channels)
    moved = ChannelsFirst()(x)
    assert moved.shape == (2, channels, 4, 5)
    assert moved.stride() == (channels * 20, 20, 5, 1)
    assert torch.equal(moved, x.permute(0, 3, 1, 2))


def test_contiguous_would_not_move_an_image_of_one_channel() -> None:
    """Why it is not used: what follows takes such a tensor for channels last, and batch norm adds up in sequence."""
    assert torch.zeros(2, 4, 5, 1).permute(0, 3, 1, 2).contiguous().stride() == (20, 1, 5, 1)


def test_the_weights_behind_maps_stand_in_the_order_of_pixels() -> None:
    maps, layer = np.random.default_rng(0).normal(size=(2, 3, 4, 5)), BehindMaps(5, 3, 4)
    weight = np.random.default_rng(1).normal(size=(3 * 4 * 5, 6))
    kept = layer.from_spec("weight", torch.from_numpy(weight))
    by_channels = torch.from_numpy(maps).permute(0, 3, 1, 2).flatten(1)
    assert kept.shape == (6, 60)
    assert torch.equal(layer.to_spec("weight", kept), torch.from_numpy(weight))
    assert np.abs((by_channels @ kept.T).numpy() - maps.reshape(2, -1) @ weight).max() < 1e-13
    bias = torch.ones(6)
    assert layer.from_spec("bias", bias) is layer.to_spec("bias", bias) is bias


@pytest.mark.parametrize("shape", SHAPES)
def test_a_state_comes_back_as_it_was_loaded(shape: str) -> None:
    spec = small_spec(**SHAPES[shape], optimizer={"kind": "adamw"})
    model, state = CNN(spec), initialisation.hot_state(spec)
    model.load_state(state)
    assert all(np.array_equal(model.state()[name], value) for name, value in state.items())
    assert all(p.is_contiguous() for p in model.network.parameters())


@pytest.mark.parametrize("shape", SHAPES)
def test_its_branches_choose_what_numpys_choose(shape: str) -> None:
    spec = small_spec(**SHAPES[shape], dropout=0.0)
    models, batch = (NumpyCNN(spec), CNN(spec)), batches.one(spec)
    for model in models:
        model.load_state(initialisation.hot_state(spec))
    of_numpy = models[0].choices(batch)
    of_torch = models[1].choices({name: torch.from_numpy(array) for name, array in batch.items()})
    assert list(of_torch) == list(of_numpy)
    assert all(np.array_equal(of_torch[name], choice) for name, choice in of_numpy.items())


def test_a_convolution_keeps_the_bits_of_its_precision() -> None:
    adapter = registry.adapter("torch")
    kit = Kit("cnn", "torch", adapter, "cpu")
    checks = kit.precision("float32")
    assert [check.group for check in checks][2:] == ["effective precision", "convolution"]
    assert all(check.passed for check in checks)
    a, b = (np.random.default_rng(k).normal(size=(64, 64)) for k in (0, 1))
    assert np.abs(kit.products.by_convolution(a, b) - a @ b).max() < 1e-12


def test_of_equal_numbers_it_chooses_the_first() -> None:
    spec = small_spec(image=(4, 4, 1), channels=(2,), hidden=(), dropout=0.0)
    state, batch = initialisation.hot_state(spec), batches.one(spec)
    state["conv1.weight"][...] = 0
    state["norm1.beta"][...] = 1
    model = CNN(spec)
    model.load_state(state)
    assert not model.choices({name: torch.from_numpy(array) for name, array in batch.items()})["pool1"].any()


@pytest.mark.parametrize("channels", [1, 3])
def test_the_peer_is_channels_last_in_memory_throughout(channels: int) -> None:
    spec, maps = small_spec(image=(8, 8, channels)), list[torch.Tensor]()
    peer = Eager(spec)
    for layer in peer.network[: 4 * len(spec.channels)]:
        layer.register_forward_hook(lambda layer, inputs, output: maps.append(output))
    peer.train_step({name: torch.from_numpy(array) for name, array in batches.one(spec).items()})
    kernels = [weight for weight in peer.network.parameters() if weight.ndim == 4]
    assert (len(maps), len(kernels)) == (4 * len(spec.channels), len(spec.channels))
    for tensor in (*maps, *kernels):
        assert tensor.is_contiguous(memory_format=torch.channels_last)
    assert not any(tensor.is_contiguous() for tensor in (*maps, *kernels[1:]))
