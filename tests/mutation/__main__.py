"""The whole proof of the proof: `make prove`. Writes results/proof/: every answer, and a page that sums them up; of one model
(`make prove MODEL=cnn`) results/proof/MODEL/.

Every planted fault in every framework, in both precisions, with everything that notices it; thousands of seeds without
a fault; real shapes; errors between precisions; coarse arithmetic; all cases, and specifications made up at random; plug-ins
with a vice. Processes of their own with one thread each, as many at a time as there are cores. Exits with 1 where a fault
survives, a vice is ranked that should not be, or a check fails. With the word `page`, only the page of all models is written anew.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

from benchmarks import gpus, system
from benchmarks.runner.worker_process import KEPT_BY_JAX
from implementations import precisions, registry, sources
from implementations.catalogue import MODEL
from implementations.equivalence import proof
from implementations.equivalence.strays import usable_cores
from tests.mutation import compile_modes, faults, low_precision, planting, report
from tests.support import ROOT
from tests.support.adapters import STRAYS
from tests.support.cases import COMPILED

FOLDER, ANSWERS = ROOT / "results" / "proof", "proof.jsonl"
PRECISIONS = ("float32", "float64")


def main(models: Sequence[str]) -> int:
    """All of it; the exit code."""
    begin, folder = monotonic(), FOLDER if len(models) > 1 else FOLDER / models[0]
    folder.mkdir(parents=True, exist_ok=True)
    with (
        (folder / ANSWERS).open("w", encoding="utf-8") as file,
        TemporaryDirectory(prefix="strays-") as strays,
        ThreadPoolExecutor(max_workers=usable_cores()) as pool,
    ):
        os.environ |= {STRAYS: strays, "OMP_NUM_THREADS": "1"}
        os.environ |= {
            "JAX_COMPILATION_CACHE_DIR": f"{strays}/compiled"
        } | KEPT_BY_JAX  # few faults change every program
        print(json.dumps(about(models)), file=file)
        for answers in pool.map(answer, jobs(models)):
            print(*map(json.dumps, answers), sep="\n", file=file, flush=True)
        used = sum(os.times()[2:4])  # by the processes that have ended
        end = {"kind": "end", "minutes": round((monotonic() - begin) / 60, 1), "cpu_minutes": round(used / 60, 1)}
        print(json.dumps(end), file=file)
    return summed_up(folder)


def summed_up(folder: Path) -> int:
    """The page from the answers that are there."""
    answers = (folder / ANSWERS).read_text(encoding="utf-8").splitlines()
    text, holds = report.written([json.loads(line) for line in answers])
    (folder / "README.md").write_text(text, encoding="utf-8")
    print(folder / "README.md")
    return 0 if holds else 1


def about(models: Sequence[str]) -> dict[str, Any]:
    """The machine and the code that was judged."""
    machine = system.machine()
    here = {name: None if (why := registry.missing(name)) is None else str(why) for name in registry.FAMILIES}
    return {
        "kind": "about",
        "models": models,
        "code_sha256": sources.tree_sha256("implementations"),
        "cpu": machine["cpu"],
        "python": machine["python"],
        "packages": machine.get("packages", {}),
        "absent": {name: why for name, why in here.items() if why},
    }


def jobs(models: Sequence[str]) -> list[list[str]]:
    """Module and arguments of every process, model by model; what could raise a false alarm comes first, for it is what one waits for."""
    commands = []
    for model in models:
        commands += of_model(model)
        if model == MODEL:
            here = frameworks_here()
            commands += [["tests.mutation.compile_modes", *way] for way in compile_modes.CANDIDATES if way[0] in here]
            commands += [["tests.mutation.red_team"]]
        commands += [["tests.mutation.planting", *how] for precision in PRECISIONS for how in planted(model, precision)]
    return commands


def of_model(model: str) -> list[list[str]]:
    """What is asked of a model's implementations without a fault: false alarms, all cases, coarse arithmetic."""
    here = [name for name in frameworks_here() if registry.not_written(model, name) is None]
    modes = [
        name if mode == "plain" else f"{name}/{mode}"
        for name in here
        for mode in registry.modes(model, name)
        if not registry.mode_problem(name, mode)
    ]
    proved = [(name, precision) for name in modes for precision in PRECISIONS]
    proved += [(name, "bfloat16") for name in modes if offered(model, name, "bfloat16")]
    lacking = registry.part(model, "spec").LACKING
    return [
        *(["tests.mutation.false_alarms", name, precision, model] for name in here for precision in PRECISIONS),
        *(["tests.support.conformance", *which, "thorough", model] for which in proved),
        *(
            ["tests.mutation.low_precision", *c, model]
            for c in low_precision.CANDIDATES
            if c[0] in modes and c not in lacking
        ),
    ]


def frameworks_here() -> list[str]:
    """Ours that can be used; CuPy where there is a GPU."""
    here = [name for name in registry.FAMILIES if registry.missing(name) is None and name != "cupy"]
    return [*here, *(["cupy"] if registry.missing("cupy") is None and gpus.visible() else [])]


def planted(model: str, precision: str) -> list[list[str]]:
    """Framework, precision and what: of the first model every fault, of others what it does not have.

    Where each fault is compiled anew: in float64 only those that show in nothing else.
    """
    names = list(dict.fromkeys([*frameworks_here(), planting.ORACLE, "cupy"]))
    there = [name for name in names if name == planting.ORACLE or registry.not_written(model, name) is None]
    if precision == "float32":
        return [[name, precision, *(["all"] if model == MODEL else ["own", model])] for name in there]
    if model == MODEL:
        return [[name, precision, "needed" if name in COMPILED else "all"] for name in there]
    return [[name, precision, "own", model] for name in there if name not in COMPILED]


def offered(model: str, implementation: str, precision: str) -> bool:
    """Whether an implementation has a coarse precision on the CPU."""
    return precisions.problem(model, implementation.partition("/")[0], "cpu", precision) is None


def answer(job: list[str]) -> list[dict[str, Any]]:
    """What one process said; one that broke off is an answer too."""
    begin = monotonic()
    done = subprocess.run([sys.executable, "-m", *job], cwd=ROOT, capture_output=True, text=True, check=False)
    print(f"{monotonic() - begin:.0f} s:", *job, file=sys.stderr, flush=True)
    answers = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if job[0] == "tests.support.conformance":
        answers = [cases_summed_up(job[1], job[2], job[4], answers)]
    if done.returncode:
        answers.append({"kind": "broken", "job": job, "says": done.stderr[-2000:]})
    return answers


def cases_summed_up(framework: str, precision: str, model: str, answers: list[dict[str, Any]]) -> dict[str, Any]:
    """All cases and specifications of one kit."""
    checks = [(case, check) for case in answers for check in case.get("checks", [])]
    failed = [
        f"{case['case']}: {check['check']}, {check['group']}: {check['tensor']} {check['error']:.3g} {case['spec']}"
        for case, check in checks
        if not (check["passed"] or check["theirs"] or check["refused"])
    ]
    flips = sum(int(check["error"]) for _, check in checks if check["group"] == proof.FLIPS)
    theirs = sorted({check["theirs"] for _, check in checks if check["theirs"]})
    return {
        "kind": "cases", "framework": framework, "precision": precision, "model": model,
        "specifications": len([case for case in answers if "checks" in case]),
        "checks": len(checks), "failed": failed, "theirs": theirs,
        "refused": sum(check["refused"] for _, check in checks), "flips": flips,
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(summed_up(FOLDER) if sys.argv[1:] == ["page"] else main(sys.argv[1:] or faults.models()))
