"""Tests that wait for long processes come last, and the processes are begun first (`background.py`).

`make test` spreads the tests over several processes (pytest-xdist), a module's tests together. Then those that wait for long processes come
first, and each process begins what its own modules wait for.
With `--model NAME`, as `make test MODEL=NAME` has it, tests of other models are left out.
"""

from functools import cache
from typing import Any

import pytest
import threadpoolctl

from implementations import registry
from tests.support import ROOT, SPREAD, background


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--model", choices=registry.models(), help="leave out the tests of other models")


def pytest_collection_modifyitems(config: pytest.Config, items: list[Any]) -> None:
    if model := config.getoption("--model"):
        left_out = [item for item in items if is_of_another(item, model)]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
    items.sort(key=lambda item: waits(item) != SPREAD)


def waits(item: Any) -> bool:
    """Whether a test reads what a long process said."""
    return hasattr(item.module, "begin_processes")


def is_of_another(item: Any, model: str) -> bool:
    """Whether a test is of another model: one of its parameters, or its folder, says so."""
    others = set(registry.models()) - {model}
    named = {item.callspec.params.get("model")} if hasattr(item, "callspec") else set()
    folders = {ROOT / "tests" / "implementations" / other for other in others}
    return bool(named & others) or bool(folders & set(item.path.parents))


def pytest_collection_finish(session: Any) -> None:
    if session.config.option.collectonly:
        return
    # Now that NumPy is imported: products are small here, and long processes run beside them.
    threadpoolctl.threadpool_limits(1, user_api="blas")
    if not SPREAD:
        waiting = dict.fromkeys(item.module for item in session.items if waits(item))
        for module in sorted(waiting, key=lambda module: not hasattr(module, "BEGIN_FIRST")):
            begin(session, module)


def pytest_runtest_setup(item: Any) -> None:
    if SPREAD and waits(item):
        begin(item.session, item.module)


@cache
def begin(session: Any, module: Any) -> None:
    """The processes that the session's tests of a module wait for, once."""
    items = [item for item in session.items if item.module is module and not item.get_closest_marker("skip")]
    if items:
        module.begin_processes([item.callspec.params if hasattr(item, "callspec") else {} for item in items])


def pytest_sessionfinish() -> None:
    background.stop()
