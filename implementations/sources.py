"""The code of each step of each implementation: a layer's file, or what stands on the page under a heading `# --- step ---`."""

import hashlib
import importlib.util
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from implementations import limits, registry

ROOT = Path(__file__).parent.parent
CODE = (".py", ".cu")
HEADING = re.compile(r"^ *# --- (.+) ---$", re.MULTILINE)
LAYER = re.compile(r"implementations\.layers\.(\w+)")
TRAINING, MODEL = "the training step", "the model"
"""Not steps of the network: how they are put together, in `training/` and on the model's page."""


@dataclass(frozen=True)
class Section:
    """One step's code in one file, and its SHA-256."""

    file: str
    step: str
    code: str
    sha256: str


def sections(model: str, framework: str, mode: str = "plain") -> list[Section]:
    """A framework's code by step, in the order of the steps, then its training step and its page; nothing for one from elsewhere."""
    module = registry.source_file(model, framework, mode)
    if module is None:
        return []
    family, text = registry.FAMILIES[registry.base(framework)], text_of(module)
    under = headings(text)
    found = []
    for step in registry.part(model, "steps").STEPS:
        if step.name in under:
            found.append(_section(module, step.name, under[step.name]))
        elif layer := module_of(step.layer, registry.package(model), family):
            found.append(_section(layer, step.name, text_of(layer)))
    training = f"implementations.training.training_{family}"
    if training in text:
        found.append(_section(training, TRAINING, headings(text_of(training))[TRAINING]))
    return [*found, _section(module, MODEL, under.get(MODEL, text))]


def module_of(file: str, package: str, family: str) -> str | None:
    """Where a file is written in this family: a layer's, the training's, or one of the network's own package."""
    name = f"{file.replace('/', '.')}_{family}"
    places = (f"implementations.layers.{name}", f"implementations.{name}", f"{package}.{name}") if file else ()
    return next((place for place in places if is_there(place)), None)


def is_there(module: str) -> bool:
    """Whether there is such a module, found without importing it."""
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # not even the folder
        return False


def text_of(module: str) -> str:
    """What stands in a module's file, found without importing it."""
    specification = importlib.util.find_spec(module)
    assert specification is not None, module
    assert specification.origin is not None, module
    return Path(specification.origin).read_text(encoding="utf-8")


def headings(text: str) -> dict[str, str]:
    """What stands under each heading of a file, in the file's order."""
    pieces = HEADING.split(text)
    return {heading: piece.strip("\n") for heading, piece in zip(pieces[1::2], pieces[2::2], strict=True)}


def _section(module: str, step: str, code: str) -> Section:
    return Section(f"{module.replace('.', '/')}.py", step, code, hashlib.sha256(code.encode()).hexdigest())


NOT_JUDGED = ("catalogue", "errors", "limits", "registry", "sources", "train")
"""Modules of `implementations` that find, name and show what is proved, and train with it: they compute nothing of it. Limits count one
by one, where a model has their layer.
"""


def judged_sha256(model: str) -> str:
    """One hash over what a proof of this model of ours judges: all of `implementations` but NOT_JUDGED, other models, and the layers
    that it does not have, and their limits.
    """
    package = Path(__file__).parent
    others = {package / name for name in registry.OURS if name != model}
    others |= {path for path in (package / "layers").iterdir() if path.is_dir()} - layers_of(model)
    left_out = others | {package / f"{name}.py" for name in NOT_JUDGED}
    code = _sha256(found for found in _code_in(package) if left_out.isdisjoint([found[1], *found[1].parents]))
    steps = {step.layer for step in registry.part(model, "steps").STEPS}
    return hashlib.sha256(f"{code} {limits.concerning(registry.FAMILIES, steps)}".encode()).hexdigest()


def layers_of(model: str) -> set[Path]:
    """The folders of the layers that a model of ours, the training and the proof import, and that these import."""
    package, found = Path(__file__).parent, set[Path]()
    waiting = [package / name for name in (model, "training", "equivalence")]
    while waiting:
        texts = [path.read_text(encoding="utf-8") for _, path in _code_in(waiting.pop())]
        named = {package / "layers" / name for text in texts for name in LAYER.findall(text)} - found
        waiting += (new := {path for path in named if path.is_dir()})
        found |= new
    return found


def tree_sha256(*packages: str) -> str:
    """One hash over all files of code in these packages, ours or from elsewhere, Python and CUDA C++: which code was it?"""
    folders = list[Path]()
    for package in packages:
        specification = importlib.util.find_spec(package)
        folders += map(Path, (specification and specification.submodule_search_locations) or ())
    return _sha256(found for folder in folders for found in _code_in(folder))


def _code_in(folder: Path) -> list[tuple[str, Path]]:
    """Its files of code, each with its name from the folder on."""
    paths = sorted(path for path in folder.rglob("[!.]*") if path.suffix in CODE)
    return [(path.relative_to(folder.parent).as_posix(), path) for path in paths]


def files_sha256(paths: Iterable[Path]) -> str:
    """One hash over these files, wherever they are."""
    return _sha256((path.name, path) for path in paths)


def _sha256(files: Iterable[tuple[str, Path]]) -> str:
    digest = hashlib.sha256()
    for name, path in files:
        with suppress(FileNotFoundError):  # removed since it was found: another code
            digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
