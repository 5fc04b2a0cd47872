"""Every framework is drawn in a way of its own that can be seen on the light and on the dark page."""

import re
from pathlib import Path

import pytest

from benchmarks.report import colours
from implementations import registry

PAGE = Path(colours.__file__).parent / "templates/page.css"


def luminance(colour: str) -> float:
    """Relative luminance of #rgb or #rrggbb (WCAG 2.2)."""
    digits = colour.removeprefix("#")
    digits = "".join(2 * digit for digit in digits) if len(digits) == 3 else digits
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_every_framework_has_a_look_and_a_spelling() -> None:
    assert colours.LOOKS.keys() == registry.FAMILIES.keys()


@pytest.mark.parametrize("what", ["colour", "marker", "glyph", "dash"])
def test_no_two_look_alike(what: str) -> None:
    found = [getattr(look, what) for look in colours.LOOKS.values()]
    assert len(set(found)) == len(found)


@pytest.mark.parametrize("framework", colours.LOOKS)
def test_the_colour_can_be_seen_on_both_pages(framework: str) -> None:
    papers = re.findall(r"--paper: (#\w+);", PAGE.read_text(encoding="utf-8"))
    assert len(papers) == 2
    assert min(contrast(colours.of(framework).colour, paper) for paper in papers) >= 3
