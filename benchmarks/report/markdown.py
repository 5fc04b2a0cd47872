"""The document as GitHub-flavoured Markdown: tables, linked pictures, and all foreign text escaped."""

import re
from collections.abc import Mapping

from benchmarks import wording
from benchmarks.report import charts
from benchmarks.report.document import Block, Bullets, Code, Document, Figure, Heading, SideBySide, Table, Text


def render(document: Document, drawings: Mapping[str, str]) -> str:
    """The whole report. `drawings` holds the pictures that stand beside it as figures/NAME.svg."""
    parts = [f"# {escape(document.title)}", escape(document.subtitle)]
    parts += [f"**{escape(document.warning)}**"] if document.warning else []
    for number, section in enumerate(document.sections, start=1):
        parts.append(f"## {number}. {escape(section.title)}")
        parts += [_paragraph(section.summary)] if section.summary else []
        parts += [text for block in section.blocks if (text := _block(block, drawings))]
    parts += [f"[{escape(title)}]({name}.md)" for title, name in document.links]
    return "\n\n".join(parts) + "\n"


def escape(text: object) -> str:
    """Any text as Markdown that shows just this text, on one line."""
    escaped = re.sub(r"([\\`*\[\]<>|~&$])", r"\\\1", wording.clean(text))
    # Within a word an underscore is only itself; train_step stays readable.
    return re.sub(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])", r"\\_", escaped)


def _paragraph(text: object) -> str:
    """Text that opens a line, where #, +, - or a number with a dot would mean something."""
    return re.sub(r"^(?=[#+=-])|^(\d+)(?=[.)])", lambda match: f"{match[1] or ''}\\", escape(text))


def _block(block: Block, drawings: Mapping[str, str]) -> str:
    match block:
        case Text(text, "warning"):
            return f"**{escape(text)}**"
        case Text(text, "note"):
            return f"*{escape(text)}*"
        case Text(text):
            return _paragraph(text)
        case Heading(text):
            return f"### {escape(text)}"
        case Bullets(items):
            return "\n".join(f"- {_paragraph(item)}" for item in items)
        case Table():
            return _table(block)
        case Figure():
            return _figure(block, drawings)
        case Code(title, text):
            return _code(title, text, "text")
        case SideBySide():
            return "\n\n".join(_code(title, code, "python") for title, code in block.panes)


def _table(table: Table) -> str:
    rules = ["---:" if column in table.numeric else "---" for column in table.columns]
    rows = [[escape(column) or " " for column in table.columns], rules]
    rows += [[escape(cell) for cell in row] for row in table.rows]
    return f"**{escape(table.caption)}**\n\n" + "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _figure(figure: Figure, drawings: Mapping[str, str]) -> str:
    caption = f"**{escape(figure.title)}.** {escape(figure.caption)}"
    if figure.name not in drawings:
        return f"{caption}\n\n*No chart: the renderer is not installed, or failed. {charts.INSTALL} brings it; {charts.AGAIN} then makes the report again.*"
    picture = f"![{escape(figure.title)}](figures/{figure.name}.svg)"
    return f"{caption}\n\n{picture}\n\n*{escape(figure.how_to_read)}*"


def _code(title: str, text: str, language: str) -> str:
    """A code block whose fence is longer than any row of backticks within."""
    code = wording.clean(text, keep_lines=True).rstrip()
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", code)), default=0))
    return f"{_paragraph(title)}:\n\n{fence}{language}\n{code}\n{fence}"
