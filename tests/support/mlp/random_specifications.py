"""Perceptrons made up at random, within what the specification allows, and what the kit says of each."""

from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from implementations.equivalence.kit import Kit
from implementations.equivalence.tolerances import Check
from implementations.mlp.spec import MLPSpec
from tests.support import made_up
from tests.support.made_up import whole

widths = whole(1, 33, 70)
networks = st.tuples(
    st.fixed_dictionaries(
        {
            "features": widths,
            "hidden": st.sampled_from([2, 3, 1, 4, 0]).flatmap(lambda n: st.tuples(*[widths] * n)),
            "classes": whole(2, 10, 20),
            "batch": whole(2, 64, 257),
        }
    ),
    made_up.settings_of_blocks,
).map(lambda parts: parts[0] | parts[1])


def tried(kit: Kit, implementation: str, precision: str, count: int) -> Iterator[tuple[Any, list[Check]]]:
    """`count` of them, each from every start."""
    return made_up.tried(kit, implementation, MLPSpec(), networks, precision, count)
