"""What is stored can be read again, and what cannot be read is told by its line."""

import json
import math
import os
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from benchmarks.reading import Unreadable
from benchmarks.records import records_file
from benchmarks.records.configuration import size_order
from benchmarks.records.record import (
    Axes,
    BlockRecord,
    Cell,
    Check,
    Configuration,
    Energy,
    InstalledRecord,
    LearningPoint,
    LearningRecord,
    OutcomeRecord,
    Peak,
    ProofRecord,
    Record,
    ResourceRecord,
    RunRecord,
    SourceRecord,
    StartRecord,
    StepsRecord,
    TimingRecord,
    UntrainedRecord,
    WorkerRecord,
)
from benchmarks.records.records_file import BadRecords
from benchmarks.records.run_record import NetworkRecord

WHO = Configuration(
    model="mlp", framework="keras-jax", variant="stock", device="cuda:1", threads=3, precision="float64"
)
CELL = Cell(who=WHO, phase="train_step", axes={"width": 64, "batch": 8})
RUN = RunRecord(
    started_at="2026-01-02T03:04:05+00:00",
    command=["python", "-m", "benchmarks", "run"],
    profile="quick",
    seed=3,
    blocks=6,
    networks=[
        NetworkRecord(
            model="mlp",
            title="MLP",
            spec={"hidden": [64], "optimizer": {"kind": "sgd", "learning_rate": 0.1}},
            spec_sha256="0" * 64,
            steps=[{"name": "dense", "formula": "z = x W + b"}],
            conventions=[{"item": "dropout", "choice": "inverted"}],
            variants=[{"name": "stock", "frameworks": ["keras-jax"]}],
            dataset={"name": "digits", "train_samples": 1437},
        )
    ],
    code={"commit": "abc", "dirty": True},
    limits=[{"name": "loses digits", "frameworks": ["keras-jax"], "start": ""}],
    cells=[CELL],
    absent=[{"framework": "cupy", "device": "", "reason": "no GPU", "fix": "get one"}],
)
TIMING = TimingRecord(
    cell=CELL,
    block=2,
    order=4,
    schedule="rounds",
    loops=7,
    warmup_rounds=1,
    elapsed_s=[0.1, 1 / 3, 5e-324],
    started_at_s=[1.0, 2.0, 3.0],
    first_call_s=None,
    second_call_s=0.25,
    samples_per_call=8,
    flops_per_call=10**15,
    ranked=False,
)
OUTCOME = OutcomeRecord(
    cell=CELL,
    block=1,
    status="failed",
    reason="line\u2028separator, \x85, \r\n, é, 中",
    fix="none",
    last_lines=["a", "b\n"],
)
RECORDS: list[Record] = [
    RUN,
    WorkerRecord(
        who=WHO,
        block=0,
        pid=12,
        import_s=1.5,
        versions={"keras": "3"},
        flags={"threads": "3"},
        effective_precision={"matrix product": "52 bits"},
        thread_pools=[{"user_api": "blas", "num_threads": 3}],
        affinity=[0, 1],
        load_average=[0.1, 0.2, 0.3],
    ),
    ProofRecord(
        who=WHO,
        axes={"batch": 8},
        block=0,
        checks=[Check(check="hot state", group="loss", tensor="loss", error=1e-7, budget=1e-6, passed=True)],
    ),
    TIMING,
    OUTCOME,
    StepsRecord(
        who=WHO, axes={"batch": 8}, block=0, passes=15, whole_s=1e-3, watched_s=1.2e-3, steps_s={"dense": 1e-4}
    ),
    BlockRecord(block=0, wall_s=12.5),
    LearningRecord(
        who=WHO,
        block=0,
        dropout=0.2,
        batch=8,
        points=[LearningPoint(epoch=1, elapsed_s=0.5, metric=0.9, train_loss=0.3)],
        predictions_sha256="1" * 64,
    ),
    UntrainedRecord(who=WHO, block=0, seed=2, reason="lost", last_lines=["a"]),
    StartRecord(who=WHO, import_s=1.25),
    InstalledRecord(framework="keras-jax", bytes=12, distributions={"jax 1.0": 10, "keras 3.0": 2}),
    ResourceRecord(
        who=WHO,
        axes={"batch": 8},
        host=Peak(before_bytes=10, peak_bytes=20, counter="resident set"),
        device=Peak(reason="it runs on the CPU"),
        energy=Energy(joules=0.5, samples=80, elapsed_s=1.0, counter="RAPL"),
    ),
    SourceRecord(framework="numpy", file="a.py", step="dense", code='z = x @ w  # "quoted"\n\tnext', sha256="2" * 64),
]


def store(folder: Path, records: list[Record]) -> Path:
    for found in records:
        records_file.append(folder / "records.jsonl", found)
    return folder / "records.jsonl"


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
    no_number = good.model_copy(update={"error": math.nan})
    assert not ProofRecord(who=WHO, axes={}, block=0, checks=[good, no_number]).passed


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


# Files that are damaged


def test_of_a_file_cut_in_half_the_good_lines_are_read_and_the_bad_one_is_named(tmp_path: Path) -> None:
    path = store(tmp_path, [RUN, TIMING, OUTCOME])
    whole = path.read_bytes()
    path.write_bytes(whole[:-40])
    records, problems = records_file.read(tmp_path)
    assert records == [RUN, TIMING]
    assert problems == ["records.jsonl line 3 was set aside: it is cut short or is not JSON"]


def test_a_damaged_byte_in_a_name_makes_no_other_name_of_it(tmp_path: Path) -> None:
    path = store(tmp_path, [RUN, TIMING, OUTCOME])
    first, second, third = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + second.replace(b'"keras-jax"', b'"keras-ja\xff"', 1) + third)
    records, problems = records_file.read(tmp_path)
    assert records == [RUN, OUTCOME]
    assert problems == ["records.jsonl line 2 was set aside: it holds bytes that are no UTF-8"]


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_wherever_a_file_is_cut_nothing_is_made_up(tmp_path: Path, share: float) -> None:
    path = store(tmp_path, RECORDS * 3)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    records, problems = records_file.read(tmp_path)
    assert 0 < len(records) < len(RECORDS * 3)
    assert records == (RECORDS * 3)[: len(records)]
    assert len(problems) <= 1


@pytest.mark.parametrize("odd", [{"loops": 10**400}, {"flops_per_call": 10**320}, {"loops": 10**25}])
def test_numbers_that_nothing_can_be_are_set_aside(tmp_path: Path, odd: dict[str, int]) -> None:
    path = store(tmp_path, [RUN])
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(TIMING.model_dump(mode="json") | odd) + "\n")
        file.write('{"kind":"block","block":0,"wall_s":0.0}\n')
    records, problems = records_file.read(tmp_path)
    assert (records, len(problems)) == ([RUN], 2)


@pytest.mark.parametrize("seconds", [5e-324, 1e308])
def test_times_that_nothing_can_take_are_none(seconds: float) -> None:
    assert TIMING.model_copy(update={"elapsed_s": [0.1, 0.2, 0.3]}).per_call
    assert not TIMING.model_copy(update={"elapsed_s": [0.1, 0.2, seconds]}).per_call


def test_a_line_in_the_middle_is_set_aside_with_what_is_wrong_with_it(tmp_path: Path) -> None:
    path = store(tmp_path, [RUN])
    values: dict[str, Any] = TIMING.model_dump(mode="json")
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(values | {"loops": "many"}) + "\n\x00\xff rubbish\n")
    store(tmp_path, [TIMING])
    records, problems = records_file.read(tmp_path)
    assert records == [RUN, TIMING]
    assert [problem.partition(" was set aside: ")[0] for problem in problems] == [
        "records.jsonl line 2",
        "records.jsonl line 3",
    ]
    assert "loops" in problems[0]
    assert "not JSON" in problems[1]


def test_a_folder_without_records_is_no_results_folder(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(BadRecords, match=r"not a results folder.*Give a folder that `run` made"):
            records_file.read(folder)


@pytest.mark.parametrize("content", ["", "{", "{}\n{}\n"])
def test_records_without_a_run_cannot_be_read(tmp_path: Path, content: str) -> None:
    (tmp_path / "records.jsonl").write_text(content, encoding="utf-8")
    with pytest.raises(BadRecords, match="holds no run record"):
        records_file.read(tmp_path)


def test_another_schema_version_is_refused_with_both_numbers(tmp_path: Path) -> None:
    store(tmp_path, [RUN.model_copy(update={"schema_version": 99}), TIMING])
    with pytest.raises(BadRecords, match="schema version 99; this samenet reads version 2"):
        records_file.read(tmp_path)


def test_a_newer_schema_is_named_by_its_version_although_it_has_fields_that_nobody_knows(tmp_path: Path) -> None:
    newer = RUN.model_dump(mode="json") | {"schema_version": 3, "surprise": 1}
    (tmp_path / "records.jsonl").write_text(json.dumps(newer) + "\n", encoding="utf-8")
    for read in (records_file.read, records_file.first):
        with pytest.raises(BadRecords, match="schema version 3; this samenet reads version 2"):
            read(tmp_path)


@pytest.mark.parametrize(
    "line",
    [
        "[" * 100_000 + "]" * 100_000,
        '{"kind":' * 100_000,
        '{"kind":"block","block":' + "9" * 5_000 + "}",
        "\x00",
        "17",
        "[]",
    ],
    ids=["deep", "deep and cut", "long number", "zero", "number", "list"],
)
def test_whatever_stands_in_a_line_it_is_set_aside(tmp_path: Path, line: str) -> None:
    path = store(tmp_path, [RUN])
    with path.open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    store(tmp_path, [TIMING])
    records, problems = records_file.read(tmp_path)
    assert records == [RUN, TIMING]
    assert [problem.partition(": ")[0] for problem in problems] == ["records.jsonl line 2 was set aside"]


def test_of_two_runs_in_one_file_the_second_is_set_aside(tmp_path: Path) -> None:
    second = RUN.model_copy(update={"seed": 4})
    store(tmp_path, [RUN, TIMING, second, OUTCOME])
    assert records_file.read(tmp_path) == (
        [RUN, TIMING],
        ["records.jsonl from line 3 on was set aside: another run begins there"],
    )


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "records.jsonl")
    for read in (records_file.read, records_file.first):
        with pytest.raises(Unreadable, match="is not a file"):
            read(tmp_path)


def test_a_run_that_was_stopped_in_its_first_record_has_none_and_one_that_is_no_run_is_refused(tmp_path: Path) -> None:
    path = store(tmp_path, [RUN])
    whole = path.read_text(encoding="utf-8")
    for cut in (0, 1, 12, 40, len(whole) - 2):
        path.write_text(whole[:cut], encoding="utf-8")
        assert records_file.first(tmp_path) is None
        store(tmp_path, [RUN])
        assert records_file.first(tmp_path) == RUN
        assert records_file.read(tmp_path)[0] == [RUN]
    for content in ("a note\n", '{"my": "own"}\n', TIMING.model_dump_json()):
        path.write_text(content, encoding="utf-8")
        with pytest.raises(BadRecords):
            records_file.first(tmp_path)


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
