"""Vega-Lite specifications to static SVG: no network, no script, the same bytes in every process."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from importlib import resources
from typing import Any

from benchmarks import wording
from benchmarks.report.colours import GRID, INK, MUTED
from benchmarks.report.document import Figure

INSTALL = "pip install vl-convert-python"
"""What brings the charts where they are missing."""

AGAIN = ".venv/bin/python -m benchmarks report FOLDER"

_VEGA_LITE = "5.20"
# Liberation Sans comes with the renderer, so that text is measured alike on every machine; Arial is as wide.
_FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
_AXIS = {
    "labelColor": INK,
    "titleColor": INK,
    "labelFontSize": 13,
    "titleFontSize": 13,
    "titleFontWeight": "normal",
    "gridColor": GRID,
    "domainColor": MUTED,
    "tickColor": MUTED,
}
_CONFIG = {
    "font": _FONT,
    "axis": _AXIS,
    "title": {"color": INK, "fontSize": 14, "anchor": "start", "frame": "group"},
    "text": {"font": _FONT, "fontSize": 13, "fill": INK},
    "view": {"stroke": None},
    "concat": {"spacing": 18},
}
_BASE = {"$schema": "https://vega.github.io/schema/vega-lite/v5.json", "background": None, "config": _CONFIG}
_PROGRAM = f"""
import json, sys, vl_convert
draw = lambda spec: vl_convert.vegalite_to_svg(spec, vl_version="{_VEGA_LITE}", allowed_base_urls=[])
print(json.dumps([draw(spec) for spec in json.load(sys.stdin)]))
"""
# A picture in a file has no page whose style sheet sets its colours.
_STANDALONE_STYLE = (
    "<style>svg{color:#1b1f24;background:#fff;--muted:#57606a;--grid:#d8dee4;--band:#e3ebf3;--paper:#fff}"
    "@media(prefers-color-scheme:dark){svg{color:#e6edf3;background:#0d1117;"
    "--muted:#9198a1;--grid:#30363d;--band:#1c2836;--paper:#0d1117}}</style>"
)


def draw(figures: Iterable[Figure], say: Callable[[str], None] = lambda text: None) -> dict[str, str]:
    """The SVG of each form of each figure by name; none at all where the renderer is not installed, or fails, which `say` is told."""
    forms = [form for figure in figures for form in figure.forms]
    drawn, problem = _rendered([_BASE | form.spec for form in forms]) if forms else ([], "")
    if problem:
        say(f"no charts: the renderer vl_convert says: {problem}")
        return {}
    return {
        form.name: _named(_compact(_unique_ids(svg, form.name)), f"{form.title}. {form.caption}")
        for form, svg in zip(forms, drawn, strict=True)
    }


def _rendered(specs: Sequence[dict[str, Any]]) -> tuple[list[str], str]:
    """The renderer's pictures, or why there are none. It runs in a process of its own: where memory is limited, it ends its process.

    The system's fonts are hidden from it (Linux), for it prefers them to its own. Its own are the same on every machine, and in
    memory; a file of the system's is opened anew for every letter that is measured, which takes longer than all the rest.
    """
    with resources.as_file(resources.files("benchmarks.report") / "templates" / "fonts.conf") as fonts:
        try:
            done = subprocess.run(
                [sys.executable, "-P", "-c", _PROGRAM], input=json.dumps(specs), env=os.environ | {"FONTCONFIG_FILE": str(fonts)},
                capture_output=True, check=False, encoding="utf-8", errors="replace",
            )  # fmt: skip
        except OSError as problem:
            return [], f"it cannot be started ({problem.strerror})"
    if done.returncode == 0:
        return json.loads(done.stdout), ""
    if done.returncode < 0:
        return [], f"it ended with signal {-done.returncode}"
    return [], "".join(done.stderr.splitlines()[-1:]) or f"it ended with exit code {done.returncode}"


def standalone(svg: str) -> str:
    """The same picture as a file: with colours of its own, light and dark."""
    return svg.replace(">", f">{_STANDALONE_STYLE}", 1) + "\n"


def _unique_ids(svg: str, prefix: str) -> str:
    """The renderer counts ids up within a process, and one page holds many pictures: number them by picture."""
    numbers: dict[str, str] = {}
    for id_ in re.findall(r'\bid="([^"]+)"', svg):
        numbers.setdefault(id_, f"{prefix}-{len(numbers)}")
    svg = re.sub(r'\bid="([^"]+)"', lambda match: f'id="{numbers[match[1]]}"', svg)
    return re.sub(r"url\(#([^)]+)\)", lambda match: f"url(#{numbers.get(match[1], match[1])})", svg)


def _compact(svg: str) -> str:
    """Without what is repeated in every mark or draws nothing; coordinates to hundredths of a pixel."""
    for default in (
        f' font-family="{_FONT}"',
        ' font-size="13px"',
        ' pointer-events="none"',
        ' opacity="1"',
        ' aria-roledescription="point"',
        ' stroke-width="1"',
    ):
        svg = svg.replace(default, "")
    svg = re.sub(r'<path class="(?:back|fore)ground" aria-hidden="true" d="[^"]*"(?: display="none")?/>', "", svg)
    svg = re.sub(r'(?<=[(,"A-Z])-?\d+\.\d{3,}(?=[),"A-Z])', lambda match: f"{float(match[0]):.2f}", svg)
    return svg.replace("<svg ", f'<svg font-family="{_FONT}" font-size="13" ', 1)


def _named(svg: str, words: str) -> str:
    """Name the picture for a screen reader; its marks have descriptions already."""
    from markupsafe import escape

    return svg.replace('class="marks"', f'class="marks" role="group" aria-label="{escape(wording.clean(words))}"', 1)
