"""A framework that is not installed is told from one that is there and broken: only the first may be skipped."""

import subprocess
from pathlib import Path

import pytest

from implementations import registry
from tests.support.fresh_process import python

IMPORTED_FIRST = {
    "torch": "torch",
    "jax": "jax",
    "cupy": "cupy",
    "keras-tensorflow": "tensorflow",
    "keras-torch": "torch",
    "keras-jax": "jax",
}
"""Framework -> the package whose absence its adapter meets first."""

CODE = """
import sys
from implementations import registry
from implementations.errors import Unavailable
if not sys.argv[2]:
    sys.modules[sys.argv[3]] = None
try:
    registry.adapter(sys.argv[1])
except Unavailable as problem:
    print(problem)
"""


def adapter(framework: str, folder: Path, package: str, text: str) -> subprocess.CompletedProcess[str]:
    """What comes of asking for an adapter in a fresh process where that package is this text, or nothing."""
    if text:
        (folder / package).mkdir()
        (folder / package / "__init__.py").write_text(text, encoding="utf-8")
    return python("-c", CODE, framework, text, package, cwd=folder, site=folder)


def test_every_framework_of_ours_that_can_be_missing_is_tested() -> None:
    assert IMPORTED_FIRST.keys() | {"numpy"} == registry.FAMILIES.keys()


@pytest.mark.parametrize(("framework", "package"), IMPORTED_FIRST.items())
def test_what_is_not_installed_is_unavailable_by_name(framework: str, package: str, tmp_path: Path) -> None:
    done = adapter(framework, tmp_path, package, "")
    assert done.stdout.startswith(f"{package} is not installed. Install it: pip install {package}"), done.stderr


@pytest.mark.parametrize(("framework", "package"), IMPORTED_FIRST.items())
def test_a_missing_dependency_is_named_and_not_the_framework(framework: str, package: str, tmp_path: Path) -> None:
    """What brings it is installed again: the module's own name need not be pip's (keras needs absl, of absl-py)."""
    done = adapter(framework, tmp_path, package, "import zzz_not_there")
    brings = " ".join(registry.distributions(framework)).replace("_", "-") or "zzz_not_there"
    told = f"zzz_not_there is not installed, which {framework} needs. Install it: pip install {brings}\n"
    assert done.stdout == told, done.stderr


@pytest.mark.parametrize(("framework", "package"), IMPORTED_FIRST.items())
def test_what_is_installed_and_broken_is_a_fault_and_not_unavailable(
    framework: str, package: str, tmp_path: Path
) -> None:
    done = adapter(framework, tmp_path, package, 'raise ImportError("libcudart.so: cannot open shared object file")')
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith("ImportError: libcudart.so: cannot open shared object file\n")


@pytest.mark.skipif(registry.missing("jax") is not None, reason="jax is not installed")
@pytest.mark.parametrize("framework", ["jax", "keras-jax"])
def test_jax_without_its_other_half_is_missing_that_half(framework: str, tmp_path: Path) -> None:
    done = adapter(framework, tmp_path, "jaxlib", "")
    assert done.stdout.startswith(f"jaxlib is not installed, which {framework} needs. Install it: pip install ")
