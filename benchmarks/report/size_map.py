"""A map of fields over two axes with few values each, as a Vega-Lite specification."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.report import plots
from benchmarks.report.colours import BAND, INK, MUTED, PAPER


@dataclass(frozen=True)
class Tile:
    """One field of a map; `words` stand in it, `description` is read aloud."""

    x: int
    y: int
    words: str
    marked: bool
    description: str


def chart(fields: Sequence[Tile], x_title: str, y_title: str) -> plots.Spec:
    """A map of fields over two axes with few values each; the marked ones are shaded and framed."""
    rows = [
        {"x": t.x, "y": t.y, "words": t.words, "fill": BAND if t.marked else PAPER, "stroke": INK if t.marked else MUTED,
         "width": 2 if t.marked else 0.5, "description": f"{x_title} {t.x}, {y_title} {t.y}: {t.words}, {t.description}"}
        for t in sorted(fields, key=lambda tile: tile.marked)
    ]  # fmt: skip
    axis = {"ticks": False, "domain": False, "grid": False, "labelAngle": 0}
    x: plots.Spec = {"field": "x", "type": "ordinal", "axis": axis | {"title": x_title}}
    y: plots.Spec = {"field": "y", "type": "ordinal", "sort": "descending", "axis": axis | {"title": y_title}}
    looks = {"strokeWidth": plots.as_it_is("width"), "fill": plots.as_it_is("fill"), "stroke": plots.as_it_is("stroke")}
    field = plots.layer(rows, {"type": "rect"}, x=x, y=y, description={"field": "description"}, **looks)
    words = plots.layer(rows, {"type": "text", "aria": False}, x=x, y=y, text=plots.as_it_is("words"))
    columns, lines_ = len({t.x for t in fields}), len({t.y for t in fields})
    return {"width": max(480, 64 * columns), "height": 40 * lines_, "layer": [field, words]}
