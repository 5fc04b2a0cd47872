"""Tests that wait for long processes come last, and the processes are begun first (`background.py`)."""

from typing import Any

from tests.support import background


def pytest_collection_modifyitems(items: list[Any]) -> None:
    items.sort(key=lambda item: hasattr(item.module, "begin_processes"))


def pytest_collection_finish(session: Any) -> None:
    if session.config.option.collectonly:
        return
    waiting: dict[Any, list[dict[str, Any]]] = {}
    for item in session.items:
        if hasattr(item.module, "begin_processes") and not item.get_closest_marker("skip"):
            waiting.setdefault(item.module, []).append(item.callspec.params if hasattr(item, "callspec") else {})
    for module, parameters in waiting.items():
        module.begin_processes(parameters)


def pytest_sessionfinish() -> None:
    background.stop()
