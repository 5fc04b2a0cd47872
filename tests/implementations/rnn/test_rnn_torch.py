"""PyTorch's page of the recurrent network, in a process of its own."""

import pytest

from implementations import registry
from tests.support import torch_pages

pytestmark = pytest.mark.skipif(registry.missing("torch") is not None, reason=str(registry.missing("torch")))


def test_it_is_what_it_says_of_itself() -> None:
    torch_pages.assert_one_is_what_it_says_of_itself("rnn")
