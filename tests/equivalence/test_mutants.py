"""The judge is judged: every planted fault is noticed, in the implementation and in the oracle, and nothing else is."""

import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from implementations.equivalence import gates, proof
from implementations.mlp import mlp_numpy, oracle, parameters
from implementations.mlp.spec import MLPSpec
from tests.equivalence.mutants import NUMPY, TORCH, Mutant

FOLDER = Path(mlp_numpy.__file__).parent
NOT_THE_ORACLES = {"dropout unscaled", "dropout scaled by 1/p", "dropout keeps p", "mask reused", "input overwritten"}
"""The oracle draws no masks, it is given them; and it works on a copy of the input."""

SIZE = {"features": 24, "hidden": (32, 32), "batch": 32, "dropout": 0.25}


def planted(mutant: Mutant | None, file: str) -> types.ModuleType:
    """The module in that file, with the fault in it."""
    text = (FOLDER / file).read_text(encoding="utf-8")
    if mutant:
        assert text.count(mutant.old) == mutant.times, f"{mutant.name}: its place in {file} has changed"
        text = text.replace(mutant.old, mutant.new)
    module = types.ModuleType(f"mutant_{file[:-3]}")
    exec(compile(text, file, "exec"), module.__dict__)
    return module


def oracle_over(module: types.ModuleType) -> Any:
    """The oracle's class on top of another NumPy implementation."""
    text = Path(oracle.__file__).read_text(encoding="utf-8")
    import_line = "from implementations.mlp import mlp_numpy\n"
    assert import_line in text
    namespace = {"__name__": "mutant_oracle", "mlp_numpy": module}
    exec(compile(text.replace(import_line, ""), "oracle.py", "exec"), namespace)
    return namespace["Oracle"]


def checks(model_class: Any, oracle_class: Any, mutant: Mutant | None, precision: str) -> list[gates.Check]:
    spec = MLPSpec().changed(**SIZE | (mutant.spec if mutant else {}), precision=precision)
    candidate = proof.Candidate(model_class(spec), spec, lambda array: array, np.asarray)
    hot, (x, y) = parameters.hot_state(spec), parameters.batches(spec, 1)[0]
    zeroed = parameters.zeroed_slots(spec, hot)
    starts = [proof.Start("hot state", hot, x, y), proof.Start(gates.ZEROED, zeroed, x, y)]
    return proof.prove(candidate, oracle_class(spec), starts)


def failed(found: list[gates.Check]) -> list[str]:
    return [f"{check.check}: {check.group}" for check in found if not check.passed]


@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize("mutant", NUMPY, ids=lambda mutant: mutant.name)
def test_a_fault_in_the_implementation_is_noticed(mutant: Mutant, precision: str) -> None:
    assert failed(checks(planted(mutant, "mlp_numpy.py").MLP, oracle.Oracle, mutant, precision))


@pytest.mark.parametrize("mutant", [m for m in NUMPY if m.name not in NOT_THE_ORACLES], ids=lambda mutant: mutant.name)
def test_a_fault_in_the_oracle_is_noticed(mutant: Mutant) -> None:
    assert failed(checks(mlp_numpy.MLP, oracle_over(planted(mutant, "mlp_numpy.py")), mutant, "float64"))


@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_without_a_fault_nothing_is_noticed(precision: str) -> None:
    clean = planted(None, "mlp_numpy.py")
    assert not failed(checks(clean.MLP, oracle_over(clean), None, precision))


def test_faults_in_pytorch_are_noticed() -> None:
    """All in one process of its own: `python -m tests.equivalence.test_mutants` prints those that survive."""
    command = [sys.executable, "-m", "tests.equivalence.test_mutants"]
    done = subprocess.run(command, cwd=FOLDER.parents[1], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"{len(TORCH)} planted, 0 survive"]


def _torch() -> None:
    import torch

    def to_host(tensor: Any) -> np.ndarray:
        return tensor.numpy(force=True)

    survivors = []
    for mutant in TORCH:
        spec = MLPSpec().changed(**SIZE | mutant.spec)
        model = planted(mutant, "mlp_torch.py").MLP(spec)
        candidate = proof.Candidate(model, spec, lambda array: torch.from_numpy(np.array(array)), to_host)
        hot, (x, y) = parameters.hot_state(spec), parameters.batches(spec, 1)[0]
        zeroed = parameters.zeroed_slots(spec, hot)
        starts = [proof.Start("hot state", hot, x, y), proof.Start(gates.ZEROED, zeroed, x, y)]
        if not failed(proof.prove(candidate, oracle.Oracle(spec), starts)):
            survivors.append(mutant.name)
    print("\n".join([*survivors, f"{len(TORCH)} planted, {len(survivors)} survive"]))


if __name__ == "__main__":
    _torch()
