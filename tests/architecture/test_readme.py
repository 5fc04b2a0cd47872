"""Every command that the README shows is run, and every path that it names is there."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from implementations.mlp.spec import MLPSpec
from tests.support import ROOT
from tests.support.fresh_process import python

TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


COMMANDS = [line for block in blocks("console") for line in block.splitlines() if line]


def test_there_are_the_two_commands_and_more() -> None:
    assert COMMANDS[:2] == ["make bench", "make test"]
    assert len(COMMANDS) > 6


@pytest.mark.parametrize("command", [command for command in COMMANDS if command.startswith("make ")])
def test_make_knows_the_target(command: str) -> None:
    done = subprocess.run([*shlex.split(command), "--dry-run"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "python -m" in done.stdout


@pytest.mark.parametrize("command", [command for command in COMMANDS if not command.startswith("make ")])
def test_the_command_runs(command: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "results" / "example", tmp_path / "results" / "example")
    words = shlex.split(command)
    assert words[0] == "python"
    done = python(*words[1:], cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout


@pytest.mark.parametrize("block", blocks("toml"))
def test_the_specification_is_one(block: str, tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_text(block, encoding="utf-8")
    assert MLPSpec.load(tmp_path / "my.toml").optimizer.kind == "adamw"


@pytest.mark.parametrize("path", sorted(set(re.findall(r"(?:results/example|docs|tests)/[\w./-]+\w", TEXT))))
def test_the_path_is_there(path: str) -> None:
    assert (ROOT / path).exists()


@pytest.mark.parametrize("folder", ["implementations", "benchmarks"])
def test_the_layout_names_every_module(folder: str) -> None:
    layout = next(block for block in blocks("text") if block.startswith("implementations/"))
    for path in (ROOT / folder).glob("*.py"):
        assert path.name == "__init__.py" or path.name in layout
