"""The specification of the recurrent network: by hand what it says of sizes, what it refuses, and what it trains on."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from implementations import data, initialisation, registry, text
from implementations.errors import BadInput
from implementations.rnn.conventions import CONVENTIONS
from implementations.rnn.spec import AXES, PHASES, SIZES, RNNSpec
from implementations.rnn.steps import STEPS, taken
from tests.support import batches
from tests.support.gradients import assert_near
from tests.support.rnn.small_models import CELLS

ROWS = RNNSpec(features=3, length=5, hidden=(4, 6), classes=2, batch=7)
TEXT = ROWS.changed(vocabulary=9, outputs="every")
GATES = {"lstm": 4, "gru": 3, "tanh": 1}


def refusal(**changes: Any) -> str:
    with pytest.raises(BadInput) as caught:
        RNNSpec().changed(**changes)
    return str(caught.value)


@pytest.mark.parametrize(
    ("preset", "parameters", "gflops", "axes", "summary"),
    [
        ("digits", 52_362, 0.071, (32, 64, 8), "lstm 8x8-64-64-10, dropout 0.2, clipped at 1, adam"),
        ("text", 117_344, 1.346, (32, 128, 64), "lstm 64 of 96 tokens-64-128-96 at every step, dropout 0.2, clipped at 1, adam"),
    ],
)  # fmt: skip
def test_presets_are_networks(preset: str, parameters: int, gflops: float, axes: Any, summary: str) -> None:
    spec = RNNSpec.preset(preset)
    assert sum(math.prod(t.shape) for t in spec.tensors().values() if t.role == "parameter") == parameters
    assert round(spec.flops("train_step") / 1e9, 3) == gflops
    assert spec.axes() == {"cell": "lstm"} | dict(zip(("batch", "width", "length"), axes, strict=True))
    assert spec.summary() == summary


def test_the_summary_leaves_out_what_is_switched_off() -> None:
    bare = ROWS.changed(cell="gru", dropout=0.0, clip_norm=0.0, optimizer={"kind": "sgd"})
    assert bare.summary() == "gru 5x3-4-6-2, sgd"
    assert {step.name for step in taken(ROWS)} - {step.name for step in taken(bare)} == {"lstm", "dropout", "clipping"}


@pytest.mark.parametrize("cell", CELLS)
def test_tensors_by_hand(cell: str) -> None:
    gates, tensors = GATES[cell], TEXT.changed(cell=cell).tensors()
    second = {"rnn1.recurrent_bias": (12,), "rnn2.recurrent_bias": (18,)} if cell == "gru" else {}
    assert {name: t.shape for name, t in tensors.items() if t.role == "parameter"} == {
        "embedding.weight": (9, 3),
        "rnn1.weight": (3, 4 * gates), "rnn1.recurrent_weight": (4, 4 * gates), "rnn1.bias": (4 * gates,),
        "rnn2.weight": (4, 6 * gates), "rnn2.recurrent_weight": (6, 6 * gates), "rnn2.bias": (6 * gates,),
        "output.weight": (6, 2), "output.bias": (2,),
    } | second  # fmt: skip
    assert {name for name, t in tensors.items() if t.decays} == {
        name for name in tensors if name.endswith("weight") and ":" not in name
    }
    assert {name for name in tensors if name not in ROWS.changed(cell=cell).tensors()} == {
        f"{slot}embedding.weight" for slot in ("", "m:", "v:")
    }


@pytest.mark.parametrize("cell", CELLS)
def test_training_begins_with_open_forget_gates_and_weights_of_their_inputs_deviation(cell: str) -> None:
    spec = TEXT.changed(cell=cell, hidden=(40, 60))
    state, tensors = initialisation.initial_state(spec), spec.tensors()
    for i, width in ((1, 40), (2, 60)):
        forget = np.zeros(GATES[cell] * width)
        forget[width : 2 * width] = cell == "lstm"
        np.testing.assert_array_equal(state[f"rnn{i}.bias"], forget)
        if cell == "gru":
            assert not state[f"rnn{i}.recurrent_bias"].any()
    deviations = {name: t.deviation for name, t in tensors.items() if t.decays}
    assert deviations == {
        "embedding.weight": 1.0, "rnn1.weight": 1 / math.sqrt(3), "rnn1.recurrent_weight": 1 / math.sqrt(40),
        "rnn2.weight": 1 / math.sqrt(40), "rnn2.recurrent_weight": 1 / math.sqrt(60), "output.weight": 1 / math.sqrt(60),
    }  # fmt: skip
    drawn = state["rnn2.recurrent_weight"]
    assert abs(drawn.std() * math.sqrt(60) - 1) < 5 / math.sqrt(2 * drawn.size)


def test_masks_are_of_what_is_read_above() -> None:
    shapes = {name: (m.shape, m.rate) for name, m in ROWS.masks(11).items()}
    assert shapes == {"dropout1.mask": ((11, 5, 4), 0.2), "dropout2.mask": ((11, 6), 0.2)}
    assert TEXT.masks(11)["dropout2.mask"].shape == (11, 5, 6)
    assert ROWS.changed(dropout=0.0).masks(11) == {}


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(("spec", "read"), [(ROWS, 7), (TEXT, 35)])
def test_matrix_products_by_hand(spec: RNNSpec, read: int, cell: str) -> None:
    """Of seven sequences of five steps: 35 rows at once, and four times one product of seven rows after the other."""
    one, two = 4 * GATES[cell], 6 * GATES[cell]
    spec = spec.changed(cell=cell)
    first, second = [(35, 3, one), *[(7, 4, one)] * 4], [(35, 4, two), *[(7, 6, two)] * 4]
    assert sorted(spec.matrix_products("predict")) == sorted([*first, *second, (read, 6, 2)])
    back = [(3, 35, one), (4, 28, one), *[(7, one, 4)] * 4, (4, 35, two), (6, 28, two), *[(7, two, 6)] * 4]
    back += [(35, two, 4), (6, read, 2), (read, 2, 6)] + ([(35, one, 3)] if spec.vocabulary else [])
    assert sorted(spec.matrix_products("train_step")) == sorted([*first, *second, (read, 6, 2), *back])


def test_a_sequence_of_one_step_has_no_product_with_a_state() -> None:
    spec = ROWS.changed(length=1, hidden=(4,))
    assert spec.matrix_products("train_step") == [(7, 3, 16), (3, 7, 16), (7, 4, 2), (4, 7, 2), (7, 2, 4)]


def test_a_batch_is_rows_or_tokens_and_one_label_or_one_for_every_step() -> None:
    rows, tokens = batches.one(ROWS), batches.one(TEXT.changed(batch=99))
    assert (rows["x"].shape, rows["y"].shape) == ((7, 5, 3), (7,))
    assert (tokens["x"].shape, tokens["y"].shape) == ((99, 5), (99, 5))
    assert set(np.unique(tokens["x"])) == set(range(9)) - {3}, "one of ten goes in never"
    assert (ROWS.predictions(), TEXT.predictions()) == ({"logits": (7, 2)}, {"logits": (7, 5, 2)})


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"vocabulary": 1}, "  vocabulary: One token says nothing. Give 2 or more, or 0 for rows of real numbers (given: 1)"),
        ({"vocabulary": -2}, "  vocabulary: Input should be greater than or equal to 0"),
        ({"cell": "elman"}, "  cell: Input should be 'lstm', 'gru' or 'tanh'"),
        ({"outputs": "first"}, "  outputs: Input should be 'last' or 'every'"),
        ({"hidden": ()}, "  hidden: Tuple should have at least 1 item"),
        ({"hidden": (4, 0)}, "  hidden.1: Input should be greater than 0"),
        ({"clip_norm": -0.5}, "  clip_norm: Input should be greater than or equal to 0"),
        ({"classes": 1}, "  classes: "),
        ({"batch_norm": True}, "  batch_norm: no such field; "),
    ],
)  # fmt: skip
def test_refusals_name_the_field_and_the_fix(changes: dict[str, Any], line: str) -> None:
    assert line in refusal(**changes)


def test_the_width_is_that_of_all_layers() -> None:
    assert RNNSpec().changed(width=8).hidden == (8, 8)
    assert ROWS.axes() == {"cell": "lstm", "batch": 7, "length": 5}
    assert ROWS.changed(width=9, cell="gru").axes() == {"cell": "gru", "batch": 7, "width": 9, "length": 5}


def test_sizes_are_on_the_axes_and_run_in_every_phase() -> None:
    for sizes in SIZES.values():
        for size in sizes:
            spec = RNNSpec().changed(**size)
            assert set(size) <= set(AXES)
            assert spec.axes().items() >= size.items()
            assert {spec.changed(batch=1).problem_with(phase) for phase in PHASES} == {None}


def test_a_variant_is_another_form_of_epsilon() -> None:
    assert ROWS.variant("spec") is ROWS
    assert ROWS.variant("stock").optimizer == ROWS.optimizer.model_copy(update={"epsilon_form": "hat"})
    descent = ROWS.changed(optimizer={"kind": "sgd"})
    assert descent.variant("stock") == descent
    with pytest.raises(BadInput, match="no such variant 'stork'; there are 'spec' and 'stock'"):
        ROWS.variant("stork")


# Data


def own_data(spec: RNNSpec) -> Any:
    return registry.part("rnn", "data").default(spec)


def test_digits_are_sequences_of_rows_that_fit() -> None:
    digits = own_data(RNNSpec())
    assert digits.x_train.shape == (1437, 8, 8)
    assert RNNSpec().misfit(digits) is None
    np.testing.assert_array_equal(digits.x_train, data.digits().x_train)
    assert RNNSpec().metric.name == "accuracy"


def test_the_text_fits_and_is_measured_in_bits() -> None:
    spec = RNNSpec.preset("text")
    pages = own_data(spec)
    assert pages.x_train.shape[1:] == pages.y_train.shape[1:] == (64,)
    assert spec.misfit(pages) is None
    assert spec.sized_for(pages) == spec
    assert (spec.metric.name, spec.metric.share) == ("bits per character", False)
    guess = {"y": pages.y_test[:2]}
    assert_near(spec.metric.of(np.zeros((2, 64, 96), np.float32), guess), math.log2(96))


def test_a_network_is_made_for_other_sequences() -> None:
    x, y = np.zeros((20, 6, 4), np.float32), np.arange(20) % 3
    made = data.Dataset("mine", x, y, x, y)
    assert RNNSpec().sized_for(made) == RNNSpec(length=6, features=4, classes=3)
    with pytest.raises(BadInput, match="Number the classes from 0 without gaps"):
        RNNSpec().sized_for(data.Dataset("mine", x, 10 * y, x, y))


PAGES = RNNSpec.preset("text")


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (RNNSpec(length=9), ["length: the data 'digits' has 8, the specification 9", "Set length = 8"]),
        (RNNSpec(features=4), ["features: the data 'digits' has 8, the specification 4", "Set features = 8"]),
        (RNNSpec(classes=9), ["classes: ", "outside [0, 9) in y_train of the data 'digits'", "Set classes = 10"]),
        (RNNSpec(outputs="every"), ["outputs: the data 'digits' has labels of shape (1437,)", 'Set it to "last"']),
        (PAGES, ["vocabulary: the data 'digits' does not hold sequences of tokens", "vocabulary = 96", "set it to 0"]),
    ],
)
def test_what_does_not_fit_the_digits_is_told_with_the_fix(spec: RNNSpec, words: list[str]) -> None:
    told = str(spec.misfit(own_data(RNNSpec())))
    assert [word for word in words if word not in told] == []


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (RNNSpec(), ["does not hold sequences of rows of numbers", "vocabulary = 0", "set a vocabulary"]),
        (PAGES.changed(length=32), ["length: ", "has 64, the specification 32"]),
        (
            PAGES.changed(vocabulary=20),
            ["vocabulary: ", "tokens up to 95, the specification 20", "Set vocabulary = 96"],
        ),
        (PAGES.changed(classes=20), ["classes: ", "outside [0, 20) in y_train", "Set classes = 96"]),
        (PAGES.changed(outputs="last"), ["outputs: ", 'what outputs = "last" takes', 'Set it to "every", or']),
    ],
)
def test_what_does_not_fit_the_text_is_told_with_the_fix(spec: RNNSpec, words: list[str]) -> None:
    told = str(spec.misfit(own_data(PAGES)))
    assert [word for word in words if word not in told] == []


def test_features_are_no_sequences() -> None:
    assert "does not hold sequences of rows" in str(RNNSpec().misfit(data.digits().flat()))


def test_a_file_is_what_the_specification_reads(tmp_path: Path) -> None:
    load = registry.part("rnn", "data").load
    novel, images = tmp_path / "novel.txt", tmp_path / "images.npz"
    novel.write_text("It was a dark and stormy night. " * 99, encoding="utf-8")
    x, y = np.random.default_rng(0).integers(0, 255, (30, 4, 5, 3), np.uint8), np.arange(30) % 3
    np.savez(images, x=x, y=y, x_test=x, y_test=y)
    assert load(novel, PAGES).describe() == text.load(novel, 64).describe()
    np.testing.assert_array_equal(load(images, RNNSpec()).x_train, x.reshape(30, 4, 15).astype(np.float32) / 255)
    for path, spec, told in (
        (novel, RNNSpec(), "is a text, and the specification has no vocabulary. Say --spec text"),
        (images, PAGES, "the specification has a vocabulary, which takes a text. Give a .txt file"),
        (tmp_path, PAGES, "is not a file. Give the path of a text file"),
        (tmp_path, RNNSpec(), "no train-images-idx3-ubyte"),
        (tmp_path / "none.npz", PAGES, "cannot be read (No such file or directory)"),
    ):
        with pytest.raises(BadInput) as caught:
            load(path, spec)
        assert f"--data {path}: {told}" in str(caught.value)


# Words


def test_the_steps_are_complete_and_in_the_order_in_which_they_happen() -> None:
    assert [step.name for step in STEPS] == [
        "embedding", "recurrent", "lstm", "gru", "tanh", "dropout", "output", "loss", "backward", "clipping", "update",
    ]  # fmt: skip
    assert all(step.formula and step.explanation and step.source and step.shown_by for step in STEPS)
    assert [step.name for step in taken(TEXT.changed(cell="gru"))] == [
        "embedding", "recurrent", "gru", "dropout", "output", "loss", "backward", "clipping", "update",
    ]  # fmt: skip


def test_every_convention_says_what_was_chosen_and_after_whom() -> None:
    assert len({convention.item for convention in CONVENTIONS}) == len(CONVENTIONS)
    assert all(convention.choice and convention.source for convention in CONVENTIONS)
