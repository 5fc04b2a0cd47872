"""The walls of the house that import contracts cannot see: what the code may not say."""

import ast
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from implementations import registry, sources
from tests.support import ROOT

# What the code may not say


def python_files(*folders: str) -> list[Path]:
    paths = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    assert paths
    return paths


def imported(tree: ast.AST) -> Iterator[str]:
    """Top-level names of the modules that are imported."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def dotted(node: ast.AST) -> str:
    """`np.random.rand` for the expression that says so."""
    return ast.unparse(node) if isinstance(node, ast.Attribute | ast.Name) else ""


def clocks_and_chance(code: str) -> list[str]:
    """Imports of a clock or of an unseeded generator, NumPy's legacy generator, and generators without a seed."""
    tree = ast.parse(code)
    forbidden = [name for name in imported(tree) if name in {"time", "timeit", "datetime", "random", "secrets", "uuid"}]
    takes_seed = {"default_rng", "SeedSequence", "PCG64", "Philox", "SFC64", "Philox4x3210", "XORWOW", "MRG32k3a"}
    modern = takes_seed | {"Generator", "BitGenerator"}
    for node in ast.walk(tree):
        name = dotted(node)
        if name.startswith(("np.random.", "numpy.random.", "cp.random.", "cupy.random.")):
            forbidden += [name] if name.split(".")[2] not in modern else []
        elif isinstance(node, ast.Call) and not (node.args or node.keywords):
            made = dotted(node.func)
            forbidden += [f"{made}() without a seed"] if made.rpartition(".")[2] in takes_seed else []
    return forbidden


def test_a_model_holds_no_clock_and_no_unseeded_generator() -> None:
    folders = [f"implementations/{part}" for part in (*registry.OURS, "layers", "training")]
    found = {path: clocks_and_chance(path.read_text(encoding="utf-8")) for path in python_files(*folders)}
    assert len(found) > 100
    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize(
    ("code", "forbidden"),
    [
        ("import time", ["time"]),
        ("from datetime import datetime", ["datetime"]),
        ("import random", ["random"]),
        ("x = np.random.rand(3)", ["np.random.rand"]),
        ("r = np.random.default_rng()", ["np.random.default_rng() without a seed"]),
        ("r = cp.random.Philox4x3210()", ["cp.random.Philox4x3210() without a seed"]),
        ("r = np.random.default_rng(0)", []),
        ("r = np.random.default_rng(seed=0)", []),
    ],
)
def test_the_search_for_clocks_and_chance_finds_them(code: str, forbidden: list[str]) -> None:
    assert clocks_and_chance(code) == forbidden


TOLERANCES = {"allclose", "isclose", "assert_allclose", "approx", "assert_almost_equal", "assert_array_almost_equal"}


ONLY_PLACE = ROOT / "implementations/equivalence/tolerances.py"
NOT_JUDGING = ROOT / "tests/benchmarks"
"""Tests of statistics and of reports have tolerances of their own: no implementation is held to them."""


def tolerances(code: str) -> set[str]:
    """NumPy's and pytest's words for nearly equal."""
    names = {
        node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "") for node in ast.walk(ast.parse(code))
    }
    return names & TOLERANCES


def test_tolerances_live_in_one_file() -> None:
    assert tolerances("assert np.allclose(a, b)") == {"allclose"}
    judging = [
        path for path in python_files("implementations", "benchmarks", "tests") if NOT_JUDGING not in path.parents
    ]
    found = {path: tolerances(path.read_text(encoding="utf-8")) for path in judging if path != ONLY_PLACE}
    assert {path: names for path, names in found.items() if names} == {}


def test_results_hold_no_python() -> None:
    assert [path for path in (ROOT / "results").rglob("*") if path.suffix in {".py", ".pyc", ".ipynb", ".so"}] == []


def test_nobody_imports_the_tests() -> None:
    for path in python_files("implementations", "benchmarks"):
        assert "tests" not in set(imported(ast.parse(path.read_text(encoding="utf-8")))), path


# Files side by side

NOT_WRITTEN: set[tuple[str, str]] = set()
"""Model and family: pages that are still to be written. It may only shrink."""

WRITTEN = {
    (model, name) for model in registry.OURS for name in registry.FAMILIES if registry.not_written(model, name) is None
}
"""Model and framework."""


def families_of(model: str) -> set[str]:
    """In which a model is written."""
    return {registry.FAMILIES[name] for written, name in WRITTEN if written == model}


def test_every_model_is_written_in_every_family_or_stands_in_the_table() -> None:
    every = {(model, family) for model in registry.OURS for family in registry.FAMILIES.values()}
    assert every - {(model, family) for model in registry.OURS for family in families_of(model)} == NOT_WRITTEN


@pytest.mark.parametrize(
    ("model", "framework", "mode"),
    [
        (model, framework, mode)
        for model in registry.OURS
        for framework in sorted({family: name for name, family in registry.FAMILIES.items()}.values())
        if (model, framework) in WRITTEN
        for mode in registry.modes(model, framework)
    ],
)
def test_every_implementation_has_code_for_every_step(model: str, framework: str, mode: str) -> None:
    sections = sources.sections(model, framework, mode)
    steps = registry.part(model, "steps").STEPS
    on_plain_page = registry.source_file(model, framework, mode) == registry.source_file(model, framework)
    rest = [sources.TRAINING, sources.MODEL] if on_plain_page else [sources.MODEL]
    assert [section.step for section in sections] == [*(step.name for step in steps), *rest]
    for section in sections:
        assert section.code, f"{section.file}: nothing stands under {section.step}"
        assert ast.parse(textwrap.dedent(section.code)) is not None


LAYERS = sorted(
    {path.parent / path.stem.rpartition("_")[0] for path in (ROOT / "implementations/layers").glob("*/*_numpy.py")}
)
"""Without the family's ending."""


def families_with(layer: Path) -> set[str]:
    """Those in which a model with this layer is written."""
    step = layer.relative_to(ROOT / "implementations/layers").as_posix()
    models = [model for model in registry.OURS if step in {s.layer for s in registry.part(model, "steps").STEPS}]
    return {family for model in models for family in families_of(model)}


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)
def test_the_files_of_a_layer_have_the_same_headings_in_the_same_order(layer: Path) -> None:
    """What only some families need (branch, layout, slots, rounding) stands behind."""
    headings = {
        family: list(sources.headings(layer.with_name(f"{layer.name}_{family}.py").read_text(encoding="utf-8")))
        for family in families_with(layer)
    }
    common = headings["numpy"][: 1 if "update" in headings["numpy"] else 2]
    assert {family: found[: len(common)] for family, found in headings.items()} == dict.fromkeys(headings, common)


@pytest.mark.parametrize("model", registry.OURS)
def test_the_pages_of_a_model_have_the_same_headings_in_the_same_order(model: str) -> None:
    folder = ROOT / "implementations" / model
    pages = {
        family: list(sources.headings((folder / f"{model}_{family}.py").read_text(encoding="utf-8")))
        for family in families_of(model)
    }
    assert pages == dict.fromkeys(pages, pages["numpy"])


@pytest.mark.parametrize("model", registry.OURS)
def test_every_model_file_belongs_to_a_framework(model: str) -> None:
    files = {path.stem.removesuffix("_tuned") for path in (ROOT / "implementations" / model).glob(f"{model}_*.py")}
    assert files == {f"{model}_{family}" for family in families_of(model)}


@pytest.mark.parametrize(
    ("model", "framework", "mode"),
    [
        (model, name, mode)
        for model in registry.OURS
        for name in registry.FAMILIES
        if name != "cupy" and (model, name) in WRITTEN
        for mode in registry.modes(model, name)
    ],
)
def test_every_model_tells_what_compiles_it_and_how_its_weights_lie(model: str, framework: str, mode: str) -> None:
    """In its own class, in the family's training, or in the page that it builds on."""
    module = registry.source_file(model, framework, mode)
    assert module is not None
    family = registry.FAMILIES[framework]
    files = [f"{module.replace('.', '/')}.py", f"implementations/training/training_{family}.py"]
    text = "".join((ROOT / file).read_text(encoding="utf-8") for file in files)
    assert re.search(r"^    compiled(: str)? = ", text, re.MULTILINE)
    assert re.search(r"^    layout(: str)? = ", text, re.MULTILINE)


def test_the_hash_of_the_code_covers_every_file_of_it() -> None:
    files = [path for path in (ROOT / "implementations").rglob("*") if path.is_file() and path.suffix != ".pyc"]
    assert {path.suffix for path in files} == set(sources.CODE)
