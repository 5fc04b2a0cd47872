"""The code of each step of each implementation, cut from its file at the headings `# --- step ---`."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from implementations import registry

ROOT = Path(__file__).parent.parent
CODE = (".py", ".cu")
HEADING = re.compile(r"^# --- (.+) ---$", re.MULTILINE)


@dataclass(frozen=True)
class Section:
    """One step's code in one file, and its SHA-256."""

    file: str
    step: str
    code: str
    sha256: str


def sections(model: str, framework: str, mode: str = "plain") -> list[Section]:
    """A framework's file in pieces, in the file's own order; nothing for a framework from elsewhere."""
    module = registry.source_file(model, framework, mode)
    if module is None:
        return []
    file = module.replace(".", "/") + ".py"
    pieces = HEADING.split((ROOT / file).read_text(encoding="utf-8"))
    return [
        Section(file, step, code, hashlib.sha256(code.encode()).hexdigest())
        for step, code in zip(pieces[1::2], (piece.strip("\n") for piece in pieces[2::2]), strict=True)
    ]


def tree_sha256(*packages: str) -> str:
    """One hash over all files of code in these packages, Python and CUDA C++: which code was it?"""
    digest = hashlib.sha256()
    for package in packages:
        for path in sorted(path for path in (ROOT / package).rglob("*") if path.suffix in CODE):
            digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
