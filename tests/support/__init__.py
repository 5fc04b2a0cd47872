"""What several tests stand on: made-up runs and machines, processes in the background, models that misbehave."""

import os
from pathlib import Path

ROOT = Path(__file__).parents[2]
"""The project's folder."""
SPREAD = bool(os.environ.pop("PYTEST_XDIST_WORKER", ""))
"""Whether this is one of several processes that share the tests; what is started here is to know nothing of it."""
