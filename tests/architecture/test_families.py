"""No file of one family imports another's, nor another framework: the family is the file's ending."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from implementations import mistakes, registry
from tests.support import ROOT

FRAMEWORKS = {
    "numpy": set(),
    "cupy": {"cupy", "cupyx"},
    "torch": {"torch"},
    "jax": {"jax"},
    "tensorflow": {"tensorflow"},
    "keras": {"keras", "tensorflow", "torch", "jax"},  # Keras's files may speak to the backend that was chosen
}
"""Family -> the frameworks that its files may import."""

ALL = set().union(*FRAMEWORKS.values())


def family_of(stem: str) -> str | None:
    """The family of a file or module, or None for what belongs to all."""
    words = stem.removesuffix("_tuned").removesuffix("_adapter").split("_")
    return words[-1] if words[-1] in FRAMEWORKS else None


FILES = {
    path: family
    for folder in ("layers", "training", *registry.OURS, "frameworks")
    for path in sorted((ROOT / "implementations" / folder).rglob("*.py"))
    if (family := family_of(path.stem)) and not path.stem.startswith("peer_")
}


def imported(code: str) -> Iterator[str]:
    """Every module that is imported, and every name that is taken out of one: it may be a module too."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def foreign(family: str, code: str) -> list[str]:
    """Imports of another framework, or of another family's files."""
    names = list(imported(code))
    frameworks = [name for name in names if name.partition(".")[0] in ALL - FRAMEWORKS[family]]
    ours = [name for name in names if name.startswith("implementations.")]
    return frameworks + [name for name in ours if {family_of(part) for part in name.split(".")} - {None, family}]


def test_a_file_imports_nothing_of_another_family() -> None:
    found = {path: foreign(family, path.read_text(encoding="utf-8")) for path, family in FILES.items()}
    assert {path: names for path, names in found.items() if names} == {}


def test_every_family_has_files() -> None:
    assert set(FILES.values()) == set(FRAMEWORKS)


@pytest.mark.parametrize(
    "code",
    [
        "import torch.nn",
        "from cupy import cuda",
        "from implementations.layers.dense import dense_torch as dense",
        "from implementations.training.training_jax import Model",
        "import implementations.mlp.mlp_keras_tuned",
        "from implementations.training.products_cupy import Products",
    ],
)
def test_the_search_finds_them(code: str) -> None:
    assert foreign("numpy", code)
    assert not foreign("numpy", "from implementations.layers.dense import dense_numpy, steps")


# Mistakes

WRITTEN = {
    path: importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts)).MISTAKES
    for path in sorted((ROOT / "implementations").rglob("*/*mistakes.py"))
}
PLACES = [(model, mistake) for model in registry.OURS for mistake in mistakes.of_model(model)]


def test_every_mistake_that_is_written_is_found_once() -> None:
    assert {mistake.name for _, mistake in PLACES} == {mistake.name for ours in WRITTEN.values() for mistake in ours}
    assert len({(model, mistake.name) for model, mistake in PLACES}) == len(PLACES)


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_mistakes_are_texts_and_those_of_layers_and_training_name_no_network(path: Path) -> None:
    """So that every network with the layer can make them; what a layer is written out in is a text too."""
    written_out = path.with_name("written_out.py")
    texts = [path, written_out] if written_out.exists() else [path]
    modules = {name.rpartition(".")[0] for text in texts for name in imported(text.read_text(encoding="utf-8"))}
    assert modules - {f"implementations.layers.{path.parent.name}.written_out"} == {"implementations.declarations"}
    if path.parent.name not in registry.OURS:
        edits = [e for m in WRITTEN[path] for c in m.changes.values() if not isinstance(c, str) for e in c]
        assert all("/" in file for file in {m.file for m in WRITTEN[path]} | {e[2] for e in edits if len(e) > 2})


@pytest.mark.parametrize("family", sorted(set(registry.FAMILIES.values())))
@pytest.mark.parametrize("model", registry.OURS)
def test_a_mistake_can_be_made_in_every_family_or_says_why_not(model: str, family: str) -> None:
    """Every place is still there: `changed` asks each text to stand in its file exactly once."""
    name = next(name for name, of in registry.FAMILIES.items() if of == family)
    assert registry.not_written(model, name) is None
    clean = mistakes.changed(model, family, None)
    for mistake in mistakes.of_model(model):
        change = mistake.change(family)
        assert change, f"{mistake.name}: nothing is said of {family}"
        if isinstance(change, str):
            assert len(change) > 20, mistake.name
        else:
            assert mistakes.changed(model, family, mistake) != clean, mistake.name
