"""What stands in an HTML page."""

from collections import Counter
from html.parser import HTMLParser

UNREAD = ("script", "style", "svg", "pre", "title")
"""What is in these is no text that a reader goes through."""


class Page(HTMLParser):
    """Tags, ids, links and text of a page; pictures' own tags too."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.attributes: set[str] = set()
        self.words: list[str] = []
        self.read: list[str] = []
        self.open_tables = 0
        self._within: Counter[str] = Counter()
        self._details: list[bool] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes |= {name for name, _ in attrs}
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        self._within[tag] += tag in UNREAD
        self._details += ["open" in dict(attrs)] if tag == "details" else []
        self.open_tables += tag == "table" and all(self._details)

    def handle_endtag(self, tag: str) -> None:
        self._within[tag] -= tag in UNREAD
        if tag == "details":
            self._details.pop()

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        if not any(self._within[tag] for tag in UNREAD):
            self.read.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    @property
    def reading(self) -> list[str]:
        """The words and numbers that a reader goes through, folded ones too: no code, no labels of charts."""
        return [word for word in " ".join(self.read).split() if any(map(str.isalnum, word))]
