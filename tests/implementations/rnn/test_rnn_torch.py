"""PyTorch's page of the recurrent network, in a process of its own."""

import pytest

from implementations import registry
from tests.support import shared_process

pytestmark = pytest.mark.skipif(registry.missing("torch") is not None, reason=str(registry.missing("torch")))

WORDS = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/support/rnn/torch_page.py")


def test_it_is_what_it_says_of_itself() -> None:
    """All that is asserted there, and nothing skipped."""
    done = shared_process.python(*WORDS)
    assert done.returncode == 0, done.stdout[-3000:]
    assert "passed" in done.stdout
    assert "skipped" not in done.stdout
