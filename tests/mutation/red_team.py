"""Sends every vice through `verify` and through a tiny `run`, and says who tells it first, with which words and at what cost.

`python -m tests.mutation.red_team` prints one JSON line per vice; with the word `quick`, none that needs workers of its own.
Both are what a worker does, here in one process: NumPy alone is in it, and a vice that changes more than its own model has workers.
"""

import json
import os
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import threadpoolctl

from benchmarks.plan.cells import plan
from benchmarks.plan.request import Request
from benchmarks.records.record import PEAK, Cell, Record
from benchmarks.runner.blocks import Runner
from benchmarks.runner.networks import Network, dataset_of, scratch
from benchmarks.worker import __main__ as worker
from benchmarks.worker.networks import Networks
from benchmarks.worker.protocol import Job, Part, Says, Task, Visit
from implementations import registry
from implementations.equivalence.kit import Kit
from implementations.equivalence.strays import Shared
from implementations.mlp.spec import MLPSpec
from tests.mutation.vices import VICES
from tests.mutation.vices.vice import Vice
from tests.support import ROOT, synthetic
from tests.support.report_text import gathered
from tests.support.tiny_runs import ROUNDS, TINY

HONEST = "vice0"
"""The framework without a vice."""

OUTSIDER = ROOT / "tests" / "support" / "outsider" / "outsider"
SPEC = MLPSpec(features=8, hidden=(24,), classes=4, batch=64)
TRIES = 3
TIMED_BATCH, LOOPS = 1024, 20
"""Larger than what is proved, so that a call takes long beside what surrounds it; with as many calls in a round as fill 2 ms."""


def main(which: str = "all") -> None:
    """All vices, or those that need no workers of their own."""
    chosen = [(k, vice) for k, vice in enumerate(VICES) if which == "all" or not vice.alone]
    with TemporaryDirectory(prefix="red-team-") as folder:
        install(Path(folder))
        with scratch({"mlp": Network(SPEC, data())}) as shared:
            os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # as in a worker's process
            threadpoolctl.threadpool_limits(1, user_api="blas")
            for k, vice in chosen:
                print(json.dumps(answer(vice, f"vice{k}", shared, which == "all")), flush=True)


def install(site: Path) -> None:
    """Each vice as a package of its own, as pip would leave them: a folder on the path with its metadata."""
    points = [f"vice{k} = vice{k}.adapter" for k in range(len(VICES))]
    files = {
        "vices-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: vices\nVersion: 1.0\n",
        "vices-1.0.dist-info/entry_points.txt": "\n".join(["[samenet.frameworks]", *points]),
    }
    for k, vice in enumerate(VICES):
        files[f"vice{k}/__init__.py"] = ""
        files[f"vice{k}/model.py"] = changed("model.py", vice.model) + vice.added
        adapter = changed("adapter.py", (*vice.adapter, ("outsider.model", f"vice{k}.model")))
        files[f"vice{k}/adapter.py"] = adapter.replace('"outsider"', f'"vice{k}"')
    for path, text in files.items():
        (site / path).parent.mkdir(exist_ok=True)
        (site / path).write_text(text, encoding="utf-8")
    sys.path.insert(0, str(site))
    os.environ["PYTHONPATH"] = str(site)
    registry._entry_points.cache_clear()


def changed(file: str, changes: tuple[tuple[str, str], ...]) -> str:
    """The outsider's text with these changes."""
    text = (OUTSIDER / file).read_text(encoding="utf-8")
    for old, new in changes:
        assert text.count(old) == 1, f"{file} has {text.count(old)} places that say {old!r}"
        text = text.replace(old, new)
    return text


def data() -> dict[str, np.ndarray]:
    """One feature is mostly 0, as pixels at the edge are."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2 * TIMED_BATCH, 8)).astype(np.float32), rng.integers(0, 4, size=2 * TIMED_BATCH)
    x[rng.random(len(x)) < 0.99, 0] = 0
    return {"x_train": x, "y_train": y, "x_test": x, "y_test": y}


def answer(vice: Vice, framework: str, shared: Path, whole: bool) -> dict[str, Any]:
    """Who tells it first, and what it cost until then: processor seconds. Unless `whole`, nobody is asked who should say nothing
    of a vice, and who says nothing is asked again: beside other programs a clock may stop late.
    """
    line: dict[str, Any] = {"kind": "vice", "vice": vice.name, "verify": "", "run": ""}
    for name, asked, said in (("verify", verified, vice.verify), ("run", run, vice.run)):
        begin = sum(os.times()[:4])
        if whole or said or framework == HONEST:
            tries = TRIES if said and not whole else 1
            line[name] = next(filter(None, (asked(vice, framework, shared) for _ in range(tries))), "")
        line[f"{name}_s"] = round(sum(os.times()[:4]) - begin, 2)
    return line


def verified(vice: Vice, framework: str, shared: Path) -> str:
    """The first thing that `verify` says against it, in float32; nothing where it says nothing."""
    kit = Kit("mlp", framework, registry.adapter(framework), "cpu", shared=Shared(shared))
    for check in kit.everything(kit.candidate(SPEC.changed(**vice.spec))):
        if not check.passed:
            return f"{check.check}, {check.group}: {check.tensor} is off by {check.error:.2g}"
    return ""


def run(vice: Vice, framework: str, shared: Path) -> str:
    """Why its one cell has no rank after the first block of a run; nothing where it has one."""
    spec = SPEC.changed(**vice.spec)
    cell = cell_of(framework, vice.phase, spec)
    sent: list[Record] = [synthetic.run([cell], 1), *large_product(shared)]
    if vice.alone:
        Runner({"mlp": Network(spec, data())}, [cell], TINY, 1, seed=0, sink=sent.append).execute()
    else:
        time_here(cell, spec, shared, LOOPS, sent.append)
    entry = next(entry for entry in gathered(sent).entries if entry.cell == cell)
    return "" if entry.standing == "ranked" else entry.reason


@cache
def large_product(shared: Path) -> list[Record]:
    """How fast arithmetic is here: what is faster by half has no rank."""
    sent: list[Record] = []
    time_here(cell_of(HONEST, PEAK, SPEC), SPEC, shared, 1, sent.append)
    return sent


def cell_of(framework: str, phase: str, spec: MLPSpec) -> Cell:
    """The one cell of this phase."""
    request = Request(TINY, frameworks=(framework,), threads=(1,), phases=(phase,), sets={"batch": [TIMED_BATCH]})
    (cell,) = plan({"mlp": spec}, request, gpus=[]).cells
    return cell


def time_here(cell: Cell, spec: MLPSpec, shared: Path, loops: int, send: Callable[[Any], None]) -> None:
    """What a worker does with its job, in this process."""
    values, dataset = spec.model_dump(mode="json"), str(dataset_of("mlp", shared))
    job = Job(tasks=[Task(who=cell.who, spec=values, dataset=dataset)], block=0, seed=0, parts=[Part(cells=[cell])])
    networks = Networks(job, registry.adapter(cell.who.framework), send)
    with redirect_stdout(sys.stderr):
        worker.measure(job, networks, Answers(loops, send))


@dataclass
class Answers:
    """Stands in for the runner of one worker: it is always its turn."""

    loops: int
    send: Callable[[Any], None]

    def ask(self, name: Says, **values: Any) -> str:
        """The plan of the rounds; nobody reads the other answers."""
        return Visit(rounds=ROUNDS, alone=1, loops=self.loops, schedule="rounds", last=True).model_dump_json()


if __name__ == "__main__":
    main(*sys.argv[1:])
