"""What a report consists of: titled sections of text, tables, charts and code. Both renderings know only this.

Plain text throughout. Escaping is the renderers' business, and so is the look.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Text:
    """A paragraph. `lead` is what to read first, `warning` what not to overlook, `note` what explains something else."""

    text: str
    role: Literal["plain", "lead", "warning", "note", "formula"] = "plain"


@dataclass(frozen=True)
class Heading:
    """The title of a part within a section."""

    text: str


@dataclass(frozen=True)
class Bullets:
    """A list of sentences."""

    items: Sequence[str]


@dataclass(frozen=True)
class Table:
    """A table of texts, the first column naming the row.

    `numeric` are the columns whose texts are numbers (right-aligned; sorted by the value of a `wording.Quantity`);
    `frameworks` holds a framework's name per row where the row has that framework's colour; `facets` what each row may
    be chosen by; `folded` tables are closed until they are asked for, where they can be.
    """

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    numeric: Sequence[str] = ()
    frameworks: Sequence[str | None] = ()
    facets: Sequence[Mapping[str, str]] = ()
    folded: bool = False


@dataclass(frozen=True)
class Figure:
    """A chart: a Vega-Lite specification, what it shows, the conclusion, and how to read it. Its table stands by it."""

    name: str
    spec: dict[str, Any]
    title: str
    caption: str
    how_to_read: str


@dataclass(frozen=True)
class Code:
    """Lines to be shown as they are."""

    title: str
    text: str


@dataclass(frozen=True)
class SideBySide:
    """The same step in several frameworks: (title, code) of each."""

    title: str
    panes: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Part:
    """Blocks that a reader may choose together, by their facets: {"phase": "prediction", "precision": "float32"}."""

    facets: Mapping[str, str]
    blocks: Sequence["Block"]


Block = Text | Heading | Bullets | Table | Figure | Code | SideBySide | Part


@dataclass(frozen=True)
class Section:
    """One numbered part of the report."""

    anchor: str
    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Document:
    """A whole report."""

    title: str
    subtitle: str
    sections: Sequence[Section] = field(default_factory=list)

    def figures(self) -> Iterator[Figure]:
        """All charts, in order."""
        yield from (block for block in self.flat() if isinstance(block, Figure))

    def flat(self) -> Iterator[Block]:
        """All blocks, in order; those of a part follow it."""
        for section in self.sections:
            yield from flat(section.blocks)

    def facets(self) -> list[tuple[str, list[str]]]:
        """What the page can be narrowed to: facets with several values, in order of appearance, numbers from small to large."""
        values_of: dict[str, dict[str, None]] = {}
        for block in self.flat():
            chosen = [block.facets] if isinstance(block, Part) else block.facets if isinstance(block, Table) else ()
            for name, value in (pair for facets in chosen for pair in facets.items()):
                values_of.setdefault(name, {})[value] = None
        return [(name, sorted(values, key=_numbers)) for name, values in values_of.items() if len(values) > 1]


def _numbers(text: str) -> list[int]:
    return [int(digits) for digits in re.findall(r"\d+", text)]


def flat(blocks: Iterable[Block]) -> Iterator[Block]:
    """Blocks and those within them, in reading order."""
    for block in blocks:
        yield block
        if isinstance(block, Part):
            yield from flat(block.blocks)


def table(
    caption: str, rows: Sequence[Sequence[str]], *columns: str, heading: str = "", note: str = "", **options: Any
) -> list[Block]:
    """A table with a heading before it and a note after it; empty where there are no rows. A column "#name" holds numbers."""
    if not rows:
        return []
    names = [column.removeprefix("#") for column in columns]
    numeric = [column.removeprefix("#") for column in columns if column.startswith("#")]
    before, after = [Heading(heading)] if heading else [], [Text(note, "note")] if note else []
    return [*before, Table(caption, names, rows, numeric, **options), *after]
