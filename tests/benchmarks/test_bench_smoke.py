"""Plain pytest as a way to time cells, without the command line."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_plain_pytest_tabulates_a_cell(tmp_path: Path) -> None:
    table = tmp_path / "table.json"
    arguments = ["benchmarks/", "-k", "numpy and products", f"--benchmark-json={table}"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (row,) = json.loads(table.read_text(encoding="utf-8"))["benchmarks"]
    assert row["extra_info"]["cell"].startswith("mlp/numpy/spec/cpu/")
    assert row["stats"]["min"] > 0
    assert row["stats"]["rounds"] >= 3
