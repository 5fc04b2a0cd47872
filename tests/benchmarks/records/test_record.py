"""What is stored can be read again, and what cannot be read is told by its line."""

import json
import math
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from benchmarks.records import records_file
from benchmarks.records.configuration import size_order
from benchmarks.records.record import (
    Axes,
    Cell,
    Check,
    Configuration,
    Energy,
    InstalledRecord,
    Peak,
    ProofRecord,
    Record,
    StartRecord,
)
from tests.support.every_record import CELL, RECORDS, RUN, TIMING, WHO, store


def test_there_is_a_round_trip_for_every_kind() -> None:
    kinds, _ = get_args(Record)  # the union, and what tells its members apart
    assert {type(found) for found in RECORDS} == set(get_args(kinds))


@pytest.mark.parametrize("stored", RECORDS, ids=lambda stored: stored.kind)
def test_a_record_comes_back_as_it_was(stored: Record) -> None:
    line = stored.model_dump_json()
    assert "\n" not in line
    assert records_file.parse(line) == stored
    assert type(records_file.parse(line)) is type(stored)


def test_a_run_from_before_limits_were_recorded_has_none() -> None:
    older = RUN.model_dump(mode="json")
    del older["limits"]
    assert records_file.parse(json.dumps(older)) == RUN.model_copy(update={"limits": []})


def test_all_records_come_back_from_a_file_in_their_order(tmp_path: Path) -> None:
    store(tmp_path, RECORDS)
    assert records_file.read(tmp_path) == (RECORDS, [])
    assert records_file.run_of(RECORDS) is RUN


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_check_keeps_errors_that_are_no_numbers(tmp_path: Path, value: float) -> None:
    check = Check(check="hot state", group="loss", tensor="loss", error=value, budget=math.inf, passed=False)
    store(tmp_path, [RUN, ProofRecord(who=WHO, axes={}, block=0, checks=[check])])
    (_, proof), problems = records_file.read(tmp_path)
    assert problems == []
    assert isinstance(proof, ProofRecord)
    assert str(proof.checks[0].error) == str(value)
    assert proof.checks[0].budget == math.inf
    assert not proof.passed


def test_a_proof_without_checks_has_not_passed() -> None:
    good = Check(check="c", group="g", tensor="t", error=0.0, budget=1.0, passed=True)
    bad = good.model_copy(update={"passed": False})
    assert not ProofRecord(who=WHO, axes={}, block=0, checks=[]).passed
    assert ProofRecord(who=WHO, axes={}, block=0, checks=[good]).passed
    assert not ProofRecord(who=WHO, axes={}, block=0, checks=[good, bad]).passed


@pytest.mark.parametrize(("error", "budget"), [(math.nan, 1.0), (2.0, 1.0), (0.0, -1.0), (1.0, math.nan)])
def test_a_check_passes_within_its_budget_alone(error: float, budget: float) -> None:
    check = Check(check="c", group="g", tensor="t", error=error, budget=budget, passed=True)
    assert not check.passed
    assert not ProofRecord(who=WHO, axes={}, block=0, checks=[check]).passed


@pytest.mark.parametrize("stored", RECORDS, ids=lambda stored: stored.kind)
def test_an_unknown_key_is_refused(stored: Record) -> None:
    values = stored.model_dump(mode="json") | {"surprise": 1}
    with pytest.raises(ValidationError, match="surprise"):
        records_file.parse(json.dumps(values))


@pytest.mark.parametrize(
    "make",
    [
        lambda: StartRecord(who=WHO),
        lambda: InstalledRecord(framework="numpy"),
        lambda: Peak(before_bytes=1),
        lambda: Energy(joules=1.0),
    ],
    ids=["start", "installed", "peak", "energy"],
)
def test_a_hole_has_a_reason(make: Any) -> None:
    with pytest.raises(ValidationError, match="must be there, or a reason"):
        make()


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValidationError, match="kind"):
        records_file.parse('{"kind": "rumour"}')


def test_records_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        TIMING.loops = 1  # type: ignore[misc]  # it is read-only: that is what is tested


# Identity


def test_a_cells_identity_is_readable_and_independent_of_the_order_of_its_axes() -> None:
    assert CELL.id == "mlp/keras-jax/stock/cuda:1/t3/float64/plain/train_step/batch8-width64"
    assert Cell(who=WHO, phase="train_step", axes={"batch": 8, "width": 64}).id == CELL.id
    assert WHO.label == "keras-jax (stock)"


def test_a_size_may_be_a_word() -> None:
    cell = Cell.model_validate_json(CELL.model_copy(update={"axes": {"cell": "lstm", "batch": 8}}).model_dump_json())
    assert cell.axes == {"cell": "lstm", "batch": 8}
    assert cell.id.endswith("/batch8-cell=lstm")
    assert cell.comparison_group[2] == "batch=8,cell=lstm"
    sizes: list[Axes] = [{"cell": "lstm", "batch": 9}, {"cell": "gru", "batch": 9}, {"batch": 10}]
    assert sorted(sizes, key=size_order) == [sizes[1], sizes[0], sizes[2]]


def test_every_part_of_an_implementation_is_part_of_the_identity() -> None:
    others = [
        WHO.model_copy(update={name: value})
        for name, value in {
            "model": "cnn", "framework": "torch", "variant": "spec", "device": "cpu", "threads": 1,
            "precision": "float32", "mode": "tuned",
        }.items()
    ]  # fmt: skip
    names = {Cell(who=who, phase="predict", axes={}).id for who in [WHO, *others]}
    assert len(names) == 1 + len(Configuration.model_fields)


def test_only_like_takes_turns_with_like() -> None:
    torch = WHO.model_copy(update={"framework": "torch", "device": "cpu", "variant": "spec", "mode": "tuned"})
    assert CELL.model_copy(update={"who": torch}).comparison_group == CELL.comparison_group
    for name, value in {"precision": "float32", "threads": 1, "model": "cnn"}.items():
        assert (
            CELL.model_copy(update={"who": WHO.model_copy(update={name: value})}).comparison_group
            != CELL.comparison_group
        )
    assert CELL.model_copy(update={"axes": {"batch": 9, "width": 64}}).comparison_group != CELL.comparison_group
