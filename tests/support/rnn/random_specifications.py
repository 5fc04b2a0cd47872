"""Recurrent networks made up at random, within what the specification allows, and what the kit says of each."""

from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from implementations.equivalence.kit import Kit
from implementations.equivalence.tolerances import Check
from implementations.rnn.spec import RNNSpec
from tests.support import made_up
from tests.support.made_up import whole

networks = st.fixed_dictionaries(
    {
        "cell": st.sampled_from(["lstm", "gru", "tanh"]),
        "vocabulary": st.sampled_from([0, 2, 7, 40]),
        "features": whole(1, 5, 9),
        "length": whole(1, 6, 20),
        "hidden": st.lists(whole(1, 6, 12), min_size=1, max_size=3).map(tuple),
        "outputs": st.sampled_from(["last", "every"]),
        "classes": whole(2, 10, 20),
        "batch": whole(1, 8, 33),
        "clip_norm": st.sampled_from([1.0, 0.1, 0.0]),
        "dropout": made_up.rates,
        "optimizer": made_up.optimizers,
    }
)


def tried(kit: Kit, implementation: str, precision: str, count: int) -> Iterator[tuple[Any, list[Check]]]:
    """`count` of them, each from every start."""
    return made_up.tried(kit, implementation, RNNSpec(), networks, precision, count)
