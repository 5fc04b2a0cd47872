"""How the tests are shared out among pytest's processes (`make test` starts some; without `-n` it is one).

Tests of one file run in one process, and so do tests that wait for the same long process (`shared_process.py`). Long tests come first;
last among them those that would wait for others, of which a module's `turn_of(parameters)` is 1.
With `--model NAME`, as `make test MODEL=NAME` has it, tests of other models are left out.
"""

import gc
import os
from typing import Any

import pytest
import threadpoolctl

from implementations import registry
from tests.support import ROOT, shared_process
from tests.support.adapters import STRAYS


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--model", choices=registry.models(), help="leave out the tests of other models")


def pytest_configure() -> None:
    # Where it is set, pytest-benchmark measures nothing, in what a test starts too.
    os.environ.pop("PYTEST_XDIST_WORKER", None)


@pytest.hookimpl(tryfirst=True)  # pytest-xdist reads the groups in its own
def pytest_collection_modifyitems(config: pytest.Config, items: list[Any]) -> None:
    if model := config.getoption("--model"):
        left_out = [item for item in items if is_of_another(item, model)]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
    items.sort(key=place_of)
    for item in items:
        item.add_marker(pytest.mark.xdist_group(group_of(item)))


def is_of_another(item: Any, model: str) -> bool:
    """Whether a test is of another model: one of its parameters, or its folder, says so."""
    others = set(registry.models()) - {model}
    named = {parameters_of(item).get("model")}
    folders = {ROOT / "tests" / "implementations" / other for other in others}
    return bool(named & others) or bool(folders & set(item.path.parents))


def place_of(item: Any) -> tuple[bool, int]:
    """Where a test stands in the order."""
    turn = getattr(item.module, "turn_of", lambda parameters: 0)
    return item.get_closest_marker("long") is None, turn(parameters_of(item))


def group_of(item: Any) -> str:
    """Its file, and where a file's tests wait for several processes, which."""
    process = getattr(item.module, "process_of", lambda parameters: "")
    return f"{item.path} {process(parameters_of(item))}"


def parameters_of(item: Any) -> dict[str, Any]:
    """Of one test's call."""
    return item.callspec.params if hasattr(item, "callspec") else {}


@pytest.fixture(scope="session", autouse=True)
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> None:
    """One for all of pytest's processes: of what long processes said, and of how far rounding leads the oracle astray."""
    own = tmp_path_factory.getbasetemp()
    shared_process.folder = own.parent if own.name.startswith("popen-") else own
    os.environ[STRAYS] = str(shared_process.folder / "strays")
    (shared_process.folder / "strays").mkdir(exist_ok=True)


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports without charts, where nobody looks at them: drawing them costs a second."""
    from benchmarks.report import charts

    monkeypatch.setattr(charts, "draw", lambda *_: {})


def pytest_runtest_setup(item: pytest.Item) -> None:
    # Of versions that do not fit one another nothing else would tell: tests would wait for one another in all processes.
    shared_out = item.config.getoption("loadgroup", False)
    assert not shared_out or item.nodeid.endswith(f"@{group_of(item)}"), "pytest-xdist does not know the groups"


def pytest_collection_finish() -> None:
    # Now that NumPy is imported: products are small here, and other processes run beside.
    threadpoolctl.threadpool_limits(1, user_api="blas")
    gc.collect()
    gc.freeze()  # thousands of tests and all modules, which every collection in a test would look through
