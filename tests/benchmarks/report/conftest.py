from pathlib import Path

import pytest

import benchmarks.report
from tests.support import synthetic


@pytest.fixture(scope="session")
def quick_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A quick run's folder with its report, made once. Read only."""
    folder = synthetic.save(tmp_path_factory.mktemp("results") / "quick", synthetic.quick(), synthetic.ENVIRONMENT)
    benchmarks.report.write(folder)
    return folder
