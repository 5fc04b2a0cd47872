"""The charts as Vega-Lite specifications, made of plain rows. Knows looks and axes, no records."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.report import axes, colours
from benchmarks.report.colours import BAND, INK, MUTED, PAPER
from benchmarks.verdict_rule import MARGIN

Spec = dict[str, Any]
_WIDTH, _ROW = 480, 26
_NARROW, _LINE, _LETTERS = 280, 15, 44
_NICE = (1, 1.1, 1.2, 1.3, 1.5, 2, 3, 5, 7, 10)


@dataclass(frozen=True)
class Dot:
    """One row of a dot-and-interval chart; `words` stand at its right."""

    label: str
    framework: str
    value: float
    low: float | None
    high: float | None
    words: str
    hollow: bool = False
    points: Sequence[float] = ()


@dataclass(frozen=True)
class Line:
    """One labelled line: points (x, y, low, high); low and high are None without an interval.

    `words` say what each marked point is.
    """

    label: str
    framework: str
    points: Sequence[tuple[float, float, float | None, float | None]]
    marked: bool = True
    wide: bool = False
    words: Sequence[str] = ()
    joined: bool = True
    """Where its points do not follow one another, as sizes of several widths do not, markers stand alone."""


def ratios(dots: Sequence[Dot], narrow: bool = False) -> Spec:
    """Ratios on a logarithmic axis, with the band of a tie. `narrow` fits a phone: names and words stand above."""
    domain = axes.around([dot.value for dot in dots], [(dot.low, dot.high) for dot in dots])
    x = {"type": "quantitative", "scale": {"type": "log", "domain": domain, "clamp": True}}
    band = {"low": max(1 / (1 + MARGIN), domain[0]), "high": min(1 + MARGIN, domain[1])}
    behind = [
        layer([band], {"type": "rect", "color": BAND}, x=x | {"field": "low"}, x2={"field": "high"}),
        layer([{"one": 1}], {"type": "rule", "color": MUTED}, x=x | {"field": "one"}),
    ]
    axis: Spec = {"title": "time over the fastest one's time (log scale)", "format": "~r", "grid": True}
    room = 0.07 * (_WIDTH / _NARROW if narrow else 1)
    return _panels([("", dots)], x, axis | {"values": axes.log_ticks(domain, _NICE, room)}, behind, narrow)


def times(panels: Sequence[tuple[str, Sequence[Dot]]]) -> Spec:
    """Seconds on a linear axis from zero, one panel per step."""
    ends = [value for _, panel in panels for dot in panel for value in (dot.value, dot.high) if value is not None]
    reach = min(1.06 * max(ends), 1.5 * max(dot.value for _, panel in panels for dot in panel))
    x = {"type": "quantitative", "scale": {"domain": [0, reach], "nice": False, "clamp": True}}
    axis = {"title": "seconds", "tickCount": 6, "format": "~s", "grid": True}
    axis |= {"labelExpr": "replace(format(datum.value, '~s'), /[^0-9.]$/, ' $&s')"}
    return _panels(panels, x, axis, [])


def deviations(title: str, dots: Sequence[Dot]) -> Spec:
    """Block medians as small dots about their cell's estimate, in per cent, with the interval."""
    reach = max((abs(value) for dot in dots for value in (*dot.points, dot.low or 0, dot.high or 0)), default=1)
    reach = min(max(reach, 1), 3 * max((abs(value) for dot in dots for value in dot.points), default=1) + 1)
    reach = round(1.06 * reach, 2)
    x = {"type": "quantitative", "scale": {"domain": [-reach, reach], "nice": False, "clamp": True}}
    behind = [layer([{"zero": 0}], {"type": "rule", "color": MUTED}, x=x | {"field": "zero"})]
    axis = {"title": "block median against the cell's estimate, in %", "tickCount": 7, "grid": True}
    return _panels([(title, dots)], x, axis, behind)


def lines(
    drawn: Sequence[Line],
    x_title: str,
    y_title: str,
    log: bool,
    height: int = 300,
    y_format: str = "~s",
    unit: str = "s",
) -> Spec:
    """Labelled lines: both axes logarithmic, or neither. `unit` is that of a logarithmic y axis."""
    xs = sorted({point[0] for line in drawn for point in line.points})
    domain = _line_domain(drawn, log)
    kind = {"type": "log"} if log else {"zero": False}
    # Ends a little beyond the last point, so that markers are whole.
    x_axis: Spec = {"title": x_title + (" (log scale)" if log else ""), "grid": not log}
    if log:
        measured = len(xs) <= 12 and all(float(x).is_integer() for x in xs)
        x_axis |= {"values": xs if measured else axes.log_ticks([xs[0], xs[-1]], (1, 2, 5), 0.06), "format": "~r"}
    else:
        x_axis |= {"tickCount": 8}
    x = {"type": "quantitative", "scale": kind | {"domain": [xs[0], xs[-1]], "nice": False}, "axis": x_axis}
    y_axis: Spec = {"title": y_title + (" (log scale)" if log else ""), "format": y_format, "tickCount": 6}
    if log:
        y_axis["values"] = axes.log_ticks(domain, (1, 2, 5), 0.06)
        y_axis["labelExpr"] = f"replace(format(datum.value, '~s'), /[^0-9.]?$/, ' $&{unit}')"
    y = {"type": "quantitative", "scale": kind | {"domain": domain, "nice": False}, "axis": y_axis}
    layers = [*_strokes(drawn, x, y), *_bars(drawn, x, y), *_markers(drawn, x, y)]
    return {"width": 560, "height": height, "layer": [*layers, *_end_labels(drawn, x, domain, log, height)]}


def _panels(
    panels: Sequence[tuple[str, Sequence[Dot]]], x: Spec, axis: Spec, behind: list[Spec], narrow: bool = False
) -> Spec:
    drawn = []
    for number, (title, dots) in enumerate(panels, start=1):
        last = number == len(panels)
        rows = [_row(dot, label) for dot, label in zip(dots, _distinct(dots), strict=True)]
        names = [row["label"] for row in rows]
        y: Spec = {"field": "label", "type": "nominal", "scale": {"domain": names}, "sort": None}
        names_axis = {"title": None, "labelLimit": 260, "ticks": False, "domain": False, "offset": 6, "grid": False}
        y["axis"] = None if narrow else names_axis
        x_here = x | {"axis": axis if last else axis | {"title": None, "labels": False, "ticks": False}}
        layers = [*behind, *_interval(rows, x_here, y), *_points(rows, x_here, y), *_marks(rows, x_here, y)]
        texts, height = _above(rows, y) if narrow else ([_beside(rows, y)], _ROW)
        width = _NARROW if narrow else _WIDTH
        drawn.append({"title": title, "width": width, "height": height * len(rows), "layer": [*layers, *texts]})
    return drawn[0] if len(drawn) == 1 else {"vconcat": drawn}


def _row(dot: Dot, label: str) -> Spec:
    look = colours.of(dot.framework)
    row = {"label": label, "value": dot.value, "words": dot.words, "points": list(dot.points)}
    row |= {"description": f"{label}: {dot.words}", "marker": look.marker, "stroke": look.colour}
    row |= {"fill": PAPER if dot.hollow else look.colour}
    return row | ({"low": dot.low, "high": dot.high} if dot.low is not None else {})


def _interval(rows: Sequence[Spec], x: Spec, y: Spec) -> list[Spec]:
    rows = [row for row in rows if "low" in row]
    mark = {"type": "rule", "strokeWidth": 3, "aria": False}
    ends = {"x": x | {"field": "low"}, "x2": {"field": "high"}}
    return [layer(rows, mark, **ends, y=y, stroke=as_it_is("stroke"))] if rows else []


def _points(rows: Sequence[Spec], x: Spec, y: Spec) -> list[Spec]:
    """The single blocks behind an estimate, where they are shown."""
    spread = [{"label": row["label"], "point": point} for row in rows for point in row["points"]]
    mark = {"type": "point", "shape": "circle", "filled": False, "size": 36, "color": INK, "opacity": 0.8}
    mark |= {"aria": False}
    return [layer(spread, mark, x=x | {"field": "point"}, y=y)] if spread else []


def _marks(rows: Sequence[Spec], x: Spec, y: Spec) -> list[Spec]:
    plain = {"shape": as_it_is("marker"), "fill": as_it_is("fill"), "stroke": as_it_is("stroke")}
    mark = {"type": "point", "size": 90, "opacity": 1, "strokeWidth": 2}
    return [layer(rows, mark, x=x | {"field": "value"}, y=y, description=as_it_is("description"), **plain)]


def _beside(rows: Sequence[Spec], y: Spec) -> Spec:
    words = {"type": "text", "align": "left", "aria": False}
    return layer(rows, words, x={"value": _WIDTH + 10}, y=y, text=as_it_is("words"))


def _above(rows: Sequence[Spec], y: Spec) -> tuple[list[Spec], int]:
    """Each row's name and words above its mark, on two lines where one does not hold both; and the height of a row."""
    fits = max(len(row["label"] + row["words"]) for row in rows) <= _LETTERS
    text, name_at = {"type": "text", "aria": False}, -_LINE if fits else -2 * _LINE
    name, words = text | {"align": "left", "dy": name_at}, text | {"align": "right" if fits else "left", "dy": -_LINE}
    at_left = layer(rows, name, x={"value": 0}, y=y, text=as_it_is("label"))
    beside = layer(rows, words, x={"value": _NARROW if fits else 0}, y=y, text=as_it_is("words"))
    return [at_left, beside], 44 if fits else 66


def _strokes(drawn: Sequence[Line], x: Spec, y: Spec) -> list[Spec]:
    rows: list[Spec] = []
    for number, line in enumerate(line for line in drawn if line.joined):
        look = colours.of(line.framework)
        look_of_line = {"line": number, "stroke": look.colour, "dash": list(look.dash), "width": 4 if line.wide else 2}
        rows += [{"x": point[0], "y": point[1]} | look_of_line for point in line.points]
    plain = {"stroke": as_it_is("stroke"), "strokeDash": as_it_is("dash"), "strokeWidth": as_it_is("width")}
    each = {"field": "line", "type": "nominal"}
    mark = {"type": "line", "aria": False}
    return [layer(rows, mark, x=x | {"field": "x"}, y=y | {"field": "y"}, detail=each, **plain)]


def _bars(drawn: Sequence[Line], x: Spec, y: Spec) -> list[Spec]:
    """The intervals, where there are any, cut at the edges of the chart."""
    lowest, highest = y["scale"]["domain"]
    rows = [
        {"x": p[0], "low": max(p[2], lowest), "high": min(p[3], highest), "stroke": colours.of(line.framework).colour}
        for line in drawn
        for p in line.points
        if p[2] is not None and p[3] is not None
    ]
    mark = {"type": "rule", "strokeWidth": 2, "aria": False}
    ends = {"x": x | {"field": "x"}, "y": y | {"field": "low"}, "y2": {"field": "high"}}
    return [layer(rows, mark, **ends, stroke=as_it_is("stroke"))] if rows else []


def _markers(drawn: Sequence[Line], x: Spec, y: Spec) -> list[Spec]:
    """A marker per point with its words, on the lines that have them."""
    rows: list[Spec] = []
    for line in (line for line in drawn if line.marked):
        look = colours.of(line.framework)
        for (at, value, *_), words in zip(line.points, line.words, strict=True):
            description = f"{line.label}, {words}" if line.label else words
            rows.append({"x": at, "y": value, "marker": look.marker, "fill": look.colour, "description": description})
    plain = {"shape": as_it_is("marker"), "fill": as_it_is("fill"), "description": as_it_is("description")}
    mark = {"type": "point", "filled": True, "size": 60, "opacity": 1}
    return [layer(rows, mark, x=x | {"field": "x"}, y=y | {"field": "y"}, **plain)] if rows else []


def _end_labels(drawn: Sequence[Line], x: Spec, domain: list[float], log: bool, height: int) -> list[Spec]:
    """Names at the right, moved apart where lines end close together, each tied to its line's end by a thin rule."""
    ends = [(line, line.points[-1]) for line in drawn if line.label and line.points]
    end_positions = [height * (1 - axes.share(end[1], domain, log)) for _, end in ends]
    rows = [
        {"x": end[0], "end": end_at, "at": at, "label": line.label}
        for (line, end), end_at, at in zip(ends, end_positions, axes.apart(end_positions, 17, height), strict=True)
    ]
    tie = {"type": "rule", "color": MUTED, "strokeWidth": 1, "strokeDash": [1, 3], "aria": False}
    text = {"type": "text", "align": "left", "aria": False}
    to: dict[str, Spec] = {"x2": {"value": 580}, "y2": {"field": "at"}}
    return [
        layer(rows, tie, x=x | {"field": "x"}, y=as_it_is("end", "quantitative"), **to),
        layer(rows, text, x={"value": 584}, y=as_it_is("at", "quantitative"), text=as_it_is("label")),
    ]


def _line_domain(drawn: Sequence[Line], log: bool) -> list[float]:
    """From the points; intervals widen it, a logarithmic one by no more than a factor of 2: they may be endless."""
    ys = [point[1] for line in drawn for point in line.points]
    ends = [end for line in drawn for point in line.points for end in point[2:] if end is not None]
    low, high = min([*ys, *ends]), max([*ys, *ends])
    return axes.padded(max(low, min(ys) / 2), min(high, max(ys) * 2), log) if log else axes.padded(low, high, log)


def _distinct(dots: Sequence[Dot]) -> list[str]:
    """Labels, numbered where shortening made two of them alike."""
    labels: list[str] = []
    for dot in dots:
        label, number = dot.label, 2
        while label in labels:
            label, number = f"{dot.label} #{number}", number + 1
        labels.append(label)
    return labels


def as_it_is(field: str, kind: str = "nominal") -> Spec:
    """A column that holds what is drawn: a colour, a pixel, a text."""
    return {"field": field, "type": kind, "scale": None}


def layer(rows: Sequence[Spec], mark: Spec, **encoding: Spec) -> Spec:
    """These rows under this mark."""
    return {"data": {"values": list(rows)}, "mark": mark, "encoding": encoding}
