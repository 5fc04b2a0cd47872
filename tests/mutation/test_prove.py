"""`make prove` as it goes on: what breaks off is an answer, what is stopped stops, and no answer counts of code that was changed meanwhile."""

import os
from collections.abc import Mapping
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from time import sleep

import pytest

from tests.mutation import __main__ as prove
from tests.mutation import answers
from tests.mutation.answers import Job

JOBS: list[Job] = [("planting", str(number)) for number in range(40)]


def test_a_process_that_breaks_off_is_an_answer() -> None:
    _, (told,) = prove.answer(("json.tool", "not-there.json"), os.environ)
    assert told["kind"] == "broken"
    assert told["job"] == ("json.tool", "not-there.json")
    assert "not-there.json" in told["says"]


def test_what_is_stopped_asks_nothing_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Job] = []

    def interrupted(job: Job, environment: Mapping[str, str]) -> prove.Answered:
        asked.append(job)
        sleep(0.05)
        raise KeyboardInterrupt

    monkeypatch.setattr(prove, "jobs", lambda model: JOBS)
    monkeypatch.setattr(prove, "answer", interrupted)
    monkeypatch.setattr(answers, "File", partial(answers.File, folder=tmp_path))
    before = dict(os.environ)
    with pytest.raises(KeyboardInterrupt):
        prove.main(["cnn"])
    assert 0 < len(asked) < len(JOBS)
    assert os.environ == before


@pytest.mark.parametrize("changed", ["sources.judged_sha256", "judge_sha256"])
def test_no_answer_counts_of_code_that_was_changed_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    file = answers.File(prove.about("cnn"), {job: prove.judge_sha256("cnn", job) for job in JOBS}, tmp_path)
    made = Future[prove.Answered]()
    made.set_result((1.0, []))
    prove.keep({made: (file, JOBS[0])})
    assert set(file.answered) == {JOBS[0]}
    monkeypatch.setattr(f"tests.mutation.__main__.{changed}", lambda *of: "another")
    with pytest.raises(SystemExit, match="the code was changed meanwhile"):
        prove.keep({made: (file, JOBS[1])})
    assert set(file.answered) == {JOBS[0]}


def test_a_model_that_there_is_not_is_named() -> None:
    with pytest.raises(SystemExit, match="perceptron: no such model; there are mlp, cnn, rnn, transformer"):
        prove.main(["perceptron"])


def test_the_stand_in_for_cupy_judges_cupy_alone() -> None:
    of = {
        name: prove.judge_sha256("mlp", ("tests.mutation.planting", name, "float32"))
        for name in ("numpy", "torch", "cupy")
    }
    assert of["numpy"] == of["torch"] != of["cupy"]
