"""What `make prove` has answered is kept as long as it holds: of the same code, and of processes that came to their end."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.mutation import answers

ABOUT = {"kind": "about", "model": "cnn", "code_sha256": "a" * 64}
JOBS: dict[answers.Job, str] = {("false_alarms", "numpy"): "1", ("planting", "numpy"): "2", ("planting", "torch"): "2"}
FIRST, SECOND, THIRD = JOBS
NOTICED = [{"fault": "padding", "framework": "numpy", "precision": "float32", "noticed": ["hot state: logits"]}]
END = {"kind": "end", "model": "cnn"}


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "cnn.jsonl").read_text(encoding="utf-8").splitlines()]


def test_what_was_cut_short_goes_on_and_ends_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "usable_cores", lambda: 2)
    begun = answers.File(ABOUT, JOBS, tmp_path)
    begun.add(THIRD, 60.0, NOTICED)
    begun.add(FIRST, 120.0, [])
    again = answers.File(ABOUT, JOBS, tmp_path)
    assert set(again.answered) == {FIRST, THIRD}
    assert lines(tmp_path)[-1].keys() == {"job", "judge_sha256", "seconds", "answers"}
    again.add(SECOND, 180.0, [])
    about, *told, end = lines(tmp_path)
    assert (about, [tuple(line["job"]) for line in told]) == (ABOUT, list(JOBS))
    assert end == END | {"minutes": 3.0}
    assert answers.of(["mlp", "cnn"], tmp_path) == [ABOUT, *({"model": "cnn"} | answer for answer in NOTICED), end]


def test_what_was_answered_by_other_judges_is_asked_anew(tmp_path: Path) -> None:
    file = answers.File(ABOUT, JOBS, tmp_path)
    for job in JOBS:
        file.add(job, 1.0, NOTICED)
    assert set(answers.File(ABOUT, JOBS | {SECOND: "another"}, tmp_path).answered) == {FIRST, THIRD}


@pytest.mark.parametrize("changed", [{"code_sha256": "b" * 64}, {"packages": {"torch": "3"}}])
def test_what_was_answered_of_other_code_is_asked_anew(tmp_path: Path, changed: dict[str, Any]) -> None:
    answers.File(ABOUT, JOBS, tmp_path).add(FIRST, 1.0, NOTICED)
    assert answers.File(ABOUT | changed, JOBS, tmp_path).answered == {}
    assert lines(tmp_path) == [ABOUT | changed]


def test_what_broke_off_is_asked_anew_and_until_then_the_file_has_no_end(tmp_path: Path) -> None:
    file = answers.File(ABOUT, JOBS, tmp_path)
    for job in JOBS:
        file.add(job, 1.0, [{"kind": "broken", "job": list(job), "says": "killed"}] if job == FIRST else NOTICED)
    assert "job" in lines(tmp_path)[-1]
    again = answers.File(ABOUT, JOBS, tmp_path)
    assert set(again.answered) == {SECOND, THIRD}
    again.add(FIRST, 1.0, NOTICED)
    assert lines(tmp_path)[-1]["kind"] == "end"


@pytest.mark.parametrize("missing", [3, 9])
def test_a_line_that_was_cut_short_is_no_answer(tmp_path: Path, missing: int) -> None:
    file = answers.File(ABOUT, JOBS, tmp_path)
    file.add(FIRST, 1.0, NOTICED)
    file.add(SECOND, 1.0, NOTICED)
    file.path.write_text(file.path.read_text(encoding="utf-8")[:-missing], encoding="utf-8")
    assert set(answers.File(ABOUT, JOBS, tmp_path).answered) == {FIRST}


def test_where_all_is_answered_nothing_is_left_to_ask(tmp_path: Path) -> None:
    file = answers.File(ABOUT, JOBS, tmp_path)
    for job in JOBS:
        file.add(job, 30.0, NOTICED)
    again = answers.File(ABOUT, JOBS, tmp_path)
    assert [job for job in JOBS if job not in again.answered] == []
    assert lines(tmp_path)[-1]["kind"] == "end"
