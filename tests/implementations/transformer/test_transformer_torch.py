"""PyTorch's page of the Transformer, in a process of its own."""

from collections.abc import Sequence
from typing import Any

import pytest

from implementations import registry
from tests.support import background

pytestmark = pytest.mark.skipif(registry.missing("torch") is not None, reason=str(registry.missing("torch")))

WORDS = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/support/transformer/torch_page.py")


def begin_processes(parameters: Sequence[dict[str, Any]]) -> None:
    """The only one; no process may hold two frameworks."""
    background.python(*WORDS)


def test_it_is_what_it_says_of_itself() -> None:
    """All that is asserted there, and nothing skipped."""
    done = background.python(*WORDS).result()
    assert done.returncode == 0, done.stdout[-3000:]
    assert "passed" in done.stdout
    assert "skipped" not in done.stdout
