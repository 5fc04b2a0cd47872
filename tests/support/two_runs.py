"""Two results folders made up for a comparison, and the command on them."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from click.testing import Result

from benchmarks.records import record
from benchmarks.records.record import Cell, Record
from tests.support import synthetic
from tests.support.command import invoke
from tests.support.synthetic import MICROSECOND, cell, measured

MACHINE = synthetic.ENVIRONMENT | {
    "usable_cores": 2,
    "gpus": [{"name": "NVIDIA H200", "driver": "570.86.10", "memory": "143771 MiB"}],
    "governor": "performance",
}
NUMPY, TORCH, KERAS = cell("numpy"), cell("torch"), cell("keras-tensorflow")
STOCK = cell("keras-tensorflow", variant="stock")
US_100 = 100 * MICROSECOND


def controls(of: Cell, factor: float = 1.0, blocks: int = 6) -> list[Record]:
    """A null control whose second copy takes `factor` times as long."""
    records: list[Record] = []
    for block in range(blocks):
        first = synthetic.timing(of, block, US_100, noise=0.001)
        rounds = [factor * seconds for seconds in first.elapsed_s]
        records.append(first.model_copy(update={"elapsed_s": rounds, "control": True}))
    return records


def quiet(*cells: tuple[Cell, float], blocks: int = 6, noise: float = 0.001, **options: Any) -> list[Record]:
    """A run without noise worth speaking of, NumPy at 100 µs and its null control in it."""
    return [*measured([(NUMPY, US_100), *cells], blocks, noise, **options), *controls(NUMPY, 1.0, blocks)]


def without(records: Sequence[Record], of: Cell) -> list[Record]:
    """The same run, but that cell has no time."""
    return [item for item in records if item.kind != "timing" or item.cell != of]


def unequal(of: Cell, block: int = 0) -> Record:
    return record.OutcomeRecord(cell=of, block=block, status="unequal", reason="gradients differ")


def with_version(records: list[Record], framework: str, **versions: str) -> list[Record]:
    return [
        item.model_copy(update={"versions": item.versions | versions})
        if item.kind == "worker" and item.who.framework == framework
        else item
        for item in records
    ]


def failed_proof(records: list[Record]) -> list[Record]:
    return [*records, synthetic.proof(TORCH, 3, error=5.0)]


def found(compare: Callable[..., Result], code: int) -> dict[str, Any]:
    """What `--json` says, which must agree with the exit code, and with itself without `--json`."""
    result = compare("--json")
    assert result.exit_code == code, result.output
    answer: dict[str, Any] = json.loads(result.stdout)
    assert answer["exit_code"] == code
    plain = compare()
    assert (plain.exit_code, plain.stdout.splitlines()[0]) == (code, answer["summary"])
    assert bool(answer["failures"]) == (code != 0)
    return answer


class Folders:
    """Two results folders and the command on them."""

    def __init__(self, path: Path) -> None:
        self.a, self.b = path / "a", path / "b"

    def save(self, a: Sequence[Record], b: Sequence[Record], **changes: Any) -> None:
        """`changes` are of B's machine."""
        synthetic.save(self.a, a, MACHINE)
        synthetic.save(self.b, b, MACHINE | changes)

    def compare(self, *options: str) -> Result:
        return invoke("compare", self.a, self.b, *options)

    def found(self, *options: str, code: int = 0) -> dict[str, Any]:
        return found(lambda *more: self.compare(*options, *more), code)

    def rows(self, *options: str, code: int = 0) -> dict[str, dict[str, Any]]:
        return {row["id"]: row for row in self.found(*options, code=code)["cells"]}
