"""What a report consists of: titled sections of text, tables, charts and code. Both renderings know only this.

Plain text throughout. Escaping is the renderers' business, and so is the look.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from benchmarks import wording


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
    `frameworks` holds a framework's name per row where the row has that framework's colour; `heat` shades each number by its
    distance from 1; `folded` tables are closed until they are asked for, where they can be.
    """

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    numeric: Sequence[str] = ()
    frameworks: Sequence[str | None] = ()
    heat: bool = False
    folded: bool = False


@dataclass(frozen=True)
class Figure:
    """A chart: a Vega-Lite specification, what it shows, the conclusion, and how to read it. Its table stands by it."""

    name: str
    spec: dict[str, Any]
    title: str
    caption: str
    how_to_read: str
    narrow: dict[str, Any] | None = None
    """The same for a phone, where there is such a form."""

    @property
    def forms(self) -> "list[Figure]":
        """It, and what a narrow screen shows in its place."""
        return [self, *([replace(self, name=f"{self.name}-narrow", spec=self.narrow)] if self.narrow else [])]


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


Block = Text | Heading | Bullets | Table | Figure | Code | SideBySide


@dataclass(frozen=True)
class Section:
    """One numbered part of the report. `summary` is its answer in a sentence; with one, the rest is closed until it is asked for."""

    anchor: str
    title: str
    blocks: Sequence[Block]
    summary: str = ""


@dataclass(frozen=True)
class Document:
    """A whole report. `warning` is what not to overlook in any of it."""

    title: str
    subtitle: str
    sections: Sequence[Section] = field(default_factory=list)
    warning: str = ""
    links: Sequence[tuple[str, str]] = ()
    """Other pages beside it: (title, name without its ending)."""

    def figures(self) -> Iterator[Figure]:
        """All charts, in order."""
        yield from (block for block in self.flat() if isinstance(block, Figure))

    def flat(self) -> Iterator[Block]:
        """All blocks, in order."""
        for section in self.sections:
            yield from section.blocks


COUNT = re.compile(r"; (\d+)\)")
"""The number of blocks in "1.23 ms (1.20 to 1.27; 6)"; where it is the same in all, the words `wording.SURE` say it."""


def table(
    caption: str, rows: Sequence[Sequence[str]], *columns: str, note: str = "", once: Sequence[str] = (), **options: Any
) -> list[Block]:
    """A table with a note after it; empty where there are no rows. A column "#name" holds numbers.

    What the columns `once` hold goes into the caption where it is the same in every row.
    """
    if not rows:
        return []
    caption, headings, rows = _same_count_once(*_same_setting_once(caption, columns, rows, once))
    names = [heading.removeprefix("#") for heading in headings]
    numeric = [heading.removeprefix("#") for heading in headings if heading.startswith("#")]
    return [Table(caption, names, rows, numeric, **options), *([Text(note, "note")] if note else [])]


def with_words(caption: str, words: str) -> str:
    """In brackets after it, or within those at its end."""
    return f"{caption[:-1]}; {words})" if caption.endswith(")") else f"{caption} ({words})"


_Parts = tuple[str, Sequence[str], Sequence[Sequence[str]]]


def _same_setting_once(
    caption: str, columns: Sequence[str], rows: Sequence[Sequence[str]], once: Sequence[str]
) -> _Parts:
    """Without those columns that have one value in all rows, which the caption names."""
    same = [k for k in map(columns.index, once) if len({row[k] for row in rows}) == 1]
    if words := ", ".join(rows[0][k] for k in same if rows[0][k] != wording.NO_VALUE):
        caption = with_words(caption, words)
    return caption, _without(columns, same), [_without(row, same) for row in rows]


def _same_count_once(caption: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> _Parts:
    """With the number of blocks in the caption or the heading, where all cells that have one have the same."""
    numeric = [name.startswith("#") for name in columns]
    counts = {count for row in rows for k, cell in enumerate(row) if numeric[k] for count in COUNT.findall(cell)}
    if len(counts) != 1 or not any(wording.SURE in text for text in (caption, *columns)):
        return caption, columns, rows
    count = int(counts.pop())
    sure = f"95% interval, {wording.count(count, 'block')}" if count > 1 else "once"
    shorter = [[_uncounted(cell) if numeric[k] else cell for k, cell in enumerate(row)] for row in rows]
    return caption.replace(wording.SURE, sure), [name.replace(wording.SURE, sure) for name in columns], shorter


def _uncounted(cell: str) -> str:
    text = cell.replace(f" ({wording.NO_VALUE}; 1)", "")
    text = COUNT.sub(")", text)
    return wording.Quantity(text, cell.value) if isinstance(cell, wording.Quantity) else text


def _without(row: Sequence[str], left_out: Sequence[int]) -> list[str]:
    return [cell for k, cell in enumerate(row) if k not in left_out]
