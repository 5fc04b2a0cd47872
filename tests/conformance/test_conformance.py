"""Every implementation that the registry knows is the network of the specification, in every tensor.

New frameworks are found by themselves. Each runs in a process of its own (`tests/support/conformance.py`); this module reads its verdicts.
"""

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

import pytest

from implementations import registry
from implementations.mlp.steps import STEPS as STEPS_OF_THE_NETWORK
from tests.support import background
from tests.support.mlp.cases import STEPS, cases, examples, in_full, precisions, runs

FULL = "in full"


def implementations() -> list[str]:
    """Every framework of the registry, and again as `framework/mode` for its further modes."""
    names = registry.frameworks()
    return names + [f"{name}/{mode}" for name in names for mode in registry.modes("mlp", name)[1:]]


def here(implementation: str) -> str | None:
    """Why an implementation is not proved here, or None. What no GPU ran is said in words."""
    from benchmarks import gpus

    framework, _, mode = implementation.partition("/")
    problem = registry.missing(framework) or registry.mode_problem(framework, mode)
    if framework == "cupy" and (problem or not gpus.visible()):
        why = str(problem) if problem else "there is no NVIDIA GPU."
        logic = "tests/implementations/mlp/test_cupy_tuned.py" if mode else "tests/implementations/mlp/test_cupy.py"
        return f"{why.removesuffix('.')}. The CUDA side of CuPy was NOT run (its logic: {logic})"
    return str(problem) if problem else None


def begin_processes(parameters: Sequence[dict[str, Any]]) -> None:
    """Every implementation that is asked for, in every precision that it is proved in here."""
    names = {chosen["implementation"] for chosen in parameters if "implementation" in chosen}
    pairs = [(name, precision) for name in implementations() if name in names for precision in precisions(name)]
    for name, precision in sorted(pairs, key=lambda pair: not pair[0].startswith("keras")):  # the long ones first
        background.python("-m", "tests.support.conformance", name, precision)


@cache
def verdicts(implementation: str, precision: str) -> dict[str, Any]:
    """What the kit printed, by case; the hash of the predictions under "predictions". Waits for it."""
    done = background.python("-m", "tests.support.conformance", implementation, precision).result()
    assert done.returncode == 0, f"{implementation} in {precision}:\n{done.stderr[-3000:]}"
    answers = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    by_case: dict[str, Any] = {}
    for answer in answers:
        if "case" in answer:
            by_case.setdefault(answer["case"], []).append(answer)
    by_case["watched"] = next((a for a in answers if "watched" in a), None)
    return by_case | {"predictions": next((a["predictions"] for a in answers if "predictions" in a), None)}


def asked(implementation: str, *what: str) -> Any:
    """One test's arguments; it is skipped with the reason where the implementation is not there."""
    why = here(implementation)
    return pytest.param(
        implementation, *what, marks=[pytest.mark.skip(reason=f"{implementation}: {why}")] if why else []
    )


IN_FULL = [asked(name, precision) for name in implementations() if in_full(name) for precision in precisions(name)]
MADE_UP = [asked(n, precision) for n in implementations() for precision in precisions(n) if examples(n, precision)]
STEPS_AND_PREDICTIONS = [
    asked(name, precision, case)
    for name in implementations()
    for precision in precisions(name)
    for case in [*cases(name, precision), *([FULL] if in_full(name) else [])]
]
IN_FLOAT64 = [name for name in implementations() if "float64" in precisions(name)]
LONG_RUNS = [asked(name, f"{STEPS} steps, {run}") for name in IN_FLOAT64 for run in runs(name)]


def ours(answers: list[dict[str, Any]]) -> list[str]:
    """The checks that failed, and that no limit of the framework's own explains."""
    return [
        f"{check['check']}, {check['group']}: {check['tensor']} {check['error']:.3g} > {check['budget']:.3g} {answer['spec']}"
        for answer in answers
        for check in answer["checks"]
        if not (check["passed"] or check["theirs"] or check["refused"])
    ]


@pytest.mark.parametrize(("implementation", "precision", "case"), STEPS_AND_PREDICTIONS)
def test_one_step_and_one_prediction_equal_the_oracles(implementation: str, precision: str, case: str) -> None:
    (answer,) = verdicts(implementation, precision)[case]
    assert len(answer["checks"]) > 15
    assert ours([answer]) == []


@pytest.mark.parametrize(("implementation", "precision"), MADE_UP)
def test_any_specification_is_proved(implementation: str, precision: str) -> None:
    answers = verdicts(implementation, precision)["any specification"]
    assert len(answers) >= examples(implementation, precision)
    assert ours(answers) == []


@pytest.mark.parametrize(("implementation", "precision"), IN_FULL)
def test_what_the_kit_asks_in_full(implementation: str, precision: str) -> None:
    (answer,) = verdicts(implementation, precision)[FULL]
    asked = {check["check"] for check in answer["checks"]}
    run = "free run" if precision == "float64" else "restarted run"
    assert {"precision", "hot state", "manners", run, "not a number", "generator", "determinism"} <= asked


@pytest.mark.parametrize("implementation", [asked(name) for name in ("numpy", "torch", "cupy")])
def test_a_watched_step_tells_of_all_steps_and_is_the_same_step(implementation: str) -> None:
    watched = verdicts(implementation, "float32")["watched"]
    assert watched["watched"] == sorted(step.name for step in STEPS_OF_THE_NETWORK)
    assert watched["ends"]
    assert watched["same"]


@pytest.mark.parametrize(("implementation", "case"), LONG_RUNS)
def test_a_thousand_steps_stay_with_the_oracle(implementation: str, case: str) -> None:
    (answer,) = verdicts(implementation, "float64")[case]
    assert {"loss", "parameters", "statistics", "slots"} <= {check["group"] for check in answer["checks"]}
    assert ours([answer]) == []


@pytest.mark.parametrize("implementation", [asked(name) for name in IN_FLOAT64])
def test_trained_on_the_digits_it_predicts_what_numpy_predicts(implementation: str) -> None:
    of_numpy = verdicts("numpy", "float64")["predictions"]
    assert of_numpy
    assert verdicts(implementation, "float64")["predictions"] == of_numpy
