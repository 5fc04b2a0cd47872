"""Text as tokens: one for each of 96 characters, cut into sequences of which every character predicts the next. Nothing is ever downloaded."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from implementations.errors import BadInput

if TYPE_CHECKING:  # a specification names SYMBOLS before NumPy is needed
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np

Arrays = TypeVar("Arrays")

ALPHABET = "\n" + "".join(map(chr, range(32, 127)))
"""A token is a character's place in it. Whatever else stands in a text becomes a question mark."""

SYMBOLS = len(ALPHABET)
TEST_SHARE = 0.1
"""Of a text, its end."""

MOST_UNKNOWN = 0.5
"""Which part of a text may be question marks in place of other characters: of more there is nothing to learn."""


@dataclass(frozen=True)
class Text:
    """Sequences of tokens x (N, T) and the token after each of theirs, y (N, T), all int64; they follow one another in the text."""

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray

    @property
    def samples(self) -> int:
        """To train on."""
        return len(self.x_train)

    @property
    def classes(self) -> int:
        """Symbols."""
        return SYMBOLS

    def arrays(self) -> dict[str, np.ndarray]:
        """x_train, y_train, x_test and y_test by name, in this order."""
        return {name: getattr(self, name) for name in ("x_train", "y_train", "x_test", "y_test")}

    def describe(self) -> dict[str, str | int]:
        """Name, counts, and the SHA-256 of the bytes of `arrays` in their order."""
        digest = hashlib.sha256(b"".join(array.tobytes() for array in self.arrays().values())).hexdigest()
        counts = {"train_samples": self.samples, "test_samples": len(self.x_test), "classes": SYMBOLS}
        return {"name": self.name.encode(errors="replace").decode(), **counts, "sha256": digest}


def topics(length: int) -> Text:
    """Half a megabyte about Python: the help pages that come with every interpreter, by name; another version's differ."""
    import platform
    from pydoc_data.topics import topics as pages

    return _cut(
        f"pydoc topics of Python {platform.python_version()}", "\n".join(pages[name] for name in sorted(pages)), length
    )


def load(path: Path, length: int) -> Text:
    """A text file in UTF-8. Raises BadInput where it cannot be read, or is shorter than two sequences to train on and one to test."""
    try:
        if path.exists() and not path.is_file():  # a pipe would be waited for
            raise BadInput(f"--data {path}: is not a file. Give the path of a text file.")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise BadInput(f"--data {path}: cannot be read ({error.strerror}). Give the path of a text file.") from None
    except UnicodeError as error:
        raise BadInput(f"--data {path}: is not a text in UTF-8 ({error}). Save it as UTF-8.") from None
    unknown = sum(map(text.count, set(text) - set(ALPHABET)))
    if unknown > MOST_UNKNOWN * len(text):
        raise BadInput(
            f"--data {path}: {unknown:,} of its {len(text):,} characters are none of the {SYMBOLS} that are read, and would be question "
            "marks. Give a text in Latin letters."
        )
    return _cut(path.name, text, length)


def load_or(path: Path, spec: Any, arrays: Callable[[Path], Arrays]) -> Text | Arrays:
    """A file as the specification reads it: with a vocabulary a text, else by `arrays`. Raises BadInput too where it is of the other kind."""
    kind = path.suffix.lower()
    if kind == ".txt" and not spec.vocabulary:
        raise BadInput(f"--data {path}: is a text, and the specification has no vocabulary. Say --spec text.")
    if spec.vocabulary and path.is_file() and kind == ".npz":
        raise BadInput(f"--data {path}: the specification has a vocabulary, which takes a text. Give a .txt file.")
    return load(path, spec.length) if spec.vocabulary else arrays(path)


def _cut(name: str, text: str, length: int) -> Text:
    """The first nine tenths to train on, the rest to test on, each cut into sequences one behind the other."""
    found = tokens(text)
    border = round(len(found) * (1 - TEST_SHARE))
    (x, y), (x_test, y_test) = _sequences(found[:border], length), _sequences(found[border:], length)
    if len(x) < 2 or not len(x_test):
        raise BadInput(
            f"length: the text {name!r} has {len(found)} characters, too few for sequences of {length}. Give a longer text, or set a "
            "smaller length."
        )
    return Text(name, x, y, x_test, y_test)


def tokens(text: str) -> np.ndarray:
    """The token of every character."""
    import numpy as np

    table = np.full(128, ALPHABET.index("?"))
    table[[ord(character) for character in ALPHABET]] = np.arange(SYMBOLS)
    codes = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    return table[np.where(codes < len(table), codes, ord("?"))]


def _sequences(found: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray]:
    """x (N, T) and y (N, T), the same one place further on."""
    count = max(len(found) - 1, 0) // length
    x, y = found[: count * length], found[1 : count * length + 1]
    return x.reshape(count, length), y.reshape(count, length)
