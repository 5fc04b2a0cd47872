"""The command line as its users meet it: what it costs to ask, and what comes back."""

import json
import re
import resource
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest

from benchmarks import VERSION, gpus
from benchmarks.cli import prepare
from benchmarks.cli.commands import main
from benchmarks.records.record import Cell
from implementations import registry
from tests.support import ROOT
from tests.support.command import invoke
from tests.support.fresh_process import python
from tests.support.strangers import offered

HELP_S, LIST_S = 0.15, 0.40
BARE_S = 0.02
"""A machine on which Python alone takes longer than this to start is given more time, in proportion."""

FRAMEWORKS = {"torch", "tensorflow", "keras", "jax", "cupy"}
HEAVY = FRAMEWORKS | {"numpy", "scipy", "sklearn", "pandas", "pytest", "jinja2", "rich"}


# What it costs


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where compiled modules are kept, whatever the environment says about that: the second start is what counts."""
    return tmp_path_factory.mktemp("compiled")


def cpu_s(compiled: Path, *arguments: str) -> float:
    """CPU time of one process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = python(*arguments, PYTHONPYCACHEPREFIX=str(compiled), PYTHONDONTWRITEBYTECODE="")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stderr
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.parametrize(
    ("arguments", "limit_s"),
    [(["--help"], HELP_S), (["run", "--help"], HELP_S), (["list", "--profile", "quick"], LIST_S)],
    ids=["--help", "run --help", "list"],
)
def test_asking_costs_little_processor_time(compiled: Path, arguments: Sequence[str], limit_s: float) -> None:
    cpu_s(compiled, "-m", "benchmarks", *arguments)
    bare: list[float] = []
    asking: list[float] = []
    allowed_s = 0.0
    while len(asking) < 12 and not (asking and min(asking) <= allowed_s):  # the least: others use this machine too
        bare.append(cpu_s(compiled, "-c", "pass"))
        asking.append(cpu_s(compiled, "-m", "benchmarks", *arguments) - min(bare))
        allowed_s = limit_s * max(1.0, min(bare) / BARE_S)
    assert min(asking) <= allowed_s


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["list"], ["doctor"]], ids=" ".join)
def test_asking_imports_no_framework_and_nothing_heavy(arguments: Sequence[str]) -> None:
    code = f"""
import sys
from benchmarks.cli.commands import main
try:
    main({arguments!r})
finally:
    print("loaded:", *(name for name in {sorted(HEAVY)!r} if name in sys.modules), file=sys.stderr)
"""
    assert python("-c", code).stderr.splitlines()[-1].split() == ["loaded:"]


# What comes back


def test_an_interrupt_is_exit_code_130_in_every_command(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(**choice: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(prepare, "prepare", interrupted)
    for command in ("run", "list", "verify"):
        assert invoke(command).exit_code == 130


def test_list_prints_one_cell_a_line_and_says_what_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpus, "visible", list)
    done = invoke("list", "--profile", "smoke", "--threads", "1", "--framework", "numpy")
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "mlp/numpy/spec/cpu/t1/float32/plain/train_step/batch32-width128",
        "mlp/numpy/spec/cpu/t1/float32/plain/predict/batch1-width128",
        "mlp/numpy/spec/cpu/t1/float32/plain/predict/batch32-width128",
        "mlp/numpy/spec/cpu/t1/float32/plain/products/batch32-width128",
        "mlp/numpy/spec/cpu/t1/float32/plain/peak/batch32-width128",
    ]
    assert "5 cells" in done.stderr
    assert "not there: cupy" in invoke("list", "--profile", "smoke").stderr


def test_list_as_json_gives_cells_that_can_be_read_back() -> None:
    done = invoke("list", "--framework", "numpy", "--json")
    cells = [Cell.model_validate_json(line) for line in done.stdout.splitlines()]
    assert [cell.id for cell in cells] == invoke("list", "--framework", "numpy").stdout.splitlines()


def test_doctor_names_the_machine_and_every_framework() -> None:
    text = invoke("doctor")
    answer = json.loads(invoke("doctor", "--json").stdout)
    assert text.exit_code == 0
    assert answer["machine"]["usable_cores"] >= 1
    assert answer["machine"]["cpu"] in text.stdout
    for name in ("numpy", "cupy", "torch", "jax", "keras-tensorflow", "keras-torch", "keras-jax"):
        assert name in text.stdout
        assert answer["frameworks"][name].keys() == {"ready", "version", "note"}
    assert answer["frameworks"]["numpy"] == {"ready": None, "version": np.__version__, "note": ""}
    for line in ("load ", "GiB free for results", "C++ compiler: ", "`doctor --deep`", "Next: "):
        assert line in text.stdout


def test_doctor_calls_ready_what_was_imported_and_says_what_cannot_be(tmp_path: Path) -> None:
    with (
        offered(tmp_path, "", {"broken": "raise RuntimeError('a plug-in that is broken')"}),
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(registry, "frameworks", lambda: ["numpy", "broken"])
        frameworks = json.loads(invoke("doctor", "--deep", "--json").stdout)["frameworks"]
        text = invoke("doctor", "--deep").stdout
    assert frameworks["numpy"] == {"ready": True, "version": np.__version__, "note": ""}
    assert (frameworks["broken"]["ready"], frameworks["broken"]["version"]) == (False, "1.0")
    assert frameworks["broken"]["note"].startswith("RuntimeError: a plug-in that is broken.")
    assert re.search(r"^numpy +ready ", text, re.MULTILINE)
    assert re.search(r"^broken +cannot run +1\.0 +RuntimeError: a plug-in that is broken\.", text, re.MULTILINE)
    assert "doctor --deep" not in text


@pytest.mark.skipif(registry.missing("torch") is not None, reason="torch is not installed")
def test_doctor_compiles_and_says_what_the_compiler_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "frameworks", lambda: ["torch"])
    monkeypatch.setenv("CXX", "/bin/false")
    state = json.loads(invoke("doctor", "--deep", "--json").stdout)
    assert state["frameworks"]["torch"]["ready"] is True  # plain
    compiler = state["optional"]["C++ compiler"]
    assert compiler["installed"] is False
    assert "compiler" in compiler["fix"]


def test_the_version_is_the_packages() -> None:
    said = invoke("--version")
    assert (said.exit_code, said.stdout) == (0, f"samenet {VERSION}\n")
    assert tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"] == VERSION
    assert f"\nversion: {VERSION}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


def test_doctor_says_how_to_get_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.PACKAGES, "torch", ("a_package_that_is_not_there",))
    state = json.loads(invoke("doctor", "--json").stdout)["frameworks"]["torch"]
    assert state["ready"] is False
    assert "pip install" in state["note"]
    assert "pip install" in invoke("doctor").stdout


def test_every_command_and_every_option_has_a_help_text() -> None:
    assert isinstance(main, click.Group)
    commands = {"run", "list", "verify", "report", "export", "compare", "sweep", "check", "doctor"}
    assert main.commands.keys() == commands
    for name, command in main.commands.items():
        assert command.help
        assert all(option.help for option in command.params if isinstance(option, click.Option))
        assert command.help.splitlines()[0] in invoke(name, "--help").stdout
