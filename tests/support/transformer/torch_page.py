"""What PyTorch's page does beside PyTorch's own layers: layouts, positions, and the order in which masks are drawn, inside of attention too.

In a process of its own (`tests/implementations/transformer/test_transformer_torch.py`), for no process may hold two frameworks.
"""

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from implementations import initialisation
from implementations.contract import Arrays
from implementations.equivalence import tolerances
from implementations.layers.positions import positions_torch as positions
from implementations.transformer.transformer_torch import Transformer
from tests.support import batches
from tests.support.gradients import assert_near
from tests.support.transformer.small_models import SHAPES, oracle, small_spec

each_shape = pytest.mark.parametrize("shape", SHAPES)


def loaded(spec: Any) -> Transformer:
    model = Transformer(spec)
    model.load_state(initialisation.hot_state(spec))
    return model


def on_device(batch: Arrays) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(array) for name, array in batch.items()}


@each_shape
def test_a_state_comes_back_as_it_was_loaded(shape: str) -> None:
    spec = small_spec(**SHAPES[shape], optimizer={"kind": "adamw"})
    model = loaded(spec)
    state = model.state()
    assert set(state) == set(spec.tensors())
    assert all(np.array_equal(state[name], value) for name, value in initialisation.hot_state(spec).items())
    assert all(parameter.is_contiguous() for parameter in model.network.parameters())
    trained = {parameter for group in model.optimizer.param_groups for parameter in group["params"]}
    assert trained == set(model.network.parameters())


@pytest.mark.parametrize("shape", ["tokens, every", "square"])
def test_weights_are_transposed_and_tables_are_not(shape: str) -> None:
    """Of a square matrix no shape tells. What rows are multiplied by is a weight, what tokens are looked up in a table."""
    spec = small_spec(**SHAPES[shape])
    network, state = loaded(spec).network, initialisation.hot_state(spec)
    kept = {name: value.numpy(force=True) for name, value in network.named_parameters()}
    for name in ("query", "key", "value", "mixed"):
        assert np.array_equal(kept[f"attention1.{name}.weight"], state[f"attention1.{name}"].T)
    for name in ("expand1.weight", "contract1.weight", "output.weight"):
        assert np.array_equal(kept[name], state[name].T)
    assert np.array_equal(kept["positions.weight"], state["positions.weight"])
    table = state["embedding.weight"]
    assert np.array_equal(kept["embedding.weight"], table if spec.vocabulary else table.T)


class Watched:
    """While it lasts, what every dropout of a step drops, by the mask's name, in the order in which it is drawn.

    Of attention: its call once more with its own random numbers, without questions, and with a value of its own for every position, so
    that the weights themselves come out.
    """

    def __init__(self, model: Transformer, monkeypatch: pytest.MonkeyPatch) -> None:
        self.dropped: dict[str, np.ndarray] = {}
        self.attend, self.count = functional.scaled_dot_product_attention, 0
        monkeypatch.setattr(functional, "scaled_dot_product_attention", self.attention)
        for name in model.spec.masks(1):
            layer = model.network.get_submodule(name.removesuffix(".mask"))
            if isinstance(layer, torch.nn.Dropout):
                layer.register_forward_hook(
                    lambda layer, inputs, output, name=name: self.dropped.update({name: output.detach().numpy() == 0})
                )

    def attention(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, **how: Any) -> torch.Tensor:
        self.count += 1
        before, o = torch.get_rng_state(), self.attend(q, k, v, **how)
        after, each = torch.get_rng_state(), torch.eye(q.shape[2], dtype=q.dtype).expand(*q.shape[:2], -1, -1)
        if how["dropout_p"]:
            torch.set_rng_state(before)
            weights = self.attend(torch.zeros_like(q), torch.zeros_like(k), each, **how)
            self.dropped[f"attention{self.count}.mask"] = weights.detach().numpy() == 0
            assert torch.equal(torch.get_rng_state(), after), "the same numbers were drawn"
        return o


@pytest.mark.parametrize("precision", ["float32", "float64"])
@each_shape
def test_masks_are_drawn_in_the_order_of_the_forward_pass(
    shape: str, precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = small_spec(**SHAPES[shape], precision=precision)
    model = loaded(spec)
    generator, watched = model.random_state(), Watched(model, monkeypatch)
    model.train_step(on_device(batches.typed(batches.one(spec), spec.dtype)))
    after = model.random_state()
    model.set_random_state(generator)
    masks = model.draw_masks(spec.batch)
    assert torch.equal(model.random_state(), after)
    assert watched.count == spec.blocks
    assert list(masks) == list(watched.dropped) == list(spec.masks(spec.batch))
    seen = np.tril(np.ones((spec.length, spec.length), bool)) | (spec.outputs == "mean")
    for name, mask in masks.items():
        where = seen if mask.ndim == 4 else True
        assert np.array_equal((mask == 0) & where, watched.dropped[name] & where), name
    assert not masks or any((mask == 0).any() for mask in masks.values())


@each_shape
def test_a_step_has_the_loss_that_the_formulas_have_with_its_masks(shape: str) -> None:
    spec = small_spec(**SHAPES[shape])
    model, batch = loaded(spec), batches.one(spec)
    generator = model.random_state()
    loss = model.train_step(on_device(batch))
    model.set_random_state(generator)
    assert_near(
        loss.numpy(), oracle(spec).repeat_step(batch, model.draw_masks(spec.batch)), tolerances.ORACLE["reference"]
    )


def test_nothing_is_dropped_in_a_prediction_though_attentions_rate_is_an_argument() -> None:
    spec = small_spec(attention_dropout=0.9, dropout=0.5)
    model, without = loaded(spec), loaded(spec.changed(attention_dropout=0.0, dropout=0.0))
    batch = on_device(batches.one(spec))
    model.train_step(batch)
    model.load_state(initialisation.hot_state(spec))
    generator = model.random_state()
    assert torch.equal(model.predict(batch), without.predict(batch))
    assert torch.equal(model.random_state(), generator)


def test_positions_are_the_first_rows_of_their_table() -> None:
    layer, e = positions.layer(5, 2), torch.randn(3, 4, 2)
    assert torch.equal(positions.forward(layer, e), e + layer.weight[:4])
    positions.forward(layer, e).sum().backward()
    assert layer.weight.grad is not None
    assert torch.equal(layer.weight.grad, torch.tensor([3.0, 3, 3, 3, 0])[:, None].expand(5, 2))
