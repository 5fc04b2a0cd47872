"""Tests that wait for long processes come last, and the processes are begun first (`background.py`).

With `--model NAME`, as `make test MODEL=NAME` has it, tests of other models are left out.
"""

from typing import Any

import pytest
import threadpoolctl

from implementations import registry
from tests.support import ROOT, background


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--model", choices=registry.models(), help="leave out the tests of other models")


def pytest_collection_modifyitems(config: pytest.Config, items: list[Any]) -> None:
    if model := config.getoption("--model"):
        left_out = [item for item in items if is_of_another(item, model)]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
    items.sort(key=lambda item: hasattr(item.module, "begin_processes"))


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
    waiting: dict[Any, list[dict[str, Any]]] = {}
    for item in session.items:
        if hasattr(item.module, "begin_processes") and not item.get_closest_marker("skip"):
            waiting.setdefault(item.module, []).append(item.callspec.params if hasattr(item, "callspec") else {})
    for module in sorted(waiting, key=lambda module: not hasattr(module, "BEGIN_FIRST")):
        module.begin_processes(waiting[module])


def pytest_sessionfinish() -> None:
    background.stop()
