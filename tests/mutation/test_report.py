"""The page of `make prove` says what was seen, and does not claim what was not."""

from typing import Any

import pytest

from implementations import sources
from tests.mutation import report

ABOUT = {
    "kind": "about",
    "model": "mlp",
    "cpu": "a cpu",
    "python": "3.11",
    "code_sha256": "a" * 64,
    "absent": {"cupy": "no GPU"},
}
END = {"kind": "end", "model": "mlp", "minutes": 9}
OTHERS = [
    answer | {"model": model}
    for model in ("cnn", "rnn", "transformer")
    for answer in (ABOUT, {"kind": "end", "minutes": 30.4})
]
"""Networks of which nothing else is known."""


@pytest.fixture(autouse=True)
def code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "judged_sha256", lambda model: "a" * 64)


def planted(noticed: list[str], fault: str = "Nesterov", framework: str = "numpy") -> dict[str, Any]:
    return {"model": "mlp", "fault": fault, "framework": framework, "precision": "float32", "noticed": noticed}


def seeds(failed: list[str]) -> dict[str, Any]:
    found = {"seeds": 500, "checks": 9000, "failed": failed, "worst": {"loss": 0.2, "mask scale": 0.9}, "flips": 3}
    return {"kind": "seeds", "model": "mlp", "framework": "numpy", "precision": "float32"} | found


def vice(name: str, verify: str = "", run: str = "") -> dict[str, Any]:
    return {"kind": "vice", "vice": name, "verify": verify, "verify_s": 1.25, "run": run, "run_s": 0.5}


DOUBLE = "running statistics moved twice from the second step after a load"
TOLD = vice(
    DOUBLE,
    "restarted run, statistics: norm1.running_mean is off by 0.3",
    "after the rounds, statistics: norm1.running_mean is off by 0.2, allowed 2e-06; after the rounds, slots: x is off by 1",
)
CASES = {"kind": "cases", "model": "mlp", "framework": "keras-jax", "precision": "float32", "specifications": 9, "checks": 90,
         "failed": [], "refused": 0, "flips": 0, "theirs": ["Adam's correction of its moments"]}  # fmt: skip
GOOD = [
    ABOUT,
    planted([], fault=""),
    planted(["hot state: slots"]),
    seeds([]),
    TOLD,
    vice("a dropout rate off by 2^-12"),
    END,
    *OTHERS,
]


def test_what_holds_is_claimed() -> None:
    text = report.written(GOOD)
    assert report.holds(GOOD)
    assert "| every planted fault is noticed | 1 of 1 | holds |" in text
    assert "| mlp | numpy | float32 | 500 | 9000 | 0 | 0.20 (loss) | 3 |" in text
    assert "| every vice of a plug-in is told by whom it should be, and no other | 2 of 2 | holds |" in text
    assert (
        f"| {DOUBLE} | nothing | restarted run, statistics: norm1.running_mean (1.2 s) "
        "| after the rounds, statistics: norm1.running_mean (0.5 s) |"
    ) in text
    assert (
        "| a dropout rate off by 2^-12 | nothing | not told (1.2 s) | not told (0.5 s) | beyond the resolution" in text
    )
    assert "Not there: cupy. no GPU" in text
    assert "| rnn | `aaaaaaaaaaaa` (as it is now) | a cpu, Python 3.11 | 30 |" in text
    assert "| mlp | Nesterov | 1 / · |" in text


def test_a_run_that_was_cut_short_is_not_claimed() -> None:
    assert not report.holds(GOOD[:-1])


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (planted([], fault="dampening"), "1 of 2; not: dampening in numpy (mlp)"),
        (planted(["hot state: slots"], fault=""), "1 false alarms"),
        (seeds(["hot state, loss: loss 3 > 2"]), "1 false alarms"),
        (TOLD | {"run": ""}, f"2 of 3; not: {DOUBLE}"),
        (TOLD | {"verify": "hot state, loss: loss is off by 1"}, f"2 of 3; not: {DOUBLE}"),
        (vice("a dropout rate off by 2^-12", run="hot state, loss: loss"), "2 of 3; not: a dropout rate off by 2^-12"),
        (CASES | {"theirs": []}, "0 of 2"),
        (CASES | {"theirs": ["something else"]}, "1 of 2"),
        (
            {"kind": "broken", "job": ["tests.mutation.false_alarms", "torch"], "says": "Segmentation fault"},
            "1 did not",
        ),
        (
            {
                "kind": "errors",
                "model": "mlp",
                "framework": "numpy",
                "precision": "float32",
                "medians": {"w": [1e-3, 1e-7]},
            },
            "0 of 1",
        ),
    ],
)
def test_what_does_not_hold_is_said(answer: dict[str, Any], told: str) -> None:
    text = report.written([*GOOD, answer])
    assert not report.holds([*GOOD, answer])
    assert told in text
    assert "**DOES NOT HOLD**" in text


def test_of_one_model_nothing_is_claimed_that_only_all_can_show() -> None:
    answers = [ABOUT | {"model": "cnn"}, *GOOD[1:4], END | {"model": "cnn"}]
    text = report.written(answers)
    of_the_first = [ABOUT, *GOOD[1:4], END]
    assert not report.holds(of_the_first), "no vice was asked"
    assert report.holds([*of_the_first, TOLD])
    assert not report.holds([*of_the_first, TOLD | {"run": ""}])
    assert report.holds(answers)
    assert "vice of a plug-in" not in text.partition("## 2.")[0]
    assert (
        "Not judged yet, which takes `make prove MODEL=mlp`, `make prove MODEL=rnn`, `make prove MODEL=transformer`."
        in text
    )


@pytest.mark.parametrize(
    ("key", "told"), [("medians", "Medians over thirty seeds"), ("rms", "Root mean squares over thirty seeds")]
)
def test_errors_are_summed_up_as_it_is_said(key: str, told: str) -> None:
    answer = {"kind": "errors", "model": "mlp", "framework": "torch", "precision": "float32", key: {}}
    assert told in report.written([*GOOD, answer])


def test_a_fault_that_one_network_shows_and_another_does_not_survives() -> None:
    found, missed = (
        planted(["hot state: slots"], fault="loss summed over time"),
        planted([], fault="loss summed over time"),
    )
    for others in ([missed | {"model": "rnn"}, found], [found, missed | {"model": "rnn"}]):
        assert not report.holds([*GOOD, *others])
        assert "not: loss summed over time in numpy (rnn)" in report.written([*GOOD, *others])


def test_what_was_judged_of_older_code_claims_nothing_of_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "judged_sha256", lambda model: ("b" if model == "cnn" else "a") * 64)
    assert not report.holds(GOOD)
    assert "| what was judged is the code that is there now | older: cnn | **DOES NOT HOLD** |" in report.written(GOOD)
