"""The specification: what it accepts, how it refuses, and its sizes worked out by hand."""

import dataclasses
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from implementations import data, registry
from implementations.classifier import STOCK_KERAS
from implementations.declarations import BatchArray, Mask, Tensor
from implementations.errors import BadInput
from implementations.mlp.conventions import CONVENTIONS
from implementations.mlp.spec import AXES, PHASES, MLPSpec
from implementations.mlp.steps import STEPS
from implementations.spec import SGD, Adam, AdamW

SMALL = MLPSpec(features=3, hidden=(4, 5), classes=2, batch=6)


def refusal(values: dict[str, Any]) -> str:
    with pytest.raises(BadInput) as caught:
        MLPSpec.parse(values, "mine.toml")
    return str(caught.value)


def toml(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


# Making one


def test_presets_are_networks() -> None:
    assert MLPSpec.preset("digits") == MLPSpec()
    mnist = MLPSpec.preset("mnist")
    assert (mnist.features, mnist.hidden, mnist.classes) == (784, (512, 512), 10)
    assert all(MLPSpec.preset(name) for name in MLPSpec.PRESETS)
    with pytest.raises(BadInput, match="--spec cifar: no such preset or file; presets of the MLP are digits, mnist"):
        MLPSpec.preset("cifar")


def test_a_toml_file_describes_a_network(tmp_path: Path) -> None:
    text = 'hidden = [7]\nbatch_norm = false\n[optimizer]\nkind = "adamw"\nweight_decay = 0.5\n'
    spec = MLPSpec.load(toml(tmp_path, text))
    assert spec == MLPSpec(hidden=(7,), batch_norm=False, optimizer=AdamW(weight_decay=0.5))
    assert MLPSpec.load(toml(tmp_path, "")) == MLPSpec()


def test_a_file_that_is_missing_or_not_toml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"none.toml: cannot be read .*Give the path of a TOML file"):
        MLPSpec.load(tmp_path / "none.toml")
    with pytest.raises(BadInput, match=r"mine.toml: is not TOML .*toml.io"):
        MLPSpec.load(toml(tmp_path, "batch: 3"))
    (tmp_path / "mine.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(BadInput, match="is not TOML"):
        MLPSpec.load(tmp_path / "mine.toml")
    with pytest.raises(BadInput, match="is not a file"):
        MLPSpec.load(tmp_path)


def test_it_survives_the_way_to_a_worker_and_back() -> None:
    spec = SMALL.changed(optimizer={"kind": "adamw"}, precision="float64")
    assert MLPSpec.parse(spec.model_dump(mode="json"), "the job") == spec


def test_every_mistake_is_told_at_once() -> None:
    message = refusal(
        {
            "features": 0,
            "hidden": [8, -1],
            "classes": 1,
            "batch": "many",
            "dropout": 1.0,
            "norm_epsilon": 0.0,
            "norm_momentum": -0.1,
            "running_variance": "both",
            "precision": "float16",
            "seed": -1,
            "optimizer": {"kind": "adam", "beta1": 1.0, "epsilon": float("inf")},
            "fetures": 3,
        }
    )
    lines = message.splitlines()
    assert lines[0] == "mine.toml is not a valid MLP specification:"
    assert {line.split(":")[0].strip() for line in lines[1:]} == {
        "features", "hidden.1", "classes", "batch", "dropout", "norm_epsilon", "norm_momentum", "running_variance",
        "precision", "seed", "optimizer.beta1", "optimizer.epsilon", "fetures",
    }  # fmt: skip
    assert "features: Input should be greater than 0 (given: 0)" in message
    assert "dropout: Input should be less than 1 (given: 1.0)" in message


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("features = true", "features"),
        ("hidden = [true]", "hidden.0"),
        ("hidden = 8", "hidden"),
        ("classes = true", "classes"),
        ("batch = 8.0", "batch"),
        ('batch = "8"', "batch"),
        ("batch_norm = 1", "batch_norm"),
        ('batch_norm = "no"', "batch_norm"),
        ("norm_epsilon = true", "norm_epsilon"),
        ("dropout = false", "dropout"),
        ('dropout = "0.5"', "dropout"),
        ("seed = true", "seed"),
        ('optimizer = { kind = "sgd", learning_rate = true }', "optimizer.learning_rate"),
        ('optimizer = { kind = "sgd", momentum = false }', "optimizer.momentum"),
        ('optimizer = { kind = "adamw", weight_decay = true }', "optimizer.weight_decay"),
    ],
)
def test_a_value_of_another_type_is_refused_by_field_and_not_converted(tmp_path: Path, line: str, field: str) -> None:
    with pytest.raises(BadInput, match=rf"\n  {field}: Input should be a valid .* \(given: ") as caught:
        MLPSpec.load(toml(tmp_path, line))
    assert len(str(caught.value).splitlines()) == 2


def test_a_whole_number_may_stand_for_a_real_one(tmp_path: Path) -> None:
    text = 'dropout = 0\n[optimizer]\nkind = "sgd"\nlearning_rate = 1\n'
    assert MLPSpec.load(toml(tmp_path, text)) == MLPSpec(dropout=0.0, optimizer=SGD(learning_rate=1.0))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1e-9, 1.0])
def test_a_rate_is_from_0_to_below_1(value: float) -> None:
    assert "dropout" in refusal({"dropout": value})
    assert MLPSpec(dropout=0.0).dropout == 0.0


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"bacth": 3}, "bacth: no such field; did you mean batch?"),
        ({"zzz": 3}, "zzz: no such field; fields are batch, optimizer, precision, seed, hidden, classes"),
        (
            {"optimizer": {"kind": "sgd", "lr": 1}},
            "optimizer.lr: no such field; fields are kind, learning_rate, momentum",
        ),
        (
            {"optimizer": {"kind": "adam", "epsilonform": "hat"}},
            "optimizer.epsilonform: no such field; did you mean epsilon_form?",
        ),
        (
            {"optimizer": {"kind": "sgd", "weight_decay": 1}},
            "optimizer.weight_decay: no such field; fields are kind, learning_rate, momentum",
        ),
        ({"optimizer": {"kind": "sdg"}}, "optimizer: write [optimizer] and kind = one of sgd, adam, adamw"),
        ({"sgd": {"momentum": 0.5}}, "sgd: no such field; "),
        ({"adam": 1}, "adam: no such field; "),
    ],
)
def test_an_unknown_field_gets_the_nearest_name_of_the_same_place(values: dict[str, Any], line: str) -> None:
    assert f"  {line}" in refusal(values)


def test_a_specification_cannot_be_changed_in_place() -> None:
    with pytest.raises(ValueError, match="frozen"):
        SMALL.batch = 3  # type: ignore[misc]  # it is read-only: that is what is tested


def test_changed_is_a_validated_copy() -> None:
    wide = SMALL.changed(width=9, batch=2)
    assert (wide.hidden, wide.batch) == ((9, 9), 2)
    assert (SMALL.hidden, SMALL.batch) == ((4, 5), 6)
    assert wide.optimizer == SMALL.optimizer
    with pytest.raises(BadInput, match=r"hidden\.0"):
        SMALL.changed(width=0)
    with pytest.raises(BadInput, match="bath: no such field; did you mean batch"):
        SMALL.changed(bath=3)


def test_a_network_without_hidden_layers_has_no_width_to_change() -> None:
    with pytest.raises(BadInput, match="width: this network has no hidden layer"):
        MLPSpec(hidden=()).changed(width=3)


# What it says of the network


def test_tensors_by_hand() -> None:
    def kernel(*shape: int) -> Tensor:
        deviation = (2 / shape[0]) ** 0.5
        return Tensor(shape, "parameter", initial="normal", deviation=deviation, decays=True, layout="(in, out)")

    def zeros(width: int) -> Tensor:
        return Tensor((width,), "parameter", initial="zeros")

    def ones(width: int) -> Tensor:
        return Tensor((width,), "parameter", initial="ones")

    parameters = {
        "dense1.weight": kernel(3, 4), "norm1.gamma": ones(4), "norm1.beta": zeros(4),
        "dense2.weight": kernel(4, 5), "norm2.gamma": ones(5), "norm2.beta": zeros(5),
        "output.weight": kernel(5, 2), "output.bias": zeros(2),
    }  # fmt: skip
    statistics = {f"norm{i}.running_mean": Tensor((width,), "statistic") for i, width in ((1, 4), (2, 5))}
    statistics |= {
        f"norm{i}.running_variance": Tensor((width,), "statistic", initial="ones", positive=True)
        for i, width in ((1, 4), (2, 5))
    }
    slots = {
        f"velocity:{name}": Tensor(tensor.shape, "slot", name, layout="(in, out)" if "weight" in name else "")
        for name, tensor in parameters.items()
    }
    assert SMALL.tensors() == parameters | statistics | slots


def test_without_batch_norm_there_are_biases_and_no_statistics() -> None:
    spec = SMALL.changed(batch_norm=False, optimizer={"kind": "sgd", "momentum": 0.0})
    assert {name: tensor.shape for name, tensor in spec.tensors().items()} == {
        "dense1.weight": (3, 4), "dense1.bias": (4,), "dense2.weight": (4, 5), "dense2.bias": (5,),
        "output.weight": (5, 2), "output.bias": (2,),
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["adam", "adamw"])
def test_adam_has_two_moments_of_each_parameter_and_one_counter(kind: str) -> None:
    tensors = SMALL.changed(optimizer={"kind": kind}).tensors()
    parameters = [name for name, tensor in tensors.items() if tensor.role == "parameter"]
    slots = {name: tensor for name, tensor in tensors.items() if tensor.role == "slot"}
    assert set(slots) == {f"{moment}:{name}" for moment in ("m", "v") for name in parameters}
    assert all(tensor.shape == tensors[tensor.of or ""].shape for tensor in slots.values())
    assert {name for name, tensor in slots.items() if tensor.positive} == {f"v:{name}" for name in parameters}
    assert [name for name, tensor in tensors.items() if tensor.role == "counter"] == ["step"]
    assert tensors["step"].shape == ()


def test_masks_are_those_of_the_hidden_layers() -> None:
    rate = SMALL.dropout
    assert SMALL.masks(6) == {
        "dropout1.mask": Mask((6, 4), rate, "relu1"),
        "dropout2.mask": Mask((6, 5), rate, "relu2"),
    }
    assert SMALL.masks(1) == {
        "dropout1.mask": Mask((1, 4), rate, "relu1"),
        "dropout2.mask": Mask((1, 5), rate, "relu2"),
    }
    assert SMALL.changed(dropout=0.7).masks(1)["dropout2.mask"] == Mask((1, 5), 0.7, "relu2")
    assert SMALL.changed(dropout=0.0).masks(6) == {}


def test_matrix_products_by_hand() -> None:
    forward = [(6, 3, 4), (6, 4, 5), (6, 5, 2)]
    weights = [(3, 6, 4), (4, 6, 5), (5, 6, 2)]
    inputs = [(6, 5, 4), (6, 2, 5)]  # the first layer's input needs no gradient
    assert SMALL.matrix_products("predict") == forward
    for phase in ("train_step", "epoch"):
        assert SMALL.matrix_products(phase) == forward + weights + inputs


def test_flops_by_hand() -> None:
    forward = 2 * 6 * (3 * 4 + 4 * 5 + 5 * 2)
    assert forward == 504
    assert SMALL.flops("predict") == 504
    assert SMALL.flops("train_step") == 504 + 504 + 2 * 6 * (5 * 4 + 2 * 5) == 1368


def test_a_network_without_hidden_layers_is_one_layer() -> None:
    spec = MLPSpec(features=3, hidden=(), classes=2, batch=6)
    assert list(spec.tensors()) == ["output.weight", "output.bias", "velocity:output.weight", "velocity:output.bias"]
    assert spec.masks(6) == {}
    assert spec.matrix_products("train_step") == [(6, 3, 2), (3, 6, 2)]
    assert spec.axes() == {"batch": 6}
    assert spec.changed(batch=1).problem_with("train_step") is None


def test_the_axes_are_the_batch_and_the_width_if_there_is_one() -> None:
    assert MLPSpec().axes() == {"batch": 128, "width": 128}
    assert SMALL.axes() == {"batch": 6}
    assert SMALL.changed(width=7).axes() == {"batch": 6, "width": 7}
    assert tuple(MLPSpec().axes()) == AXES
    assert MLPSpec().changed(**MLPSpec().axes()) == MLPSpec()


def test_one_sample_can_be_predicted_but_not_normalised() -> None:
    one = SMALL.changed(batch=1)
    assert one.problem_with("predict") is None
    for phase in ("train_step", "epoch", "products"):
        problem = one.problem_with(phase)
        assert problem is not None
        assert problem.startswith("batch: ")
        assert "batch_norm = false" in problem
    assert one.changed(batch_norm=False).problem_with("train_step") is None
    assert all(SMALL.problem_with(phase) is None for phase in PHASES)


# Variants


def test_the_stock_variant_changes_what_stock_keras_does_differently_and_nothing_else() -> None:
    adam = SMALL.changed(optimizer={"kind": "adam", "beta1": 0.8})
    stock = adam.variant("stock")
    assert stock.running_variance == "biased"
    assert stock.optimizer == Adam(beta1=0.8, epsilon_form="hat")
    changed = stock.model_dump() | {"running_variance": "unbiased", "optimizer": adam.model_dump()["optimizer"]}
    assert changed == adam.model_dump()
    assert SMALL.variant("stock").optimizer == SGD()
    assert SMALL.variant("spec") == SMALL
    assert set(STOCK_KERAS.frameworks) < set(registry.FAMILIES)
    with pytest.raises(BadInput, match="variant: no such variant 'own'; there are 'spec' and 'stock'"):
        SMALL.variant("own")


# The texts


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_every_step_has_a_formula_an_explanation_and_a_source(step: Any) -> None:
    assert step.title
    assert "=" in step.formula
    assert len(step.explanation) >= 150
    assert any(character.isdigit() for character in step.source), "a source has a year"


def test_the_steps_are_complete_and_in_the_order_in_which_they_happen() -> None:
    names = ["dense", "batch_norm", "relu", "dropout", "output", "loss", "backward", "update"]
    assert [step.name for step in STEPS] == names


def test_every_convention_says_what_was_chosen_and_after_whom() -> None:
    assert len({convention.item for convention in CONVENTIONS}) == len(CONVENTIONS) >= 15
    for convention in CONVENTIONS:
        assert convention.item
        assert convention.choice
        assert convention.source


def test_the_conventions_name_the_defaults_of_the_specification() -> None:
    choices = {convention.item: convention.choice for convention in CONVENTIONS}
    assert choices["batch-norm epsilon"].startswith("1e-5")
    assert MLPSpec().norm_epsilon == 1e-5
    assert choices["batch-norm momentum"].startswith("0.9")
    assert MLPSpec().norm_momentum == 0.9
    assert "unbiased" in choices["running variance"]
    assert MLPSpec().running_variance == "unbiased"
    assert "1e-8" in choices["Adam"]
    assert Adam().epsilon == 1e-8


# Against a data set


def test_data_that_fits_has_no_misfit() -> None:
    assert MLPSpec().misfit(data.digits()) is None
    assert MLPSpec(classes=12).misfit(data.digits()) is None
    assert MLPSpec(features=7, classes=3).sized_for(data.digits()).misfit(data.digits()) is None


def test_another_width_is_a_misfit() -> None:
    misfit = MLPSpec(features=784).misfit(data.digits())
    assert re.search(r"features: the data 'digits' has 64 per sample, .* 784.*Set features = 64", misfit or "")


@pytest.mark.parametrize("field", ["y_train", "y_test"])
def test_labels_outside_the_classes_are_a_misfit(field: str) -> None:
    digits = data.digits()
    others = {name: np.minimum(getattr(digits, name), 8) for name in ("y_train", "y_test") if name != field}
    misfit = MLPSpec(classes=9).misfit(dataclasses.replace(digits, **others))
    assert re.search(rf"labels outside \[0, 9\) in {field} .*Set classes = 10", misfit or "", re.DOTALL)


def test_a_batch_is_features_and_labels() -> None:
    assert SMALL.arrays() == {"x": BatchArray((6, 3), "input"), "y": BatchArray((6,), "target", below=2)}
