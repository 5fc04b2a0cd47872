"""What several tests stand on: made-up runs and machines, processes in the background, models that misbehave."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
"""The project's folder."""

UNDRAWN = {"PYTHONPATH": str(ROOT / "tests" / "support" / "undrawn")}
"""The environment of a run whose charts nobody looks at: drawing them costs a second."""
