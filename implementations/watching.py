"""A training step watched from outside: what is called when a step of the network begins and when it has ended.

The functions of a layer's file are that layer's step, those under a heading of a page the heading's; what a model calls besides, it says itself
(`contract.ExtendedModel.calls_of_steps`). Nothing is copied and nothing rewritten: as long as it is watched, each of them has a wrapper. No
clock here, and nothing that is ranked is ever watched.
"""

import ast
import functools
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import ParamSpec, TypeVar
from unittest import mock

from implementations.contract import ExtendedModel
from implementations.declarations import Step
from implementations.sources import HEADING, MODEL, module_of

Callback = Callable[[str], None]
Values = ParamSpec("Values")
Result = TypeVar("Result")


@contextmanager
def watched(model: ExtendedModel, steps: Sequence[Step], begins: Callback, ends: Callback) -> Iterator[None]:
    """While this lasts, `begins(step)` and `ends(step)` are called around whatever computes a step; also one in another."""
    page = sys.modules[type(model).__module__]
    family = page.__name__.rpartition("_")[2]
    calls = [(step, page, name) for step, name in _functions(str(page.__file__))]
    for step in steps:
        if layer := sys.modules.get(module_of(step.layer, page.__name__.rpartition(".")[0], family) or ""):
            calls += [(under, layer, name) for under, name in _functions(str(layer.__file__), step.name)]
    with ExitStack() as stack:
        for name_of_step, owner, name in [*calls, *model.calls_of_steps()]:
            wrapper = _wrapped(getattr(owner, name), name_of_step, begins, ends)
            stack.enter_context(mock.patch.object(owner, name, wrapper))
        yield


@functools.cache
def _functions(path: str, step: str = "") -> list[tuple[str, str]]:
    """(step, function) of every function under a heading of a page that is no model's, or of the file of a layer, which is a step.

    Under the heading "backward" it is that step; in a layer's file under every other one, the layer's.
    """
    text = Path(path).read_text(encoding="utf-8")
    headings = [(text.count("\n", 0, heading.start()) + 1, heading[1]) for heading in HEADING.finditer(text)]
    functions = []
    for node in ast.parse(text).body:
        above = [heading for line, heading in headings if line < node.lineno]
        if isinstance(node, ast.FunctionDef) and above and above[-1] != MODEL:
            functions.append((step if step and above[-1] != "backward" else above[-1], node.name))
    return functions


def _wrapped(call: Callable[Values, Result], step: str, begins: Callback, ends: Callback) -> Callable[Values, Result]:
    @functools.wraps(call)
    def watched_call(*values: Values.args, **options: Values.kwargs) -> Result:
        begins(step)
        try:
            return call(*values, **options)
        finally:
            ends(step)

    return watched_call
