"""The sentences of a page of Markdown, and its links."""

import re
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

PARSER = MarkdownIt("commonmark").enable("table")


def tokens(text: str) -> list[Token]:
    return PARSER.parse(text)


def sentences(text: str, with_tables: bool = False) -> list[str]:
    """Those of paragraphs and lists; headings and code are none, and what stands between backticks is one word."""
    found: list[str] = []
    skipped = ("h1", "h2", "h3", "h4") if with_tables else ("h1", "h2", "h3", "h4", "th", "td")
    parsed = tokens(text)
    for before, token in pairwise(parsed):
        if token.type == "inline" and before.tag not in skipped:
            found += re.split(r"(?<=[.?!])\s+(?=[^a-z])", _words(token))
    return [sentence for sentence in found if re.search(r"\w", sentence)]


def _words(inline: Token) -> str:
    said = {"code_inline": "CODE", "softbreak": " ", "hardbreak": ". ", "image": ""}
    return "".join(said.get(child.type, child.content) for child in inline.children or [])


def length(sentence: str) -> int:
    """In words: what has a letter or a digit in it."""
    return sum(bool(re.search(r"\w", word)) for word in sentence.split())


def blocks(text: str, language: str) -> list[str]:
    """The code blocks in a language."""
    return [token.content for token in tokens(text) if token.type == "fence" and token.info == language]


def links(text: str) -> list[str]:
    """Where a page's links and pictures lead, but for those to other sites."""
    inline = [child for token in tokens(text) for child in token.children or []]
    targets = [str(child.attrGet("href") or child.attrGet("src") or "") for child in inline]
    return [target for target in dict.fromkeys(targets) if target and not re.match(r"[a-z]+:", target)]


def anchors(page: Path) -> set[str]:
    """The names that headings of a page have as the ends of links."""
    parsed, names = tokens(page.read_text(encoding="utf-8")), set()
    for before, token in pairwise(parsed):
        if before.type == "heading_open":
            words = re.sub(r"[^\w\- ]", "", "".join(child.content for child in token.children or []).lower())
            names.add(words.replace(" ", "-"))
    return names
