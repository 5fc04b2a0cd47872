"""What the recurrent network trains on: the digits row by row, the text of Python's help pages, or a file of the user's."""

from pathlib import Path
from typing import Any

from implementations import data, text
from implementations.errors import BadInput


def default(spec: Any) -> data.Dataset | text.Text:
    """With a vocabulary text, else the digits: each image is a sequence of 8 rows."""
    return text.topics(spec.length) if spec.vocabulary else data.digits().sequences()


def load(path: str | Path, spec: Any) -> data.Dataset | text.Text:
    """With a vocabulary a text, else as `implementations.data.load`. Raises BadInput too where the file is of the other kind."""
    path = Path(path)
    if path.suffix.lower() == ".txt" and not spec.vocabulary:
        raise BadInput(f"--data {path}: is a text, and the specification has no vocabulary. Say --spec text.")
    if spec.vocabulary and path.is_file() and path.suffix.lower() == ".npz":
        raise BadInput(f"--data {path}: the specification has a vocabulary, which takes a text. Give a .txt file.")
    return text.load(path, spec.length) if spec.vocabulary else data.load(path).sequences()
