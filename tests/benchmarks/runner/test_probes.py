"""What cannot be imported is told before a run, in one sentence, by the interpreter, the framework or the plug-in that lacks it."""

import ast
import json
import os
import re
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from benchmarks.plan.request import Request
from benchmarks.records.record import Configuration
from benchmarks.runner import probes
from benchmarks.worker import probe
from implementations.errors import BadInput, Unavailable
from tests.support import ROOT
from tests.support.command import SMALL, invoke
from tests.support.fresh_process import interpreter_that
from tests.support.strangers import offered
from tests.support.tiny_runs import TINY, cells_of

MODELS = "from implementations.mlp.mlp_numpy import MLP\n\n\nclass sound(MLP):\n    pass\n"
PLUG_INS = {
    "sound": "import sys\nsys.stderr.write('a long warning' * 20_000)",
    "broken": "raise RuntimeError('a plug-in that is broken')",
    "lacking": "import zzz_not_there",
    "renamed": "NAME = 'another'",
    "without": "pass",
    "hanging": "import time\ntime.sleep(600)",
}
"""What an adapter does when it is imported, by name. The model of `without` is not there."""


@pytest.fixture(scope="module")
def plug_ins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    classes = "".join(f"\n\n{name} = sound\n" for name in PLUG_INS if name not in ("sound", "without"))
    with offered(tmp_path_factory.mktemp("site"), MODELS + classes, PLUG_INS):
        yield


def whos(*names: str) -> list[Configuration]:
    return [Configuration(model="mlp", framework=name, threads=1) for name in names]


def test_all_are_asked_and_what_is_wrong_is_told_of_each(plug_ins: None) -> None:
    found = probes.broken(whos("numpy", *(name for name in PLUG_INS if name != "hanging")), {})
    assert {name: str(problem).strip() for name, problem in found.items()} == {
        "broken": f"RuntimeError: a plug-in that is broken. {probes.MEND}",
        "lacking": "zzz_not_there is not installed, which lacking needs. Install it: pip install strangers",
        "renamed": "the plug-in renamed calls itself another (NAME in its adapter). Ask its author to give its adapter and its "
        "entry point one name, or leave it out.",
        "without": f"AttributeError: module 'strangers.models' has no attribute 'without'. {probes.MEND}",
    }  # fmt: skip


def test_what_never_ends_is_told_and_ended(plug_ins: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "TIMEOUT_S", 5.0)
    broken = probes.broken(whos("hanging", "numpy"), {})
    assert list(broken) == ["hanging"]  # the others had come to their end meanwhile
    reason = broken["hanging"].reason
    assert re.match(r"after 5 s it had not imported what it needs; it was at File .*hanging.py\", line \d+", reason)
    assert not [child for child in psutil.Process().children() if "hanging" in child.cmdline()]


def test_an_interruption_says_where_it_was(plug_ins: None, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a script's background ignores it
    threading.Timer(5.0, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    try:
        with pytest.raises(KeyboardInterrupt):
            probes.broken(whos("hanging", "numpy"), {}, say=said.append)
    finally:
        signal.signal(signal.SIGINT, before)
    (line,) = said  # the other one had come to its end
    assert line.startswith("stopped while importing hanging; it was at File ")
    assert not [child for child in psutil.Process().children() if "hanging" in child.cmdline()]


def refusal(python: Path | str) -> str:
    """What is said of an interpreter."""
    pythons = {"numpy@next": str(python)}
    with pytest.raises(BadInput) as caught:
        probes.check(cells_of("numpy@next", pythons=pythons), Request(TINY, pythons=pythons), print)
    text = str(caught.value)
    assert text.startswith(f"--python numpy@next={python}: ")
    return text


def test_an_interpreter_without_the_base_packages_is_told_what_to_install_where(tmp_path: Path) -> None:
    python = interpreter_that(tmp_path, f'exec {sys.executable} -S "$@"')  # without its packages
    text = refusal(python)
    assert "ModuleNotFoundError: No module named '" in text
    installs = f"Install what it needs: {python} -m pip install numpy psutil pydantic pytest-benchmark threadpoolctl"
    assert text.endswith(installs)


@pytest.mark.parametrize("kind", ["gone", "no program", "no Python"])
def test_what_is_no_interpreter_is_told_so(tmp_path: Path, kind: str) -> None:
    python = interpreter_that(tmp_path, "echo I am a shell >&2\nexit 3")
    if kind == "gone":
        python.unlink()
    elif kind == "no program":
        python.chmod(0o644)
    text = refusal(python)
    assert text.endswith("Give another interpreter, or leave it out.")
    assert ("exit code 3: I am a shell" if kind == "no Python" else str(python)) in text.partition(": ")[2]


def test_an_old_python_says_how_old_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 8, 1))
    with pytest.raises(SystemExit, match=r"it is Python 3\.8, and 3\.11 is needed"):
        probe.main("numpy")


@pytest.mark.parametrize("file", ["__init__.py", "worker/__init__.py", "worker/probe.py"])
def test_what_an_old_python_reads_it_can_read(file: str) -> None:
    ast.parse((ROOT / "benchmarks" / file).read_text(encoding="utf-8"), feature_version=(3, 6))


@pytest.mark.parametrize(
    ("request_", "asked"),
    [
        (Request(TINY), []),
        (Request(TINY, frameworks=("numpy", "torch")), ["torch"]),
        (Request(TINY, frameworks=("numpy",), pythons={"numpy": sys.executable}), ["numpy"]),
        (Request(TINY, pythons={"numpy@next": sys.executable}), ["numpy@next"]),
    ],
    ids=["a profile's", "by name", "an interpreter", "another installation"],
)
def test_what_was_named_is_asked_unless_this_process_has_it(
    request_: Request, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[str] = []

    def broken(whos: list[Configuration], pythons: dict[str, str], say: Any) -> dict[str, Unavailable]:
        found.extend(dict.fromkeys(who.framework for who in whos))
        return {}

    monkeypatch.setattr(probes, "broken", broken)
    monkeypatch.delitem(sys.modules, "torch", raising=False)  # another test may have imported it
    cells = cells_of("numpy", "numpy@next", pythons={"numpy@next": ""})
    torch = [cell.model_copy(update={"who": cell.who.model_copy(update={"framework": "torch"})}) for cell in cells[:1]]
    probes.check([*cells, *torch], request_, print)
    assert found == asked


def test_what_a_run_itself_needs_is_told_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "OF_THE_RUN", ("zzz_not_there",))
    with pytest.raises(BadInput, match=r"^zzz_not_there: not installed\. Install it: .* -m pip install zzz-not-there$"):
        probes.check([], Request(TINY), print)


# By the command line


@pytest.mark.parametrize("command", ["run", "verify"])
def test_the_command_ends_before_anything_is_started(plug_ins: None, tmp_path: Path, command: str) -> None:
    where = ["--results", str(tmp_path / "results")] if command == "run" else ["--json"]
    done = invoke(command, *SMALL, "--framework", "numpy,broken,renamed", *where)
    assert done.exit_code == 2
    first, second = done.stderr.splitlines()
    assert first == f"Error: --framework broken: RuntimeError: a plug-in that is broken. {probes.MEND}"
    assert second.startswith("--framework renamed: the plug-in renamed calls itself another")
    assert not (tmp_path / "results").exists()
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines == ([{"kind": "unproved", "reason": f"{first[7:]}\n{second}"}] if command == "verify" else [])


def test_a_plug_in_that_lacks_a_module_of_its_own_is_not_to_be_installed_again(tmp_path: Path) -> None:
    with offered(tmp_path, MODELS, {"torn": "import strangers.gone"}):
        done = invoke("verify", *SMALL, "--framework", "torn")
    assert done.exit_code == 2
    told = "the plug-in torn: its package has no module strangers.gone. Ask its author, or uninstall it."
    assert told in done.stderr
    assert "pip install" not in done.stderr


def test_verify_tells_what_a_worker_says_that_it_cannot_do(tmp_path: Path) -> None:
    with offered(tmp_path, MODELS, {"sound": "def devices():\n    return []"}):
        done = invoke("verify", *SMALL, "--framework", "sound", "--precision", "float32", "--json")
    assert done.exit_code == 4
    (line,) = [json.loads(line) for line in done.stdout.splitlines()]
    assert (line["kind"], line["who"]["framework"]) == ("unproved", "sound")
    assert line["reason"].startswith("sound cannot use cpu here; it sees no device. ")
    assert f"sound in float32: could not be proved: {line['reason']}" in done.stderr
    assert "proving sound on cpu in float32 (1 of 1), 0:0" in done.stderr
