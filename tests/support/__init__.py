"""What several tests stand on: made-up runs and machines, processes in the background, models that misbehave."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
"""The project's folder."""

LIGHT = ROOT / "tests" / "support" / "light"
"""On the path of a run whose charts and whose split of the digits nobody looks at: each costs a second."""
