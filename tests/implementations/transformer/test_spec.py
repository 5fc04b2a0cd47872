"""The specification of the Transformer: by hand what it says of sizes, what it refuses, and what fits it."""

import math
from typing import Any

import numpy as np
import pytest

from implementations import data, initialisation, registry
from implementations.errors import BadInput
from implementations.transformer.conventions import CONVENTIONS
from implementations.transformer.spec import AXES, PHASES, SIZES, TransformerSpec
from implementations.transformer.steps import STEPS, taken
from tests.support import batches
from tests.support.gradients import assert_near

TOKENS = TransformerSpec(vocabulary=9, length=5, classes=3, width=6, heads=2, blocks=2, batch=7, attention_dropout=0.2)
ROWS = TOKENS.changed(vocabulary=0, features=4, outputs="mean")


def refusal(**changes: Any) -> str:
    with pytest.raises(BadInput) as caught:
        TransformerSpec().changed(**changes)
    return str(caught.value)


@pytest.mark.parametrize(
    ("preset", "parameters", "training", "prediction", "axes", "summary"),
    [
        ("text", 115_968, 0.742, 0.247, (16, 64, 64), "64 of 96 tokens-64-96, 2 blocks of 4 heads, dropout 0.1, adamw"),
        ("text-wide", 3_237_376, 42.178, 14.059, (16, 256, 128), "128 of 96 tokens-256-96, 4 blocks of 16 heads, dropout 0.1, adamw"),
        ("digits", 26_176, 0.164, 0.055, (64, 32, 16), "16x4-32-10 of the mean, 2 blocks of 2 heads, dropout 0.1, adamw"),
    ],
)  # fmt: skip
def test_presets_are_networks(
    preset: str, parameters: int, training: float, prediction: float, axes: Any, summary: str
) -> None:
    spec = TransformerSpec.preset(preset)
    assert sum(math.prod(t.shape) for t in spec.tensors().values() if t.role == "parameter") == parameters
    assert [round(spec.flops(phase) / 1e9, 3) for phase in ("train_step", "predict")] == [training, prediction]
    assert spec.axes() == dict(zip(("batch", "width", "length"), axes, strict=True))
    assert spec.summary() == summary


def test_the_summary_leaves_out_what_is_switched_off() -> None:
    bare = ROWS.changed(dropout=0.0, attention_dropout=0.0, heads=1, blocks=1, optimizer={"kind": "sgd"})
    assert bare.summary() == "5x4-6-3 of the mean, 1 block of 1 head, sgd"
    assert TOKENS.summary().endswith("dropout 0.1, dropout 0.2 in attention, adamw")
    assert {step.name for step in taken(TOKENS)} - {step.name for step in taken(bare)} == {"embedding", "dropout"}
    assert "dropout" in {step.name for step in taken(bare.changed(attention_dropout=0.2))}


def test_tensors_by_hand() -> None:
    tensors = TOKENS.tensors()
    block = {
        "attention_norm{}.gamma": (6,), "attention_norm{}.beta": (6,),
        "attention{}.query": (6, 6), "attention{}.key": (6, 6), "attention{}.value": (6, 6), "attention{}.mixed": (6, 6),
        "feed_forward_norm{}.gamma": (6,), "feed_forward_norm{}.beta": (6,),
        "expand{}.weight": (6, 24), "expand{}.bias": (24,), "contract{}.weight": (24, 6), "contract{}.bias": (6,),
    }  # fmt: skip
    blocks = {name.format(i): shape for i in (1, 2) for name, shape in block.items()}
    others = {"norm.gamma": (6,), "norm.beta": (6,), "output.weight": (6, 3), "positions.weight": (5, 6)}
    found = {name: t.shape for name, t in tensors.items() if t.role == "parameter"}
    assert found == {"embedding.weight": (9, 6)} | blocks | others
    assert {name for name, t in tensors.items() if t.decays} == {
        name for name, shape in found.items() if len(shape) == 2
    }
    assert {t.role for t in tensors.values()} == {"parameter", "slot", "counter"}
    assert len([t for t in tensors.values() if t.role == "slot"]) == 2 * len(found)
    of_rows = {name: t.shape for name, t in ROWS.tensors().items() if t.role == "parameter"}
    assert of_rows == found | {"embedding.weight": (4, 6)}
    assert (tensors["embedding.weight"].layout, ROWS.tensors()["embedding.weight"].layout) == (
        "(token, number)", "(in, out)",
    )  # fmt: skip


def test_training_begins_with_small_tables_and_branches_that_add_little() -> None:
    """What writes to the stream is smaller by the root of how many do: four, in two blocks."""
    spec = TOKENS.changed(width=64, heads=2, vocabulary=50)
    deviations = {name: t.deviation for name, t in spec.tensors().items() if t.decays}
    by_hand = {
        "query": 1 / 8, "key": 1 / 8, "value": 1 / 8, "mixed": 1 / 8 / 2, "expand": 1 / 8, "contract": 1 / 16 / 2, "output": 1 / 8,
        "embedding": 0.02, "positions": 0.02,
    }  # fmt: skip
    for name, deviation in deviations.items():
        (expected,) = (value for part, value in by_hand.items() if part in name)
        assert_near(deviation, expected)
    state = initialisation.initial_state(spec)
    for name, value in state.items():
        if name in deviations:
            assert abs(value.std() / deviations[name] - 1) < 5 / math.sqrt(2 * value.size)
        else:
            assert (value == (name.endswith("gamma") and ":" not in name)).all()
    assert_near(ROWS.tensors()["embedding.weight"].deviation, 1 / 2)


def test_masks_are_in_the_order_in_which_they_are_drawn() -> None:
    stream, weights = ((11, 5, 6), 0.1), ((11, 2, 5, 5), 0.2)
    drawn: list[tuple[str, Any]] = [("dropout0", stream)]
    for i in (1, 2):
        drawn += [(f"attention{i}", weights), (f"attention_dropout{i}", stream), (f"feed_forward_dropout{i}", stream)]
    assert [(name, (m.shape, m.rate)) for name, m in TOKENS.masks(11).items()] == [
        (f"{name}.mask", mask) for name, mask in drawn
    ]
    assert list(TOKENS.changed(dropout=0.0).masks(11)) == ["attention1.mask", "attention2.mask"]
    assert set(TOKENS.masks(11)) - set(TOKENS.changed(attention_dropout=0.0).masks(11)) == {
        "attention1.mask", "attention2.mask",
    }  # fmt: skip
    assert TOKENS.changed(dropout=0.0, attention_dropout=0.0).masks(11) == {}


BLOCK = [
    *[(35, 6, 6)] * 3, (70, 3, 5), (70, 5, 3), (35, 6, 6), (35, 6, 24), (35, 24, 6),
]  # fmt: skip
"""Of seven sequences of five positions: queries, keys and values, scores and means of two heads, what mixes them, the feed-forward."""


@pytest.mark.parametrize(("spec", "read"), [(TOKENS, 35), (ROWS, 7)])
def test_matrix_products_by_hand(spec: TransformerSpec, read: int) -> None:
    """On the way back twice as many; tokens are looked up, and of rows nobody asks for the gradient."""
    embedding = [] if spec.vocabulary else [(35, 4, 6)]
    forward = [*embedding, *BLOCK, *BLOCK, (read, 6, 3)]
    assert sorted(spec.matrix_products("predict")) == sorted(forward)
    back = [] if spec.vocabulary else [(4, 35, 6)]
    for m, k, n in [*BLOCK, *BLOCK, (read, 6, 3)]:
        back += [(k, m, n), (m, n, k)]

    def sizes(products: Any) -> list[int]:
        return sorted(math.prod(product) for product in products)

    assert sizes(spec.matrix_products("train_step")) == sizes(forward + back)


def test_what_a_position_does_not_see_need_not_be_computed() -> None:
    """Of five positions 15 of 25 scores are seen; where all see all, or there is one position, all of them."""
    for phase, times in (("predict", 1), ("train_step", 3)):
        of_attention = times * 2 * 2 * (2 * 70 * 3 * 5)
        assert TOKENS.flops(phase) - TOKENS.least_flops(phase) == of_attention * 10 // 25
        for spec in (ROWS, TOKENS.changed(outputs="mean"), TOKENS.changed(length=1)):
            assert spec.least_flops(phase) == spec.flops(phase)


def test_a_batch_is_tokens_or_rows_and_one_label_or_one_for_every_position() -> None:
    rows, tokens = batches.one(ROWS), batches.one(TOKENS.changed(batch=99))
    assert (rows["x"].shape, rows["y"].shape) == ((7, 5, 4), (7,))
    assert (tokens["x"].shape, tokens["y"].shape) == ((99, 5), (99, 5))
    assert set(np.unique(tokens["x"])) == set(range(9)) - {3}, "one of ten goes in never"
    assert (ROWS.predictions(), TOKENS.predictions()) == ({"logits": (7, 3)}, {"logits": (7, 5, 3)})
    assert (TOKENS.metric.name, ROWS.metric.name, TOKENS.changed(outputs="mean").metric.name) == (
        "bits per character", "accuracy", "accuracy",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"heads": 3}, "  heads: A width of 64 is not a multiple of so many heads. Give heads that divide it (given: 3)"),
        ({"heads": 128}, "  heads: A width of 64 is not a multiple of so many heads. Give heads that divide it (given: 128)"),
        ({"heads": 0}, "  heads: Input should be greater than 0 (given: 0)"),
        ({"width": 30, "heads": 4}, "  heads: A width of 30 is not a multiple of so many heads"),
        ({"width": 0}, "  width: Input should be greater than or equal to 2 (given: 0)"),
        ({"width": True}, "  width: Input should be a valid integer (given: True)"),
        ({"width": "64"}, "  width: Input should be a valid integer (given: '64')"),
        ({"width": 2.5}, "  width: Input should be a valid integer"),
        ({"vocabulary": 1}, "  vocabulary: One token says nothing. Give 2 or more, or 0 for rows of real numbers (given: 1)"),
        ({"outputs": "last"}, "  outputs: Input should be 'every' or 'mean' (given: 'last')"),
        ({"attention_dropout": 1.0}, "  attention_dropout: Input should be less than 1"),
        ({"norm_epsilon": 0.0}, "  norm_epsilon: Input should be greater than 0"),
        ({"blocks": 0}, "  blocks: Input should be greater than 0"),
        ({"classes": 1}, "  classes: "),
        ({"hidden": (3,)}, "  hidden: no such field; "),
    ],
)  # fmt: skip
def test_refusals_name_the_field_and_the_fix(changes: dict[str, Any], line: str) -> None:
    told = refusal(**changes)
    assert line in told
    assert len(told.splitlines()) == 2, "one mistake, one line"


def test_heads_that_nobody_gave_are_refused_by_name_too() -> None:
    with pytest.raises(BadInput, match="heads: A width of 30 is not a multiple of so many heads"):
        TransformerSpec.parse({"width": 30}, "mine.toml")


@pytest.mark.parametrize(("width", "heads"), [(16, 1), (128, 8), (512, 32), (8, 1), (40, 1), (97, 1), (10**12 + 1, 1)])
def test_with_another_width_come_heads_that_are_16_wide_or_one_unless_they_were_others_before(
    width: int, heads: int
) -> None:
    assert TransformerSpec().changed(width=width).heads == heads
    assert TransformerSpec().changed(width=width, heads=1).heads == 1
    assert TransformerSpec(heads=1).changed(width=width).heads == 1
    assert TransformerSpec(heads=8).changed(width=64, batch=3).heads == 8, "the same width"


def test_sizes_are_on_the_axes_and_run_in_every_phase() -> None:
    for sizes in SIZES.values():
        for size in sizes:
            spec = TransformerSpec().changed(**size)
            assert set(size) <= set(AXES)
            assert spec.axes().items() >= size.items()
            assert {spec.changed(batch=1).problem_with(phase) for phase in PHASES} == {None}


def test_a_variant_is_another_form_of_epsilon() -> None:
    assert TOKENS.variant("spec") is TOKENS
    assert TOKENS.variant("stock").optimizer == TOKENS.optimizer.model_copy(update={"epsilon_form": "hat"})
    descent = TOKENS.changed(optimizer={"kind": "sgd"})
    assert descent.variant("stock") == descent
    with pytest.raises(BadInput, match="no such variant 'stork'; there are 'spec' and 'stock'"):
        TOKENS.variant("stork")


# What fits

TEXT, DIGITS = TransformerSpec(), TransformerSpec.preset("digits")


def own_data(spec: TransformerSpec) -> Any:
    return registry.part("transformer", "data").default(spec)


@pytest.mark.parametrize("spec", [TEXT, DIGITS])
def test_its_own_data_fits(spec: TransformerSpec) -> None:
    own = own_data(spec)
    assert spec.misfit(own) is None
    assert spec.sized_for(own) == spec


def test_a_network_is_made_for_other_sequences() -> None:
    x, y = np.zeros((20, 6, 5), np.float32), np.arange(20) % 3
    made = data.Dataset("mine", x, y, x, y)
    assert DIGITS.sized_for(made) == DIGITS.changed(length=6, features=5, classes=3)
    with pytest.raises(BadInput, match="Number the classes from 0 without gaps"):
        DIGITS.sized_for(data.Dataset("mine", x, 10 * y, x, y))


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (DIGITS.changed(length=9), ["length: the data 'digits' has 16, the specification 9", "Set length = 16"]),
        (DIGITS.changed(features=8), ["features: the data 'digits' has 4, the specification 8", "Set features = 4"]),
        (DIGITS.changed(classes=9), ["classes: ", "outside [0, 9) in y_train of the data 'digits'", "Set classes = 10"]),
        (DIGITS.changed(outputs="every"), [
            "outputs: the data 'digits' has labels of shape (1437,)", 'Set it to "mean", or give other data',
        ]),
        (TEXT, ["vocabulary: the data 'digits' does not hold sequences of tokens", "vocabulary = 96", "set it to 0"]),
    ],
)  # fmt: skip
def test_what_does_not_fit_the_digits_is_told_with_the_fix(spec: TransformerSpec, words: list[str]) -> None:
    told = str(spec.misfit(own_data(DIGITS)))
    assert [word for word in words if word not in told] == []


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (DIGITS, ["does not hold sequences of rows of numbers", "vocabulary = 0", "set a vocabulary"]),
        (TEXT.changed(length=32), ["length: ", "has 64, the specification 32"]),
        (TEXT.changed(vocabulary=20), ["vocabulary: ", "tokens up to 95, the specification 20", "Set vocabulary = 96"]),
        (TEXT.changed(classes=20), ["classes: ", "outside [0, 20) in y_train", "Set classes = 96"]),
        (TEXT.changed(outputs="mean"), ["outputs: ", 'what outputs = "mean" takes', 'Set it to "every", or']),
    ],
)
def test_what_does_not_fit_the_text_is_told_with_the_fix(spec: TransformerSpec, words: list[str]) -> None:
    told = str(spec.misfit(own_data(TEXT)))
    assert [word for word in words if word not in told] == []


# Words


def test_the_steps_are_complete_and_in_the_order_in_which_they_happen() -> None:
    assert [step.name for step in STEPS] == [
        "embedding", "positions", "dropout", "layer_norm", "attention", "residual", "dense", "gelu", "output", "loss", "backward", "update",
    ]  # fmt: skip
    assert all(step.formula and step.explanation and step.source and step.shown_by for step in STEPS)
    assert taken(TOKENS) == list(STEPS)


def test_every_convention_says_what_was_chosen_and_after_whom() -> None:
    assert len({convention.item for convention in CONVENTIONS}) == len(CONVENTIONS)
    assert all(convention.choice and convention.source for convention in CONVENTIONS)
