"""Frameworks that print, raise or compute something else: each harms its own cells and no other.

They come from a package of their own, through the entry points that any package may use.
"""

import os
from collections.abc import Iterator

import pytest

from benchmarks.record import OutcomeRecord, ProofRecord, Record, TimingRecord
from implementations import registry
from tests.benchmarks.tiny_runs import ROUNDS, cells_of, execute, outcomes, timed

NO_JAX = registry.missing("keras-jax")

PACKAGE = {
    "misbehaving-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: misbehaving\nVersion: 1.0\n",
    "misbehaving-1.0.dist-info/entry_points.txt": (
        "[samenet.frameworks]\nchatty = misbehaving.chatty\nraising = misbehaving.raising\nwrong = misbehaving.wrong\n"
    ),
    "misbehaving/__init__.py": "",
    "misbehaving/chatty.py": (
        'import os\nfrom implementations.frameworks.numpy_adapter import *\nMODELS = {"mlp": "misbehaving.models:Chatty"}\n'
        'print("garbage while it is imported")\nos.write(1, b"{garbage from below Python")\n'
    ),
    "misbehaving/raising.py": (
        'from implementations.frameworks.numpy_adapter import *\nMODELS = {"mlp": "misbehaving.models:Raising"}\n'
    ),
    "misbehaving/wrong.py": (
        'from implementations.frameworks.numpy_adapter import *\nMODELS = {"mlp": "misbehaving.models:Wrong"}\n'
    ),
    "misbehaving/models.py": (
        "from implementations.mlp.mlp_numpy import MLP\n\n"
        "class Chatty(MLP):\n"
        "    def train_step(self, x, y):\n"
        '        print("garbage in a step", flush=True)\n'
        "        return super().train_step(x, y)\n\n"
        "class Raising(MLP):\n"
        "    def __init__(self, spec, device):\n"
        "        super().__init__(spec, device)\n"
        "        if spec.batch == 16:\n"
        '            raise FloatingPointError("sixteen is too much for me")\n\n'
        "class Wrong(MLP):\n"
        "    def train_step(self, x, y):\n"
        "        loss = super().train_step(x, y)\n"
        "        state = self.state()\n"
        '        state["output.bias"] *= 1.001\n'
        "        self.load_state(state)\n"
        "        return loss\n"
    ),
}


@pytest.fixture(scope="module")
def misbehaving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Record]]:
    """The records of one run of all three."""
    site = tmp_path_factory.mktemp("site")
    for name, text in PACKAGE.items():
        (site / name).parent.mkdir(exist_ok=True)
        (site / name).write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(site)
        patch.setenv("PYTHONPATH", str(site))
        registry._entry_points.cache_clear()
        cells = cells_of("chatty", "raising", "wrong", sets={"batch": [8, 16]}, phases=("train_step",))
        yield execute(cells)
    registry._entry_points.cache_clear()


def cells_in(records: list[Record], framework: str) -> dict[int, Record]:
    """What came of each of a framework's cells, by batch."""
    return {
        found.cell.axes["batch"]: found
        for found in records
        if isinstance(found, TimingRecord | OutcomeRecord) and found.cell.who.framework == framework
    }


def test_what_a_framework_prints_does_not_disturb_the_records(misbehaving: list[Record]) -> None:
    found = cells_in(misbehaving, "chatty")
    assert found.keys() == {8, 16}
    for timing in found.values():
        assert isinstance(timing, TimingRecord), timing
        assert len(timing.elapsed_s) == ROUNDS


def test_an_error_belongs_to_its_cell_and_the_others_are_measured(misbehaving: list[Record]) -> None:
    found = cells_in(misbehaving, "raising")
    assert isinstance(found[8], TimingRecord)
    failed = found[16]
    assert isinstance(failed, OutcomeRecord)
    assert failed.status == "failed"
    assert failed.reason == "FloatingPointError: sixteen is too much for me"
    assert any("misbehaving/models.py" in line.replace(os.sep, "/") for line in failed.last_lines)


def test_an_implementation_that_is_not_equal_is_not_timed(misbehaving: list[Record]) -> None:
    found = cells_in(misbehaving, "wrong")
    assert found.keys() == {8, 16}
    for outcome in found.values():
        assert isinstance(outcome, OutcomeRecord), outcome
        assert outcome.status == "unequal"
        assert "parameters: output.bias is off by" in outcome.reason
        assert "allowed" in outcome.reason
    proofs = [r for r in misbehaving if isinstance(r, ProofRecord) and r.who.framework == "wrong"]
    assert proofs
    assert not any(proof.passed for proof in proofs)


@pytest.mark.skipif(NO_JAX is not None, reason=f"keras-jax: {NO_JAX}")
def test_keras_is_not_timed_in_a_precision_it_has_to_be_patched_for() -> None:
    records = execute(cells_of("keras-jax", precisions=("float64",), variants=("spec",)))
    assert not timed(records)
    assert {outcome.status for outcome in outcomes(records)} == {"skipped"}
    assert "float64" in outcomes(records)[0].reason
