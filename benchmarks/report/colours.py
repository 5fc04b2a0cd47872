"""Colour, marker and dash of each framework, the same in every chart and table."""

from dataclasses import dataclass

INK, MUTED, GRID, BAND, PAPER = "currentColor", "var(--muted)", "var(--grid)", "var(--band)", "var(--paper)"
"""Colours that the page's style sheet decides, for light, dark and print."""


@dataclass(frozen=True)
class Look:
    """How a framework is drawn. `glyph` is the marker as a character, for tables."""

    colour: str
    marker: str
    glyph: str
    dash: tuple[int, ...]


# All colours reach a contrast of 3:1 on white and on the dark page; marker and dash tell them apart without colour.
LOOKS = {
    "numpy": Look("#0072B2", "circle", "●", ()),
    "torch": Look("#D55E00", "square", "■", (8, 3)),
    "jax": Look("#6644FF", "triangle-left", "◀", (5, 2, 1, 2)),
    "cupy": Look("#009E73", "triangle-up", "▲", (3, 3)),
    "keras-tensorflow": Look("#CC79A7", "diamond", "◆", (10, 3, 2, 3)),
    "keras-torch": Look("#AA3377", "triangle-down", "▼", (6, 2, 2, 2, 2, 2)),
    "keras-jax": Look("#666666", "cross", "✚", (2, 2)),
}
_OTHER = Look("#666666", "triangle-right", "▶", (12, 4))


def of(framework: str) -> Look:
    """The look of a framework; those that have none of their own share one."""
    return LOOKS.get(framework, _OTHER)
