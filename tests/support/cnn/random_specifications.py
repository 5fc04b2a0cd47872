"""Convolutional networks made up at random, within what the specification allows, and what the kit says of each."""

from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from implementations.cnn.spec import CNNSpec
from implementations.equivalence.kit import Kit
from implementations.equivalence.tolerances import Check
from tests.support import made_up
from tests.support.made_up import whole

FEWEST_CHANNELS = {"keras-torch": 2}
"""Where not one: as Keras lays a kernel out, PyTorch cannot train one from several channels to one in float64, nor of a lone image in
float32 ("slow_conv2d: grad_weight must be contiguous"). Contiguous kernels, as our PyTorch page has, are trained.
"""


@st.composite
def networks(draw: st.DrawFn, fewest: int) -> dict[str, Any]:
    """Of at most three blocks, with images just large enough or larger."""
    widths = whole(fewest, 5, 9)
    blocks = draw(st.sampled_from([2, 1, 3, 0]))
    sides = [draw(whole(2**blocks, 2**blocks + 3, 2**blocks + 6)) for _ in range(2)]
    return {
        "image": (*sides, draw(whole(1, 2, 4))),
        "channels": tuple(draw(widths) for _ in range(blocks)),
        "hidden": tuple(draw(whole(1, 8, 20)) for _ in range(draw(st.sampled_from([1, 2, 0])))),
        "classes": draw(whole(2, 10, 20)),
        "batch": draw(whole(2, 16, 65)),
    } | draw(made_up.settings_of_blocks)


def tried(kit: Kit, implementation: str, precision: str, count: int) -> Iterator[tuple[Any, list[Check]]]:
    """`count` of them, each from every start."""
    return made_up.tried(
        kit, implementation, CNNSpec(), networks(FEWEST_CHANNELS.get(implementation, 1)), precision, count
    )
