"""The charts: few layers, every line with its look, every mark with its words, and no font but the renderer's own."""

import os
import re
from collections.abc import Iterator

import pytest

from benchmarks.report import charts, looks, plots
from benchmarks.report.document import Figure

POINTS = [(1, 2e-3, 1.9e-3, 2.1e-3), (8, 1e-3, None, None), (64, 0.5e-3, 0.4e-3, 0.6e-3)]


def drawn(*frameworks: str, wide: bool = False, marked: bool = True) -> str:
    found = [
        plots.Line(f"the {name}", name, [(x, *(y and y * (k + 1) for y in ys)) for x, *ys in POINTS], marked, wide)
        for k, name in enumerate(frameworks)
    ]
    spec = plots.lines(found, "batch", "seconds", log=True)
    assert len(spec["layer"]) <= 5
    return charts.draw([Figure("a", spec, "Title", "Caption", "How")])["a"]


def test_each_line_has_the_look_of_its_framework_and_its_name_at_its_end() -> None:
    svg = drawn(*looks.LOOKS)
    lines = re.findall(r'<path d="M[^"]+L[^"]+" stroke="([^"]+)" stroke-width="2" stroke-dasharray="([^"]*)"', svg)
    assert lines == [(look.colour, ",".join(map(str, look.dash))) for look in looks.LOOKS.values()]
    for name, look in looks.LOOKS.items():
        assert svg.count(f">the {name}</text>") == 1
        assert svg.count(f'aria-label="the {name}: ') == len(POINTS)
        assert svg.count(f'fill="{look.colour}"') == len(POINTS)
        assert svg.count(f'stroke="{look.colour}"') == 1 + 2  # the line, and an interval where there is one


def test_lines_of_one_framework_stay_apart() -> None:
    assert len(re.findall(r'd="M[^"]+L[^"]+L[^"]+" stroke="#666666"', drawn("one", "two"))) == 2


def test_a_line_may_be_wide_and_without_markers() -> None:
    svg = drawn("torch", wide=True, marked=False)
    assert 'stroke-width="4"' in svg
    assert 'aria-label="the torch: ' not in svg


@pytest.fixture(params=["", "/somewhere/fonts.conf"])
def configured(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str | None]:
    """Whether or not the user has a configuration of fonts of their own."""
    if request.param:
        monkeypatch.setenv("FONTCONFIG_FILE", request.param)
    else:
        monkeypatch.delenv("FONTCONFIG_FILE", raising=False)
    return request.param or None


def test_the_environment_is_as_it_was(configured: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(charts, "_draw", lambda *_: seen.append(os.environ["FONTCONFIG_FILE"]) or "")
    charts.draw([Figure("a", {}, "", "", "")])
    assert seen[0].endswith("fonts.conf")
    assert seen[0] != configured
    assert os.environ.get("FONTCONFIG_FILE") == configured
