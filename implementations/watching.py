"""A training step watched from outside: what is called when a step of the network begins and when it has ended.

The functions under a heading of an implementation's file are that step; what a model calls besides, it says itself
(`contract.ExtendedModel.calls_of_steps`). Nothing is copied and nothing rewritten: as long as it is watched, each of them has a wrapper. No
clock here, and nothing that is ranked is ever watched.
"""

import ast
import functools
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import ParamSpec, TypeVar
from unittest import mock

from implementations.contract import ExtendedModel
from implementations.sources import HEADING

Callback = Callable[[str], None]
Values = ParamSpec("Values")
Result = TypeVar("Result")


@contextmanager
def watched(model: ExtendedModel, begins: Callback, ends: Callback) -> Iterator[None]:
    """While this lasts, `begins(step)` and `ends(step)` are called around whatever computes a step; also one in another."""
    module = sys.modules[type(model).__module__]
    calls = [(step, module, name) for step, name in _functions(str(module.__file__))]
    with ExitStack() as stack:
        for step, owner, name in [*calls, *model.calls_of_steps()]:
            wrapper = _wrapped(getattr(owner, name), step, begins, ends)
            stack.enter_context(mock.patch.object(owner, name, wrapper))
        yield


@functools.cache
def _functions(path: str) -> list[tuple[str, str]]:
    """(step, function) of every function under a heading, but for the last one, which is the model itself."""
    text = Path(path).read_text(encoding="utf-8")
    headings = [(text.count("\n", 0, heading.start()) + 1, heading[1]) for heading in HEADING.finditer(text)]
    functions = []
    for node in ast.parse(text).body:
        above = [step for line, step in headings if line < node.lineno]
        if isinstance(node, ast.FunctionDef) and above and above[-1] != headings[-1][1]:
            functions.append((above[-1], node.name))
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
