"""The whole proof of the proof: `make prove`. Writes into results/proof/ every answer, a file for each network, and a page that sums them
up; of one model (`make prove MODEL=cnn`) the answers are asked anew, and the page is of all that there are.

Every planted fault in every framework, in both precisions, with everything that notices it; thousands of seeds without
a fault; real shapes; errors between precisions; coarse arithmetic; all cases, and specifications made up at random; plug-ins
with a vice. Processes of their own with one thread each, as many at a time as there are cores. Those that were answered of the same
code on the same machine are not asked again: what was cut short goes on. Exits with 1 where a fault
survives, a vice is ranked that should not be, or a check fails. With the word `page`, only the page is written anew.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

from benchmarks import gpus, system
from benchmarks.runner.worker_process import KEPT_BY_JAX
from implementations import precisions, registry, sources
from implementations.catalogue import MODEL
from implementations.equivalence import proof
from implementations.equivalence.strays import usable_cores
from tests.mutation import answers, compile_modes, faults, low_precision, planting, report
from tests.mutation.answers import Job
from tests.support import ROOT, adapters
from tests.support.cases import SLOW

RED_TEAM = "tests.mutation.red_team"
"""Asked each time, since it goes through `benchmarks`, which is not judged here."""

PRECISIONS = ("float32", "float64")
Answered = tuple[float, list[dict[str, Any]]]


def main(models: Sequence[str]) -> int:
    """All of it; the exit code."""
    if unknown := set(models) - set(faults.models()):
        sys.exit(f"{', '.join(sorted(unknown))}: no such model; there are {', '.join(faults.models())}.")
    files = [answers.File(about(model), {job: judge_sha256(model, job) for job in jobs(model)}) for model in models]
    waiting = [(file, job) for file in files for job in file.jobs if job not in file.answered or job[0] == RED_TEAM]
    kept = sum(len(file.jobs) for file in files) - len(waiting)
    print(f"{len(waiting)} processes to ask; {kept} were answered of the same code", file=sys.stderr, flush=True)
    with TemporaryDirectory(prefix="strays-") as strays, ThreadPoolExecutor(max_workers=usable_cores()) as pool:
        compiled = {"JAX_COMPILATION_CACHE_DIR": f"{strays}/compiled"} | KEPT_BY_JAX  # few faults change every program
        environment = {**os.environ, adapters.STRAYS: strays, "OMP_NUM_THREADS": "1"} | compiled
        asked = {pool.submit(answer, job, environment): (file, job) for file, job in waiting}
        try:
            keep(asked)
        finally:
            pool.shutdown(cancel_futures=True)
    return summed_up(models)


def keep(asked: Mapping["Future[Answered]", tuple[answers.File, Job]]) -> None:
    """Each answer as it comes. Ends where the code was changed meanwhile: nobody knows which code answered."""
    for done in as_completed(asked):
        file, job = asked[done]
        model = file.about["model"]
        if (sources.judged_sha256(model), judge_sha256(model, job)) != (file.about["code_sha256"], file.jobs[job]):
            sys.exit("the code was changed meanwhile; what was answered before is kept, for the code as it was")
        file.add(job, *done.result())


def summed_up(models: Sequence[str]) -> int:
    """The page of all that was answered; the exit code says whether what is claimed holds of these networks."""
    page = answers.FOLDER / "README.md"
    page.write_text(report.written(answers.of(faults.models())), encoding="utf-8")
    print(page)
    return 0 if report.holds(answers.of(models)) else 1


def about(model: str) -> dict[str, Any]:
    """The machine and the code that is judged."""
    machine = system.machine()
    here = {name: None if (why := registry.missing(name)) is None else str(why) for name in registry.FAMILIES}
    return {
        "kind": "about",
        "model": model,
        "code_sha256": sources.judged_sha256(model),
        "cpu": machine["cpu"],
        "python": machine["python"],
        "packages": machine.get("packages", {}),
        "absent": {name: why for name, why in here.items() if why},
    }


def judge_sha256(model: str, job: Job) -> str:
    """Hash of the files that make this answer, without those that only sum it up."""
    mutation, support = ROOT / "tests" / "mutation", ROOT / "tests" / "support"
    modules = [
        mutation / f"{name}.py" for name in ("planting", "false_alarms", "scaling", "low_precision", "compile_modes")
    ]
    modules += [support / f"{name}.py" for name in ("adapters", "batches", "cases", "conformance", "made_up")]
    folders = [mutation / "faults", support / model, *([support / "cupy"] if "cupy" in job else [])]
    return sources.files_sha256(modules + [path for folder in folders for path in sorted(folder.glob("*.py"))])


def jobs(model: str) -> list[Job]:
    """Module and arguments of every process; what could raise a false alarm comes first, for it is what one waits for."""
    commands = without_a_fault(model)
    if model == MODEL:
        here = frameworks_here()
        commands += [["tests.mutation.compile_modes", *way] for way in compile_modes.CANDIDATES if way[0] in here]
        commands += [[RED_TEAM]]
    commands += [["tests.mutation.planting", *how] for precision in PRECISIONS for how in planted(model, precision)]
    return [tuple(command) for command in commands]


def without_a_fault(model: str) -> list[list[str]]:
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

    Where each fault is compiled anew, or a step takes milliseconds: in float64 only those that show in nothing else.
    """
    names = list(dict.fromkeys([*frameworks_here(), planting.ORACLE, "cupy"]))
    there = [name for name in names if name == planting.ORACLE or registry.not_written(model, name) is None]
    if precision == "float32":
        return [[name, precision, *(["all"] if model == MODEL else ["own", model])] for name in there]
    if model == MODEL:
        return [[name, precision, "needed" if name in SLOW else "all"] for name in there]
    return [[name, precision, "own", model] for name in there if name not in SLOW]


def offered(model: str, implementation: str, precision: str) -> bool:
    """Whether an implementation has a coarse precision on the CPU."""
    return precisions.problem(model, implementation.partition("/")[0], "cpu", precision) is None


def answer(job: Job, environment: Mapping[str, str]) -> Answered:
    """Seconds that a process took, and what it said; that it broke off is an answer too."""
    begin = monotonic()
    done = subprocess.run(
        [sys.executable, "-m", *job], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    seconds = monotonic() - begin
    print(f"{seconds:.0f} s:", *job, file=sys.stderr, flush=True)
    if done.returncode:
        return seconds, [{"kind": "broken", "job": job, "says": done.stderr[-2000:]}]
    said = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if job[0] == "tests.support.conformance":
        said = [cases_summed_up(job[1], job[2], job[4], said)]
    return seconds, said


def cases_summed_up(framework: str, precision: str, model: str, said: list[dict[str, Any]]) -> dict[str, Any]:
    """All cases and specifications of one kit."""
    checks = [(case, check) for case in said for check in case.get("checks", [])]
    failed = [
        f"{case['case']}: {check['check']}, {check['group']}: {check['tensor']} {check['error']:.3g} {case['spec']}"
        for case, check in checks
        if not (check["passed"] or check["theirs"] or check["refused"])
    ]
    flips = sum(int(check["error"]) for _, check in checks if check["group"] == proof.FLIPS)
    theirs = sorted({check["theirs"] for _, check in checks if check["theirs"]})
    return {
        "kind": "cases", "framework": framework, "precision": precision, "model": model,
        "specifications": len([case for case in said if "checks" in case]),
        "checks": len(checks), "failed": failed, "theirs": theirs,
        "refused": sum(check["refused"] for _, check in checks), "flips": flips,
    }  # fmt: skip


if __name__ == "__main__":
    asked = sys.argv[1:] or faults.models()
    sys.exit(summed_up(faults.models()) if asked == ["page"] else main(asked))
