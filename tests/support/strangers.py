"""Somebody else's package of frameworks, offered through the entry points that any package may use."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from implementations import registry

ADAPTER = """
from implementations.frameworks.numpy_adapter import *
NAME = "{name}"
MODELS = {{"mlp": "strangers.models:{name}"}}
{on_import}
"""


@contextmanager
def offered(site: Path, models: str, names: Mapping[str, str]) -> Iterator[None]:
    """Install NumPy's adapter under these names, each with the class of its name in `models`.

    A name's text is what its adapter does besides when it is imported.
    """
    files = {
        "strangers-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: strangers\nVersion: 1.0\n",
        "strangers-1.0.dist-info/entry_points.txt": "\n".join(
            ["[samenet.frameworks]", *(f"{name} = strangers.{name}" for name in names)]
        ),
        "strangers/__init__.py": "",
        "strangers/models.py": models,
    }
    files |= {f"strangers/{name}.py": ADAPTER.format(name=name, on_import=text) for name, text in names.items()}
    for path, text in files.items():
        (site / path).parent.mkdir(exist_ok=True)
        (site / path).write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(site)
        patch.setenv("PYTHONPATH", str(site))
        registry._entry_points.cache_clear()
        yield
    registry._entry_points.cache_clear()
