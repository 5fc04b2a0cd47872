"""Plain pytest as a way to time cells, without the command line."""

import json
from pathlib import Path

from tests.support import LIGHT
from tests.support.fresh_process import python


def test_plain_pytest_tabulates_a_cell(tmp_path: Path) -> None:
    table = tmp_path / "table.json"
    arguments = ["benchmarks/", "-k", "numpy and products", f"--benchmark-json={table}"]
    done = python("-m", "pytest", "-p", "no:cacheprovider", *arguments, site=LIGHT)
    assert done.returncode == 0, done.stdout + done.stderr
    (row,) = json.loads(table.read_text(encoding="utf-8"))["benchmarks"]
    assert row["extra_info"]["cell"].startswith("mlp/numpy/spec/cpu/")
    assert row["stats"]["min"] > 0
    assert row["stats"]["rounds"] >= 3
