"""The charts: few layers, every line with its look, every mark with its words, and no font but the renderer's own."""

import math
import os
import re
from pathlib import Path

import pytest

from benchmarks.report import charts, colours, plots
from benchmarks.report.document import Figure

POINTS = [(1, 2e-3, 1.9e-3, 2.1e-3), (8, 1e-3, None, None), (64, 0.5e-3, 0.4e-3, 0.6e-3)]


def drawn(*frameworks: str, wide: bool = False, marked: bool = True) -> str:
    found = [
        plots.Line(
            f"the {name}",
            name,
            [(x, k * y, low and k * low, high and k * high) for x, y, low, high in POINTS],
            marked,
            wide,
            words=[f"batch {x}" for x, *_ in POINTS],
        )
        for k, name in enumerate(frameworks, start=1)
    ]
    spec = plots.lines(found, "batch", "seconds", log=True)
    assert len(spec["layer"]) <= 5
    return charts.draw([Figure("a", spec, "Title", "Caption", "How")])["a"]


def test_each_line_has_the_look_of_its_framework_and_its_name_at_its_end() -> None:
    svg = drawn(*colours.LOOKS)
    lines = re.findall(r'<path d="M[^"]+L[^"]+" stroke="([^"]+)" stroke-width="2" stroke-dasharray="([^"]*)"', svg)
    assert lines == [(look.colour, ",".join(map(str, look.dash))) for look in colours.LOOKS.values()]
    for name, look in colours.LOOKS.items():
        assert svg.count(f">the {name}</text>") == 1
        assert svg.count(f'aria-label="the {name}, batch ') == len(POINTS)
        assert svg.count(f'fill="{look.colour}"') == len(POINTS)
        assert svg.count(f'stroke="{look.colour}"') == 1 + 2  # the line, and an interval where there is one


def test_lines_of_one_framework_stay_apart() -> None:
    assert len(re.findall(r'd="M[^"]+L[^"]+L[^"]+" stroke="#666666"', drawn("one", "two"))) == 2


def test_a_line_may_be_wide_and_without_markers() -> None:
    svg = drawn("torch", wide=True, marked=False)
    assert 'stroke-width="4"' in svg
    assert 'aria-label="the torch' not in svg


def test_a_mark_says_what_it_is_in_words() -> None:
    points = [(1000, 2e-3, 1.9e-3, 2.1e-3), (0.5, 1e-3, None, None)]
    spec = plots.lines([plots.Line("NumPy", "numpy", points, words=["one", "two"])], "batch", "y", log=True)
    rows = [row for layer in spec["layer"] for row in layer["data"]["values"] if "description" in row]
    assert [row["description"] for row in rows] == ["NumPy, one", "NumPy, two"]


def test_an_endless_interval_is_cut_at_the_edge_and_does_not_flatten_the_chart() -> None:
    points = [(1, 2e-3, 1e-9, math.inf), (8, 1e-3, 0.9e-3, 1.1e-3)]
    spec = plots.lines([plots.Line("NumPy", "numpy", points, words=["one", "eight"])], "batch", "seconds", log=True)
    bars = [row for layer in spec["layer"] for row in layer["data"]["values"] if "high" in row]
    (low, high) = spec["layer"][0]["encoding"]["y"]["scale"]["domain"]
    assert (low, high) == pytest.approx((1e-3 / 2 / 1.25, 2e-3 * 2 * 1.25))
    assert [(bar["low"], bar["high"]) for bar in bars] == [(low, high), (0.9e-3, 1.1e-3)]


@pytest.fixture(params=["", "/somewhere/fonts.conf"])
def configured(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str | None:
    """Whether or not the user has a configuration of fonts of their own."""
    if request.param:
        monkeypatch.setenv("FONTCONFIG_FILE", request.param)
    else:
        monkeypatch.delenv("FONTCONFIG_FILE", raising=False)
    return request.param or None


def test_fonts_of_the_renderers_own_are_used(
    configured: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "import os\nvegalite_to_svg = lambda *_, **__: os.environ['FONTCONFIG_FILE']"
    (tmp_path / "vl_convert.py").write_text(code, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    (seen,) = charts.draw([Figure("a", {}, "", "", "")]).values()
    assert seen.endswith("fonts.conf")
    assert seen != configured
    assert os.environ.get("FONTCONFIG_FILE") == configured


def narrow(*labels: str) -> tuple[float, float, list[tuple[str, float, float]]]:
    """Width and height of a narrow chart of these rows, and its rows' texts with the pixels at which they stand."""
    dots = [
        plots.Dot(label, "numpy", value, value / 1.1, value * 1.1, "2.00 (1.82 to 2.20)")
        for value, label in enumerate(labels, start=1)
    ]
    svg = charts.draw([Figure("a", plots.ratios(dots, narrow=True), "Title", "Caption", "How")])["a"]
    size = re.search(r'width="(\d+)" height="(\d+)"', svg)
    assert size
    width, height = map(float, size.groups())
    texts = re.findall(
        r'<text text-anchor="\w+" transform="translate\(([\d.-]+),([\d.-]+)\)" fill="currentColor">([^<]+)</text>', svg
    )
    return width, height, [(text, float(x), float(y)) for x, y, text in texts if text in (*labels, dots[0].words)]


def test_a_narrow_chart_fits_a_phone_with_names_and_words_on_one_line_above() -> None:
    width, height, texts = narrow("NumPy", "Keras-TensorFlow (stock)")
    assert width <= 320 - 24
    assert [text for text, *_ in texts] == ["NumPy", "Keras-TensorFlow (stock)", *["2.00 (1.82 to 2.20)"] * 2]
    assert [x for _, x, _ in texts] == [0, 0, 280, 280]
    assert texts[0][2] == texts[2][2] < texts[1][2] == texts[3][2]
    assert narrow("NumPy")[1] == height - 44


def test_a_narrow_chart_gives_a_long_name_a_line_of_its_own() -> None:
    width, height, texts = narrow("NumPy", "Keras-TensorFlow (stock) tuned")
    assert width <= 320 - 24
    assert [x for _, x, _ in texts] == [0] * 4
    assert texts[0][2] < texts[2][2] < texts[1][2] < texts[3][2]
    assert height > narrow("NumPy", "JAX")[1]
