"""The document as one HTML page: no network, no script, everything inline."""

from collections.abc import Mapping

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from benchmarks.report import charts, looks, wording
from benchmarks.report.document import Document


def render(document: Document, drawings: Mapping[str, str]) -> str:
    """The whole report, the pictures within it."""
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
    environment.filters["kind"] = lambda block: type(block).__name__
    # The renderer escapes every text in the pictures itself.
    pictures = {name: Markup(svg) for name, svg in drawings.items()}
    template = environment.get_template("page.html.j2")
    return template.render(document=document, drawings=pictures, look=looks.of, install=charts.INSTALL) + "\n"
