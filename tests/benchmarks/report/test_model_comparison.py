"""Networks that were trained on the same data stand side by side: what each reached, how soon, and what a sample costs."""

from typing import Any

import pytest

from benchmarks.records.record import Record
from benchmarks.records.records_file import run_of
from benchmarks.records.run_record import DatasetFacts, MetricText
from benchmarks.report.document import Section, Table, Text
from tests.support import report_text, synthetic, two_networks
from tests.support.synthetic import MICROSECOND, cell


def trainings(model: str, ends: dict[str, list[float]], rate: float = 0.5) -> list[Record]:
    """By framework, where each of its trainings ends; `reached` is what the curve approaches."""
    return [
        synthetic.learning(name, model=model, seed=seed, reached=end, rate=rate * (1 + (name == "torch")))
        for name, reached in ends.items()
        for seed, end in enumerate(reached)
    ]


def records(mlp: list[Record], cnn: list[Record], **changes: Any) -> list[Record]:
    """The MLP and the CNN, each timed in two frameworks; NumPy trains the MLP fastest, PyTorch the CNN."""
    sizes = {"mlp": {"batch": 256, "width": 128}, "cnn": {"batch": 64, "width": 128}}
    times = {("mlp", "numpy"): 256, ("mlp", "torch"): 512, ("cnn", "numpy"): 640, ("cnn", "torch"): 128}
    runs, rest = [], list[Record]()
    for model, size in sizes.items():
        cells = {name: cell(name, batch=size["batch"], model=model) for name in ("numpy", "torch")}
        timed = [(of, times[model, name] * MICROSECOND) for name, of in cells.items()]
        made = synthetic.measured(timed, model=model, size=size, parameters=1000 * size["batch"])
        runs.append(run_of(made))
        rest += made[1:]
    networks = [*runs[0].networks, runs[1].networks[0].model_copy(update=changes)]
    run = runs[0].model_copy(update={"networks": networks, "cells": [*runs[0].cells, *runs[1].cells]})
    return [run, *rest, *mlp, *cnn]


def section(made: list[Record]) -> Section | None:
    document = report_text.document(made)
    return next((found for found in document.sections if found.anchor == "networks"), None)


def rows(made: list[Record]) -> list[dict[str, str]]:
    found = section(made)
    assert found
    (table,) = (block for block in found.blocks if isinstance(block, Table))
    return [dict(zip([str(column).lstrip("#") for column in table.columns], row, strict=True)) for row in table.rows]


GOOD = {"numpy": [0.99, 0.99, 0.99], "torch": [0.985, 0.985, 0.985]}


def test_each_network_has_a_row_with_what_it_came_to() -> None:
    mlp, cnn = rows(records(trainings("mlp", GOOD), trainings("cnn", GOOD, rate=0.25)))
    assert (mlp["network"], cnn["network"]) == ("MLP", "CNN")
    assert (mlp["parameters"], cnn["parameters"]) == ("256,000", "64,000")
    assert (mlp["training, per sample"][-8:], cnn["training, per sample"][-10:]) == (" (NumPy)", " (PyTorch)")
    assert [float(row["training, per sample"].split()[0]) for row in (mlp, cnn)] == pytest.approx([1, 2], rel=0.03)
    assert mlp["reached 97% accuracy"] == "6 of 6"


def test_the_time_to_the_target_is_the_least_median_of_an_implementation() -> None:
    """0.99 - 0.8 * 0.6^k is at 97% after 8 epochs, 0.985 after 8 too; PyTorch is twice as fast."""
    (row, _) = rows(records(trainings("mlp", GOOD), trainings("cnn", GOOD)))
    assert (row["time until then, least median"], row["epochs until then"], row["with"]) == ("800 ms", "8", "PyTorch")


def test_who_did_not_always_reach_it_is_not_the_soonest() -> None:
    """PyTorch lost one training in three; NumPy takes twice as long, and is sure."""
    mlp, cnn = rows(
        records(trainings("mlp", GOOD | {"torch": [0.985, 0.5, 0.985]}), trainings("cnn", {"torch": [0.5]}))
    )
    assert (mlp["reached 97% accuracy"], mlp["with"]) == ("5 of 6", "NumPy")
    assert (cnn["reached 97% accuracy"], cnn["with"], cnn["time until then, least median"]) == ("0 of 1", "–", "–")


def test_the_sentence_says_what_each_came_to_the_best_first_and_calls_nobody_best() -> None:
    found = section(records(trainings("mlp", GOOD, rate=2), trainings("cnn", {"torch": [0.995, 0.995]})))
    assert found
    assert isinstance(found.blocks[0], Text)
    assert found.blocks[0].text == (
        "On digits, accuracy at the end, of 3 seeds: the CNN 99.0% and the MLP 98.0% to 98.5%. The least median time until 97% accuracy, of 3 "
        "trainings, was that of the MLP with PyTorch, 200 ms."
    )


def test_the_target_is_the_same_for_all_the_easiest_of_theirs() -> None:
    harder = MetricText(name="accuracy", target=0.98)
    made = records(trainings("mlp", GOOD), trainings("cnn", {"torch": [0.978, 0.99]}), metric=harder)
    assert [row["reached 97% accuracy"] for row in rows(made)] == ["6 of 6", "2 of 2"]


@pytest.mark.parametrize(
    "made",
    [
        synthetic.quick(),
        records(trainings("mlp", GOOD), []),
        records(trainings("mlp", GOOD), trainings("cnn", GOOD), dataset=DatasetFacts(name="other")),
    ],
    ids=["one network", "one was not trained", "other data"],
)
def test_without_a_common_task_there_is_no_such_section(made: list[Record]) -> None:
    assert section(made) is None


def test_a_run_of_two_networks_has_it() -> None:
    assert section(two_networks.records())


def test_only_what_was_proved_equal_competes() -> None:
    """JAX was trained, and nothing of it was proved: it had the best end, and was soonest."""
    unproved = trainings("mlp", {"jax": [0.999, 0.999]}, rate=50)
    mlp, _ = rows(records([*trainings("mlp", GOOD), *unproved], trainings("cnn", GOOD)))
    assert (mlp["reached 97% accuracy"], mlp["with"]) == ("6 of 6", "PyTorch")


def test_a_training_that_diverged_is_not_the_best() -> None:
    made = records(trainings("mlp", GOOD), trainings("cnn", {"torch": [float("nan"), 0.98]}))
    _, cnn = rows(made)
    assert (cnn["accuracy at the end"], cnn["reached 97% accuracy"]) == ("97.5%", "1 of 2")
    found = section(made)
    assert found
    assert "nan" not in str(found.blocks)


def test_a_training_that_ended_at_its_target_did_not_come_to_the_end() -> None:
    short = synthetic.learning("torch", model="cnn", reached=0.99)
    made = records(trainings("mlp", GOOD), [short.model_copy(update={"points": short.points[:8]})])
    _, cnn = rows(made)
    assert (cnn["accuracy at the end"], cnn["reached 97% accuracy"]) == ("–", "1 of 1")
