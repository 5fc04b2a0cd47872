"""The specification of the convolutional network: by hand what it says of sizes, and what it refuses."""

import math
from typing import Any

import numpy as np
import pytest

from implementations import data, registry
from implementations.cnn.conventions import CONVENTIONS
from implementations.cnn.spec import AXES, PHASES, SIZES, CNNSpec
from implementations.cnn.steps import STEPS
from implementations.errors import BadInput
from implementations.mlp.spec import MLPSpec
from tests.support import batches

SMALL = CNNSpec(image=(9, 6, 3), channels=(4, 5), hidden=(7,), classes=2, batch=10)


def refusal(**changes: Any) -> str:
    with pytest.raises(BadInput) as caught:
        CNNSpec().changed(**changes)
    return str(caught.value)


@pytest.mark.parametrize(
    ("preset", "parameters", "gflops"), [("digits", 53_226, 0.262), ("mnist", 421_866, 3.20), ("cifar", 357_162, 7.90)]
)
def test_presets_are_networks(preset: str, parameters: int, gflops: float) -> None:
    spec = CNNSpec.preset(preset)
    assert sum(math.prod(t.shape) for t in spec.tensors().values() if t.role == "parameter") == parameters
    assert round(spec.flops("train_step") / 1e9, 3 if gflops < 1 else 2) == gflops
    assert spec.axes() == {"batch": 128, "width": 32}


def test_tensors_by_hand() -> None:
    tensors = SMALL.tensors()
    assert {name: t.shape for name, t in tensors.items() if t.role == "parameter"} == {
        "conv1.weight": (3, 3, 3, 4), "norm1.gamma": (4,), "norm1.beta": (4,),
        "conv2.weight": (3, 3, 4, 5), "norm2.gamma": (5,), "norm2.beta": (5,),
        "dense3.weight": (2 * 1 * 5, 7), "norm3.gamma": (7,), "norm3.beta": (7,),
        "output.weight": (7, 2), "output.bias": (2,),
    }  # fmt: skip
    assert {name for name, t in tensors.items() if t.role == "statistic"} == {
        f"norm{i}.running_{what}" for i in (1, 2, 3) for what in ("mean", "variance")
    }
    assert {name for name, t in tensors.items() if t.decays} == {
        "conv1.weight", "conv2.weight", "dense3.weight", "output.weight"
    }  # fmt: skip
    assert tensors["conv2.weight"].layout == "(height, width, in, out)"


def test_without_batch_norm_there_are_biases() -> None:
    tensors = SMALL.changed(batch_norm=False).tensors()
    assert tensors["conv1.bias"].shape == (4,)
    assert tensors["dense3.bias"].shape == (7,)
    assert not [name for name in tensors if name.startswith("norm")]


def test_the_first_kernel_has_the_deviation_of_its_inputs() -> None:
    """He et al. 2015: of the 9 C numbers that each output is a sum over, not of the 3 of the first axis."""
    tensors = SMALL.tensors()
    assert tensors["conv1.weight"].deviation == math.sqrt(2 / 27)
    assert tensors["conv2.weight"].deviation == math.sqrt(2 / 36)
    assert tensors["dense3.weight"].deviation == math.sqrt(2 / 10)


def test_masks_are_those_of_the_dense_blocks() -> None:
    assert {name: (m.shape, m.after) for name, m in SMALL.masks(6).items()} == {"dropout3.mask": ((6, 7), "relu3")}


def test_matrix_products_by_hand() -> None:
    forward = [(10 * 54, 27, 4), (10 * 12, 36, 5), (10, 10, 7), (10, 7, 2)]
    assert SMALL.matrix_products("predict") == forward
    assert SMALL.matrix_products("train_step") == [
        *forward,
        *((inner, rows, columns) for rows, inner, columns in forward),
        (10 * 12, 45, 4), (10, 7, 10), (10, 2, 7),
    ]  # fmt: skip


def test_least_bytes_count_the_images() -> None:
    images = 4 * 10 * 9 * 6 * 3
    fewer = SMALL.changed(batch=5)
    assert SMALL.least_bytes("predict") - fewer.least_bytes("predict") == images // 2 + 4 * 5 * 2


def test_a_batch_is_images_and_labels() -> None:
    batch = batches.one(SMALL)
    assert (batch["x"].shape, batch["y"].shape) == ((10, 9, 6, 3), (10,))


@pytest.mark.parametrize(
    ("changes", "lines"),
    [
        ({"image": (3, 8, 1)}, ["  channels: 2 pools halve an image of 3x8 to nothing", "at least 4", "larger image, or fewer"]),
        ({"channels": (1, 1, 1, 1)}, ["  channels: 4 pools halve an image of 8x8", "at least 16"]),
        ({"image": (8, 8)}, ["  image.2: Field required"]),
        ({"image": (8, 8, 0)}, ["  image.2: Input should be greater than 0"]),
        ({"image": (0, 8, 1), "channels": (True,)}, ["  image.0: ", "  channels.0: "]),
        ({"image": 8}, ["  image: "]),
        ({"kernel": 5}, ["  kernel: no such field; fields are"]),
    ],
)  # fmt: skip
def test_refusals_name_the_field_and_the_fix(changes: dict[str, Any], lines: list[str]) -> None:
    message = refusal(**changes)
    assert [line for line in lines if line not in message] == []


def test_the_width_is_that_of_the_first_block_and_the_others_are_in_proportion() -> None:
    assert CNNSpec().changed(width=8).channels == (8, 16)
    assert CNNSpec.preset("cifar").changed(width=8).axes() == {"batch": 128, "width": 8}
    assert SMALL.axes() == {"batch": 10}
    with pytest.raises(BadInput, match="no convolution"):
        CNNSpec(channels=()).changed(width=8)
    assert CNNSpec(channels=()).axes() == {"batch": 128}


def test_sizes_are_on_the_axes() -> None:
    assert {axis for sizes in SIZES.values() for size in sizes for axis in size} <= set(AXES)
    for sizes in SIZES.values():
        for size in sizes:
            assert CNNSpec().changed(**size).axes().items() >= size.items()


def test_one_image_has_a_variance_in_its_maps_but_not_in_its_dense_units() -> None:
    assert "at least 2 samples" in str(SMALL.changed(batch=1).problem_with("train_step"))
    for phase in PHASES[:2]:
        assert SMALL.changed(batch=1, hidden=()).problem_with(phase) is None
    assert SMALL.changed(batch=1).problem_with("predict") is None


def test_the_summary_tells_the_sizes() -> None:
    assert SMALL.summary() == "9x6x3-4-5-7-2, batch norm, dropout 0.2, sgd"


# Data


def test_digits_are_images_that_fit() -> None:
    digits = registry.part("cnn", "data").default(CNNSpec())
    assert digits.x_train.shape == (1437, 8, 8, 1)
    assert CNNSpec().misfit(digits) is None
    np.testing.assert_array_equal(digits.x_train.reshape(1437, -1), registry.part("mlp", "data").default(None).x_train)


def test_a_network_is_made_for_other_images() -> None:
    images = np.zeros((20, 6, 12, 3), np.float32)
    made = data.Dataset("mine", images, np.arange(20) % 3, images, np.arange(20) % 3)
    assert CNNSpec().sized_for(made) == CNNSpec(image=(6, 12, 3), classes=3)
    assert "image: the data 'mine' has images of (height, width, channels) (6, 12, 3)" in str(CNNSpec().misfit(made))
    assert "Set image = [6, 12, 3]" in str(CNNSpec().misfit(made))
    assert "classes: 6 labels" in str(CNNSpec(image=(6, 12, 3), classes=2).misfit(made))
    with pytest.raises(BadInput, match="3 pools halve an image of 6x12 to nothing"):
        CNNSpec(channels=(1, 1, 1)).sized_for(made)


# Words


def test_the_steps_are_complete_and_in_the_order_in_which_they_happen() -> None:
    assert [step.name for step in STEPS] == [
        "convolution", "batch_norm", "relu", "max_pool", "flatten", "dense", "dropout", "output", "loss", "backward", "update",
    ]  # fmt: skip
    assert all(step.formula and step.explanation and step.source and step.shown_by for step in STEPS)


def test_every_convention_says_what_was_chosen_and_after_whom() -> None:
    assert len({convention.item for convention in CONVENTIONS}) == len(CONVENTIONS)
    assert all(convention.choice and convention.source for convention in CONVENTIONS)


# Without convolutions


def test_without_channels_it_is_the_perceptron() -> None:
    spec, perceptron = CNNSpec(channels=(), hidden=(128, 128)), MLPSpec()
    assert spec.tensors() == perceptron.tensors()
    assert spec.masks(7) == perceptron.masks(7)
    for phase in ("predict", "train_step"):
        assert spec.matrix_products(phase) == perceptron.matrix_products(phase)
        assert spec.least_bytes(phase) == perceptron.least_bytes(phase)


@pytest.mark.parametrize("phase", ["predict", "train_step"])
def test_a_quarter_of_a_convolutions_products_may_do(phase: str) -> None:
    """Winograd's way: what is faster than all of them is not impossible for that."""
    spec = CNNSpec(image=(10, 7, 3), channels=(4, 6), hidden=(5,), classes=2, batch=8)
    conv = [(8 * 70, 27, 4), (8 * 15, 36, 6)]
    each = [2 * rows * inner * outputs for rows, inner, outputs in conv]
    of_convolutions = sum(each) if phase == "predict" else 2 * each[0] + 3 * each[1]
    assert spec.least_flops(phase) == spec.flops(phase) - of_convolutions + of_convolutions // 4
    assert spec.changed(channels=()).least_flops(phase) == spec.changed(channels=()).flops(phase)
