"""Transformers made up at random, within what the specification allows, and what the kit says of each."""

from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from implementations.equivalence.kit import Kit
from implementations.equivalence.tolerances import Check
from implementations.transformer.spec import TransformerSpec
from tests.support import made_up
from tests.support.made_up import whole

networks = st.fixed_dictionaries(
    {
        "vocabulary": st.sampled_from([0, 2, 7, 40]),
        "features": whole(1, 5, 9),
        "length": whole(1, 6, 20),
        "outputs": st.sampled_from(["every", "mean"]),
        "classes": whole(2, 10, 20),
        "width": st.sampled_from([4, 12, 24]),
        "heads": st.sampled_from([1, 2, 4]),
        "blocks": whole(1, 2, 3),
        "batch": whole(1, 8, 17),
        "dropout": made_up.rates,
        "attention_dropout": made_up.rates,
        "optimizer": made_up.optimizers,
    }
)


def tried(kit: Kit, implementation: str, precision: str, count: int) -> Iterator[tuple[Any, list[Check]]]:
    """`count` of them, each from every start."""
    return made_up.tried(kit, implementation, TransformerSpec(), networks, precision, count)
