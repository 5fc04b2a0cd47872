"""Every implementation that the registry knows is the network of its specification, in every tensor.

New frameworks and models are found by themselves. Each framework runs in a process of its own, for all models
(`tests/support/conformance.py`); this module reads its verdicts.
"""

import json
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import pytest

from implementations import registry
from implementations.equivalence import tolerances
from tests.support import adapters, cases, shared_process
from tests.support.cases import FULL, STEPS
from tests.support.conformance import PROMPT

OWN = {
    "torch": {"torch"},
    "keras-jax": {"jax"},
    "jax": {"jax"},
    "keras-torch": {"torch"},
    "keras-tensorflow": {"tensorflow"},
    "numpy": set(),
}
"""Framework -> the libraries with devices, threads and memory of their own that its process may hold; those that take long first."""

pytestmark = pytest.mark.long


def here(implementation: str) -> str | None:
    """Why an implementation is not proved here, or None. What no GPU ran is said in words."""
    from benchmarks import gpus

    framework, _, mode = implementation.partition("/")
    problem = registry.missing(framework) or registry.mode_problem(framework, mode)
    if framework == "cupy" and (problem or not gpus.visible()):
        why = str(problem) if problem else "there is no NVIDIA GPU."
        logic = "tests/implementations/mlp/test_cupy_tuned.py" if mode else "tests/implementations/test_cupy.py"
        return f"{why.removesuffix('.')}. The CUDA side of CuPy was NOT run (its logic: {logic})"
    return str(problem) if problem else None


def process_of(parameters: dict[str, Any]) -> str:
    """A framework: what is asked of it in all models, modes and precisions is one process."""
    return str(parameters.get("implementation", "")).partition("/")[0]


def turn_of(parameters: dict[str, Any]) -> int:
    """NumPy's comes early: it finds how far rounding leads the oracle astray, and for that the others would only wait."""
    return int(process_of(parameters) != "numpy")


@cache
def said(framework: str) -> tuple[list[dict[str, Any]], str]:
    """Its answers, and the end of what it complained of. Waits for it."""
    done = shared_process.python("-m", "tests.support.conformance", framework, **adapters.compiled_quickly(framework))
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")], done.stderr[-3000:]


def verdicts(model: str, implementation: str, precision: str) -> list[dict[str, Any]]:
    """What the kit printed."""
    answers, complaints = said(implementation.partition("/")[0])
    which = {"model": model, "implementation": implementation, "precision": precision}
    found = [answer for answer in answers if which.items() <= answer.items()]
    assert any("ended" in answer for answer in found), f"{which} broke off:\n{complaints}"
    return found


def proofs(model: str, implementation: str, precision: str, case: str) -> list[dict[str, Any]]:
    """Those of a case."""
    return [answer for answer in verdicts(model, implementation, precision) if answer.get("case") == case]


def told(model: str, implementation: str, precision: str, what: str) -> Any:
    """What was said once."""
    (answer,) = (answer[what] for answer in verdicts(model, implementation, precision) if what in answer)
    return answer


def asked(model: str, implementation: str, *what: str) -> Any:
    """One test's arguments; it is skipped with the reason where the implementation is not there."""
    why = here(implementation)
    marks = [pytest.mark.skip(reason=f"{implementation}: {why}")] if why else []
    return pytest.param(model, implementation, *what, marks=marks)


def each(what: Callable[[str, str, str], Sequence[str]]) -> list[Any]:
    """The arguments of a test of every model, implementation and precision, and of what is asked there."""
    return [
        asked(model, name, precision, one)
        for name in cases.implementations()
        for precision in cases.precisions(name)
        for model in cases.models(name, precision)
        for one in what(model, name, precision)
    ]


STEPS_AND_PREDICTIONS = each(lambda *which: [*cases.chosen(*which), *([FULL] if cases.in_full(*which) else [])])
IN_FULL = each(lambda *which: [FULL] if cases.in_full(*which) else [])
MADE_UP = each(lambda *which: ["any specification"] if cases.examples(*which) else [])
LONG_RUNS = each(
    lambda model, name, precision: (
        [f"{STEPS} steps, {run}" for run in cases.runs(model, name)] if precision == "float64" else []
    )
)
BRANCHING = ("activation/relu", "pooling/")
CHOICES = [
    asked(model, name, precision)
    for name in cases.implementations()
    if name.partition("/")[0] in registry.FAMILIES
    for precision in cases.precisions(name)
    if precision not in tolerances.COARSE
    for model in cases.models(name, precision)
    if model in registry.OURS and any(step.layer.startswith(BRANCHING) for step in registry.part(model, "steps").STEPS)
]
"""A model from elsewhere need not tell them."""

LEARNING = each(lambda model, name, precision: ["predictions"] if precision == "float64" else [])
CONTINUED = each(
    lambda model, name, precision: ["continuation"] if precision == "float64" and model == "transformer" else []
)
WATCHED = [asked(model, name) for name in ("numpy", "torch", "cupy") for model in cases.models(name)]


def test_every_model_of_ours_has_its_cases() -> None:
    assert set(cases.MODELS) >= set(registry.OURS)


def ours(answers: list[dict[str, Any]]) -> list[str]:
    """The checks that failed, and that no limit of the framework's own explains."""
    return [
        f"{check['check']}, {check['group']}: {check['tensor']} {check['error']:.3g} > {check['budget']:.3g} {answer['spec']}"
        for answer in answers
        for check in answer["checks"]
        if not (check["passed"] or check["theirs"] or check["refused"])
    ]


@pytest.mark.parametrize(
    "implementation",
    [pytest.param(name, marks=[pytest.mark.skip(reason=why)] if (why := here(name)) else []) for name in OWN],
)
def test_a_framework_brings_no_other_into_its_process(implementation: str) -> None:
    (process,) = [answer for answer in said(implementation)[0] if "loaded" in answer]
    assert set(process["loaded"]) == OWN[implementation]
    assert process["adapter"] == implementation
    later = [answer for answer in said(implementation)[0] if "ended" in answer]
    assert later
    assert [answer for answer in later if set(answer["ended"]) != OWN[implementation]] == []


def test_every_framework_of_ours_has_its_wall_tested() -> None:
    assert set(OWN) | {"cupy"} == set(registry.FAMILIES)  # CuPy cannot be loaded without a GPU; its imports are checked


@pytest.mark.parametrize(("model", "implementation", "precision", "case"), STEPS_AND_PREDICTIONS)
def test_one_step_and_one_prediction_equal_the_oracles(
    model: str, implementation: str, precision: str, case: str
) -> None:
    (answer,) = proofs(model, implementation, precision, case)
    assert len(answer["checks"]) > 15
    assert ours([answer]) == []


@pytest.mark.parametrize(("model", "implementation", "precision", "case"), MADE_UP)
def test_any_specification_is_proved(model: str, implementation: str, precision: str, case: str) -> None:
    answers = proofs(model, implementation, precision, case)
    assert len(answers) >= cases.examples(model, implementation, precision)
    assert ours(answers) == []


@pytest.mark.parametrize(("model", "implementation", "precision", "case"), IN_FULL)
def test_what_the_kit_asks_in_full(model: str, implementation: str, precision: str, case: str) -> None:
    (answer,) = proofs(model, implementation, precision, case)
    asked = {check["check"] for check in answer["checks"]}
    run = "free run" if precision == "float64" else "restarted run"
    assert {"precision", "hot state", "manners", run, "not a number", "generator", "determinism"} <= asked


@pytest.mark.parametrize(("model", "implementation"), WATCHED)
def test_a_watched_step_tells_of_all_steps_and_is_the_same_step(model: str, implementation: str) -> None:
    assert told(model, implementation, "float32", "watched") == told(model, implementation, "float32", "taken")
    assert told(model, implementation, "float32", "ends")
    assert told(model, implementation, "float32", "same")


@pytest.mark.parametrize(("model", "implementation", "precision", "case"), LONG_RUNS)
def test_a_thousand_steps_stay_with_the_oracle(model: str, implementation: str, precision: str, case: str) -> None:
    (answer,) = proofs(model, implementation, precision, case)
    spec = registry.part(model, "spec").Spec.model_validate(answer["spec"])
    roles = {f"{tensor.role}s" for tensor in spec.tensors().values()} - {"counters"}
    assert {"loss", *roles} <= {check["group"] for check in answer["checks"]}
    assert ours([answer]) == []


@pytest.mark.parametrize(("model", "implementation", "precision"), CHOICES)
def test_it_says_what_its_branches_choose_in_the_very_step(model: str, implementation: str, precision: str) -> None:
    choices = told(model, implementation, precision, "choices")
    assert choices["clear"] > 500
    assert choices["otherwise"] == 0


@pytest.mark.parametrize(("model", "implementation", "precision", "what"), LEARNING)
def test_trained_on_its_own_data_it_predicts_what_numpy_predicts(
    model: str, implementation: str, precision: str, what: str
) -> None:
    of_numpy = told(model, "numpy", precision, what)
    assert of_numpy
    assert told(model, implementation, precision, what) == of_numpy


@pytest.mark.parametrize(("model", "implementation", "precision", "what"), CONTINUED)
def test_it_continues_a_text_as_numpy_does(model: str, implementation: str, precision: str, what: str) -> None:
    of_numpy = told(model, "numpy", precision, what)
    assert len({tuple(tokens[PROMPT:]) for tokens in of_numpy}) > 1
    assert told(model, implementation, precision, what) == of_numpy
