"""What PyTorch's page does beside PyTorch's own layers: layouts, the second bias, and the order in which masks are drawn.

In a process of its own (`tests/implementations/rnn/test_rnn_torch.py`), for no process may hold two frameworks.
"""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from implementations import initialisation
from implementations.contract import Arrays
from implementations.layers.clipping import clipping_numpy, clipping_torch
from implementations.layers.recurrent import recurrent_torch as recurrent
from implementations.rnn.rnn_torch import RNN
from tests.support import batches
from tests.support.gradients import assert_near
from tests.support.rnn.small_models import CELLS, SHAPES, small_spec

every_network = pytest.mark.parametrize(("cell", "shape"), [(cell, shape) for cell in CELLS for shape in SHAPES])
OPTIMIZERS = [{"kind": "adamw"}, {"kind": "adam"}, {"kind": "sgd"}]


def loaded(spec: Any) -> RNN:
    model = RNN(spec)
    model.load_state(initialisation.hot_state(spec))
    return model


def on_device(batch: Arrays) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(array) for name, array in batch.items()}


def layers(model: RNN) -> list[nn.RNNBase]:
    return [layer for layer in model.network.modules() if isinstance(layer, nn.RNNBase)]


@every_network
def test_a_state_comes_back_as_it_was_loaded(cell: str, shape: str) -> None:
    spec = small_spec(**SHAPES[shape], cell=cell, optimizer={"kind": "adamw"})
    state = loaded(spec).state()
    assert set(state) == set(spec.tensors())
    assert all(np.array_equal(state[name], value) for name, value in initialisation.hot_state(spec).items())


def test_weights_are_transposed_and_an_embedding_is_not() -> None:
    """A gate is a block of rows there."""
    spec = small_spec(**SHAPES["tokens, last"], cell="gru")
    network, state = loaded(spec).network, initialisation.hot_state(spec)
    second, table = network.get_submodule("rnn2"), network.get_submodule("embedding")
    assert np.array_equal(second.weight_ih_l0[6:12].numpy(force=True), state["rnn2.weight"][:, 6:12].T)
    assert np.array_equal(second.bias_hh_l0.numpy(force=True), state["rnn2.recurrent_bias"])
    assert np.array_equal(table.weight.numpy(force=True), state["embedding.weight"])


@pytest.mark.parametrize("kind", OPTIMIZERS, ids=lambda settings: settings["kind"])
@pytest.mark.parametrize("cell", ["lstm", "tanh"])
def test_the_second_bias_is_zero_and_nobody_trains_it(cell: str, kind: dict[str, Any]) -> None:
    spec = small_spec(cell=cell, optimizer=kind)
    model = loaded(spec)
    trained = {id(parameter) for group in model.optimizer.param_groups for parameter in group["params"]}
    for batch in initialisation.batches(spec, 3):
        model.train_step(on_device(batch))
    assert len(layers(model)) == 2
    for layer in layers(model):
        assert not layer.bias_hh_l0.any()
        assert not layer.bias_hh_l0.requires_grad
        assert layer.bias_hh_l0.grad is None
        assert id(layer.bias_hh_l0) not in trained
        assert id(layer.bias_ih_l0) in trained
    assert len(trained) == len([tensor for tensor in spec.tensors().values() if tensor.role == "parameter"])


def test_both_biases_of_a_gru_are_trained() -> None:
    model = loaded(small_spec(cell="gru"))
    before = model.state()
    model.train_step(on_device(batches.one(model.spec)))
    after = model.state()
    assert all((before[name] != after[name]).any() for name in ("rnn1.bias", "rnn1.recurrent_bias"))


@pytest.mark.parametrize("precision", ["float32", "float64"])
@every_network
def test_masks_are_drawn_in_the_order_of_memory_of_the_states(cell: str, shape: str, precision: str) -> None:
    """A step's own dropout layers, watched: what they dropped is what `draw_masks` shows."""
    spec = small_spec(**SHAPES[shape], cell=cell, precision=precision)
    model, seen = loaded(spec), dict[str, torch.Tensor]()
    for name in spec.masks(spec.batch):
        model.network.get_submodule(name.removesuffix(".mask")).register_forward_hook(
            lambda layer, inputs, output, name=name: seen.update({name: output.detach() / inputs[0].detach()})
        )
    generator = model.random_state()
    model.train_step(on_device(batches.typed(batches.one(spec), spec.dtype)))
    dropped = {name: ratio.numpy() for name, ratio in seen.items()}
    model.set_random_state(generator)
    masks = model.draw_masks(spec.batch)
    assert list(masks) == list(dropped)
    for name, mask in masks.items():
        assert np.array_equal(mask == 0, dropped[name] == 0), name


def test_ones_that_lie_in_another_order_would_give_other_masks() -> None:
    """Why the page has ones of its own: dropout fills in the order of memory, where the states have time first."""
    spec = small_spec(outputs="every")
    model, (shape, *_) = loaded(spec), [mask.shape for mask in spec.masks(spec.batch).values()]
    states = recurrent.forward(
        layers(model)[0], torch.ones(spec.batch, spec.length, spec.features, dtype=torch.float64)
    )
    ours = model.ones(shape)
    assert (ours.shape, ours.stride()) == (states.shape, states.stride())
    assert not ours.is_contiguous()
    generator, drawn = model.random_state(), []
    for ones in (ours, torch.ones(shape)):
        model.set_random_state(generator)
        drawn.append(torch.nn.functional.dropout(ones, 0.3) == 0)
    assert not torch.equal(*drawn)


@pytest.mark.parametrize("share", [0.5, 2.0])
def test_gradients_are_clipped_exactly(share: float) -> None:
    """With c / ||g||, where `clip_grad_norm_` has c / (||g|| + 1e-6)."""
    rng = np.random.default_rng(0)
    gradients = {name: 1e-3 * rng.normal(size=shape) for name, shape in (("a", (3, 4)), ("b", (4,)))}
    largest = share * float(clipping_numpy.norm(gradients))
    parameters = [nn.Parameter(torch.zeros(g.shape, dtype=torch.float64)) for g in gradients.values()]
    without = nn.Parameter(torch.zeros(2), requires_grad=False)
    for parameter, g in zip(parameters, gradients.values(), strict=True):
        parameter.grad = torch.from_numpy(g.copy())
    clipping_torch.clip([*parameters, without], largest)
    for parameter, g in zip(parameters, clipping_numpy.clip(gradients, largest).values(), strict=True):
        assert parameter.grad is not None
        assert_near(parameter.grad.numpy(), g)
