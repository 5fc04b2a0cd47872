"""The document as one HTML page: no network, everything inline, complete without its script."""

import base64
import hashlib
import math
from collections.abc import Mapping
from functools import cache
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from benchmarks import wording
from benchmarks.report import charts, colours
from benchmarks.report.document import Document


def render(document: Document, drawings: Mapping[str, str]) -> str:
    """The whole report, the pictures within it."""
    # The renderer escapes every text in the pictures itself.
    pictures = {name: Markup(svg) for name, svg in drawings.items()}
    script = (resources.files("benchmarks.report") / "templates" / "page.js").read_text(encoding="utf-8")
    return (
        _page().render(
            document=document,
            drawings=pictures,
            look=colours.of,
            install=charts.INSTALL,
            again=charts.AGAIN,
            script=Markup(script),  # our own file
            script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        )
        + "\n"
    )


@cache
def _page() -> Template:
    environment = Environment(
        loader=PackageLoader("benchmarks.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # Foreign text reaches the page only through here, and is then escaped.
        finalize=lambda value: value if isinstance(value, Markup) else wording.clean(value),
    )
    environment.filters["code"] = lambda text: Markup.escape(wording.clean(text, keep_lines=True))
    environment.filters["heat"] = _heat
    environment.filters["kind"] = lambda block: type(block).__name__
    return environment.get_template("page.html.j2")


def _heat(cell: object) -> int:
    """How far a ratio is from 1, in percent of the warmest shade: 1 is 0, 8 and more are 100."""
    value = getattr(cell, "value", None)
    return round(100 * min(1.0, math.log2(max(value, 1.0)) / 3)) if value is not None and math.isfinite(value) else 0
