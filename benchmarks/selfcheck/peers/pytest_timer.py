"""pytest-benchmark alone: a test for each cell, `benchmark(call)`."""

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest

from benchmarks.selfcheck import peers


def main() -> None:
    """Measure what the command line asks for."""
    arguments = peers.parse_arguments()
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # whatever else is installed is not to take part
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "table.json"
        options = ["-c", os.devnull, "-q", "-p", "no:cacheprovider", "-p", "pytest_benchmark.plugin"]
        options += ["--benchmark-quiet", f"--benchmark-json={table}"]
        options += [f"--benchmark-max-time={arguments.seconds}"] if arguments.seconds else []
        pytest.main([*options, __file__], plugins=[Cells(arguments.cells)])
        tests = json.loads(table.read_text(encoding="utf-8"))["benchmarks"]
    peers.answer(arguments.out, {test["param"]: test["stats"]["data"] for test in tests})


class Cells:
    """The pytest plugin that gives `test_cell` its cells."""

    def __init__(self, cells: Any) -> None:
        self.cells = cells

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """One test per cell."""
        metafunc.parametrize("cell", self.cells)


def test_cell(cell: str, benchmark: Any) -> None:
    """What pytest-benchmark times."""
    benchmark(peers.call(cell))


if __name__ == "__main__":
    main()
