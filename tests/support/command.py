"""The command line in this process, and data to give it."""

from pathlib import Path
from typing import Any

import numpy as np
from click.testing import CliRunner, Result

from benchmarks.cli.commands import main

LISTS = {
    "frameworks": "--framework", "devices": "--device", "threads": "--threads", "phases": "--phase",
    "precisions": "--precision", "modes": "--mode", "variants": "--variant",
}  # fmt: skip
NOT_GIVEN: dict[str, Any] = dict.fromkeys(LISTS) | {
    "model": None, "profile": "quick", "sets": (), "keyword": "", "spec": "", "data": None, "pythons": (),
}  # fmt: skip
"""What the options that choose cells are where none is given."""

SMALL = ["--profile", "smoke", "--framework", "numpy", "--threads", "1", "--set", "batch=8", "--set", "width=16"]
"""The choice of a whole run that is done in seconds."""


def invoke(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def save_npz(path: Path, **changes: Any) -> Path:
    rng = np.random.default_rng(0)
    np.savez(path, **{"x": rng.normal(size=(40, 5)), "y": np.tile(np.arange(4), 10)} | changes)
    return path


def save_split_npz(path: Path) -> Path:
    """Data that is split already: scikit-learn, whose import takes as long as a short run, is not needed for it."""
    return save_npz(path, x_test=np.ones((8, 5)), y_test=np.tile(np.arange(4), 2))
