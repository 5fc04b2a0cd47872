"""The CuPy implementation's logic, proved on a NumPy stand-in. The CUDA side is proved where there is a GPU.

Where there is none, the conformance tests of CuPy are counted as skipped, with the reason.
"""

import importlib
import sys
import types
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from implementations.equivalence import gates, proof
from implementations.mlp import oracle, parameters
from implementations.mlp.spec import MLPSpec
from tests.conformance.cases import CASES, SMALL
from tests.equivalence.mutants import NUMPY, Mutant
from tests.equivalence.test_mutants import FOLDER
from tests.mlp import stand_in


@pytest.fixture
def without_gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[types.ModuleType]:
    """`import cupy` gives the stand-in."""
    monkeypatch.setitem(sys.modules, "cupy", stand_in.module())
    monkeypatch.delitem(sys.modules, "implementations.mlp.mlp_cupy", raising=False)
    yield importlib.import_module("implementations.mlp.mlp_cupy")
    monkeypatch.delitem(sys.modules, "implementations.mlp.mlp_cupy", raising=False)


def checks(module: Any, spec: MLPSpec) -> list[gates.Check]:
    candidate = proof.Candidate(module.MLP(spec), spec, stand_in.on_device, np.asarray)
    hot, (x, y) = parameters.hot_state(spec), parameters.batches(spec, 1)[0]
    zeroed = parameters.zeroed_slots(spec, hot)
    starts = [proof.Start("hot state", hot, x, y), proof.Start(gates.ZEROED, zeroed, x, y)]
    return proof.prove(candidate, oracle.Oracle(spec), starts)


def failed(found: list[gates.Check]) -> list[gates.Check]:
    return [check for check in found if not check.passed]


@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize("case", CASES)
def test_the_logic_equals_the_oracles(without_gpu: types.ModuleType, case: str, precision: str) -> None:
    assert not failed(checks(without_gpu, MLPSpec().changed(**SMALL | CASES[case], precision=precision)))


def test_a_thousand_steps_stay_with_the_oracle(without_gpu: types.ModuleType) -> None:
    spec = MLPSpec().changed(**SMALL, precision="float64")
    candidate = proof.Candidate(without_gpu.MLP(spec), spec, stand_in.on_device, np.asarray)
    batches = parameters.batches(spec, 8)
    start = proof.Start("free run", parameters.hot_state(spec), *batches[0])
    assert not failed(proof.free_run(candidate, oracle.Oracle(spec), start, batches, 1000))


ELSEWHERE = {"dropout keeps p", "dropout unscaled", "dropout scaled by 1/p", "dgamma averaged"}
"""Written in another way on the CuPy page; planted below."""

CUPY = [
    *(mutant for mutant in NUMPY if mutant.name not in ELSEWHERE),
    Mutant(
        "dropout keeps p", "rng.random(shape, dtype=cp.float32) >= rate", "rng.random(shape, dtype=cp.float32) < rate"
    ),
    Mutant("dropout unscaled", "mask *= 1 / (1 - rate)", "mask *= 1"),
    Mutant("dropout scaled by 1/p", "mask *= 1 / (1 - rate)", "mask *= 1 / rate"),
    Mutant("dgamma averaged", "dgamma = (dn * z_hat).sum(axis=0)", "dgamma = (dn * z_hat).mean(axis=0)"),
    Mutant("state not copied to the host", "cp.asnumpy(value) for name", "value for name"),
]


@pytest.mark.parametrize("mutant", CUPY, ids=lambda mutant: mutant.name)
def test_a_fault_is_noticed(without_gpu: types.ModuleType, mutant: Mutant) -> None:
    text = (FOLDER / "mlp_cupy.py").read_text(encoding="utf-8")
    old = mutant.old.replace("np.", "cp.")
    assert text.count(old) == mutant.times, f"{mutant.name}: its place in mlp_cupy.py has changed"
    module = types.ModuleType("mutant_cupy")
    exec(compile(text.replace(old, mutant.new), "mlp_cupy.py", "exec"), module.__dict__)
    spec = MLPSpec().changed(**SMALL | {"hidden": (32, 32), "dropout": 0.25} | mutant.spec)
    assert noticed(module, spec)


def noticed(module: Any, spec: MLPSpec) -> bool:
    """By a check, or because host and device arrays met."""
    try:
        return bool(failed(checks(module, spec)))
    except stand_in.Mixed:
        return True
