"""What the recurrent network trains on: the digits row by row, the text of Python's help pages, or a file of the user's."""

from pathlib import Path
from typing import Any

from implementations import data, text


def default(spec: Any) -> data.Dataset | text.Text:
    """With a vocabulary text, else the digits: each image is a sequence of 8 rows."""
    return text.topics(spec.length) if spec.vocabulary else data.digits().sequences()


def load(path: str | Path, spec: Any) -> data.Dataset | text.Text:
    """With a vocabulary a text, else as `implementations.data.load`, images row by row. Raises BadInput too where it is of the other kind."""
    return text.load_or(Path(path), spec, lambda file: data.load(file).sequences())
