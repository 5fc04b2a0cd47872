"""Every implementation that the registry knows is the network of the specification, in every tensor.

New frameworks are found by themselves. Each runs in a process of its own (`kit.py`); this module reads its verdicts.
"""

import json
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from implementations import registry
from tests.conformance.cases import CASES, RUNS, STEPS

ROOT = Path(__file__).parents[2]
PRECISIONS = ["float64", "float32"]
LONG = [f"{STEPS} steps, {name}" for name in RUNS]


def here(framework: str) -> str | None:
    """Why a framework is not proved here, or None. What no GPU ran is said in words."""
    from benchmarks import environment

    problem = registry.missing(framework)
    if framework == "cupy" and (problem or not environment.gpus()):
        why = str(problem) if problem else "there is no NVIDIA GPU."
        return f"{why} The CUDA side of CuPy was NOT run (its logic: tests/mlp/test_cupy.py)"
    return str(problem) if problem else None


def run_kit(framework: str, precision: str) -> dict[str, Any]:
    """What the kit printed, by case; the hash of the predictions under "predictions"."""
    command = [sys.executable, "-m", "tests.conformance.kit", framework, precision]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, f"{framework} in {precision}:\n{done.stderr[-3000:]}"
    answers = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    found = {answer["case"]: answer["checks"] for answer in answers if "case" in answer}
    return found | {"predictions": next((a["predictions"] for a in answers if "predictions" in a), None)}


@cache
def all_kits() -> dict[tuple[str, str], Future[dict[str, Any]]]:
    """Every framework in both precisions, two processes at a time."""
    pool = ThreadPoolExecutor(max_workers=2)
    pairs = [(name, precision) for precision in PRECISIONS for name in registry.frameworks() if here(name) is None]
    return {pair: pool.submit(run_kit, *pair) for pair in pairs}


def verdicts(framework: str, precision: str) -> dict[str, Any]:
    """The kit's answers for one framework; waits for them."""
    return all_kits()[framework, precision].result()


FRAMEWORKS = [
    pytest.param(name, marks=[pytest.mark.skip(reason=f"{name}: {why}")] if (why := here(name)) else [])
    for name in registry.frameworks()
]


@pytest.mark.parametrize("case", [*CASES, "effective precision"])
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_one_step_and_one_prediction_equal_the_oracles(framework: str, precision: str, case: str) -> None:
    checks = verdicts(framework, precision)[case]
    assert checks
    assert not [check for check in checks if not check["passed"]]


@pytest.mark.parametrize("case", LONG)
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_thousand_steps_stay_with_the_oracle(framework: str, case: str) -> None:
    checks = verdicts(framework, "float64")[case]
    assert {"loss", "parameters", "statistics", "slots"} <= {check["group"] for check in checks}
    assert not [check for check in checks if not check["passed"]]


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_trained_on_the_digits_it_predicts_what_numpy_predicts(framework: str) -> None:
    wanted = verdicts("numpy", "float64")["predictions"]
    assert wanted
    assert verdicts(framework, "float64")["predictions"] == wanted
