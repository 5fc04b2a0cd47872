"""What a run says while it goes on."""

from collections.abc import Callable

Say = Callable[[str], None]


class Place(str):
    """Where a run is, said as a line that takes the place of the one before it where that can be.

    `done` is the share of its blocks that is done; `is_block` where a block begins.
    """

    done: float
    is_block: bool

    def __new__(cls, text: str, done: float = 0.0, is_block: bool = False) -> "Place":
        """The line, and what it says besides."""
        place = super().__new__(cls, text)
        place.done, place.is_block = done, is_block
        return place
