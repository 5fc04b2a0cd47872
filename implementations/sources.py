"""The code of each step of each implementation: a layer's file, or what stands on the page under a heading `# --- step ---`."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from implementations import registry

ROOT = Path(__file__).parent.parent
CODE = (".py", ".cu")
HEADING = re.compile(r"^ *# --- (.+) ---$", re.MULTILINE)
MODEL = "the model"


@dataclass(frozen=True)
class Section:
    """One step's code in one file, and its SHA-256."""

    file: str
    step: str
    code: str
    sha256: str


def sections(model: str, framework: str, mode: str = "plain") -> list[Section]:
    """A framework's code by step, in the order of the steps, and its page; nothing for a framework from elsewhere."""
    module = registry.source_file(model, framework, mode)
    if module is None:
        return []
    page, family = module.replace(".", "/") + ".py", registry.FAMILIES[registry.base(framework)]
    text = (ROOT / page).read_text(encoding="utf-8")
    under = headings(text)
    found = []
    for step in registry.part(model, "steps").STEPS:
        layer = f"implementations/layers/{step.layer}_{family}.py"
        if step.name in under:
            found.append(_section(page, step.name, under[step.name]))
        elif step.layer and (ROOT / layer).is_file():
            found.append(_section(layer, step.name, (ROOT / layer).read_text(encoding="utf-8")))
    return [*found, _section(page, MODEL, under.get(MODEL, text))]


def headings(text: str) -> dict[str, str]:
    """What stands under each heading of a file, in the file's order."""
    pieces = HEADING.split(text)
    return {heading: piece.strip("\n") for heading, piece in zip(pieces[1::2], pieces[2::2], strict=True)}


def _section(file: str, step: str, code: str) -> Section:
    return Section(file, step, code, hashlib.sha256(code.encode()).hexdigest())


def tree_sha256(*packages: str) -> str:
    """One hash over all files of code in these packages, Python and CUDA C++: which code was it?"""
    digest = hashlib.sha256()
    for package in packages:
        for path in sorted(path for path in (ROOT / package).rglob("*") if path.suffix in CODE):
            digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
