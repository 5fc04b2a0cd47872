"""A file of records that is damaged, or is none: good lines are read, and what is wrong with the others is told."""

import json
import math
import os
from pathlib import Path
from typing import Any

import pytest

from benchmarks import statistics
from benchmarks.analysis import ranking
from benchmarks.reading import Unreadable
from benchmarks.records import records_file
from benchmarks.records.record import LONGEST_S, SHORTEST_S
from benchmarks.records.records_file import BadRecords
from tests.support.every_record import OUTCOME, RECORDS, RUN, TIMING, store


def one(kind: str) -> Any:
    return next(record for record in RECORDS if record.kind == kind)


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


@pytest.mark.parametrize(
    ("record", "odd"),
    [
        (TIMING, {"alone_s": [0.0]}),
        (TIMING, {"alone_s": [-1.0]}),
        (one("steps"), {"steps_s": {"dense": 0.0}}),
        (one("learning"), {"points": [{"epoch": 1, "elapsed_s": 0.0, "metric": 0.5, "train_loss": 1.0}]}),
    ],
)
def test_seconds_of_which_there_is_no_logarithm_are_set_aside(tmp_path: Path, record: Any, odd: dict[str, Any]) -> None:
    path = store(tmp_path, [RUN])
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(record.model_dump(mode="json") | odd) + "\n")
    records, problems = records_file.read(tmp_path)
    assert (records, len(problems)) == ([RUN], 1)


@pytest.mark.parametrize("schedule", ["rounds", "workers"])
def test_the_longest_and_the_shortest_times_have_an_interval(schedule: str) -> None:
    extremes = [2 * SHORTEST_S, LONGEST_S / 2]
    ours, theirs = (
        [
            TIMING.model_copy(update={"elapsed_s": [s] * 4, "loops": 1, "warmup_rounds": 1, "schedule": schedule})
            for s in times
        ]
        for times in (extremes, extremes[::-1])
    )
    logs = [ranking.log_ratio(*pair) for pair in zip(ours, theirs, strict=True)]
    assert math.isfinite(statistics.compare_logs(logs).detectable)
    assert math.isfinite(statistics.estimate(extremes).high)


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
    with pytest.raises(BadRecords, match=r"schema version 99; this samenet reads version 3\. Measure again"):
        records_file.read(tmp_path)


def test_a_newer_schema_is_named_by_its_version_although_it_has_fields_that_nobody_knows(tmp_path: Path) -> None:
    newer = RUN.model_dump(mode="json") | {"schema_version": 4, "surprise": 1}
    (tmp_path / "records.jsonl").write_text(json.dumps(newer) + "\n", encoding="utf-8")
    for read in (records_file.read, records_file.first):
        with pytest.raises(BadRecords, match="schema version 4; this samenet reads version 3"):
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


def test_what_a_worker_said_in_bytes_that_are_no_text_can_be_read_again(tmp_path: Path) -> None:
    said = OUTCOME.model_copy(update={"last_lines": ["m\ufffdmoire \u00e9puis\u00e9e", "\\ufffd"]})
    store(tmp_path, [RUN, said])
    assert records_file.read(tmp_path) == ([RUN, said], [])
