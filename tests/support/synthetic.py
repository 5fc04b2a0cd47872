"""Made-up records, seeded: a small run that looks like a real one, in pieces that a test may change."""

import hashlib
import json
import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.records import record, records_file
from benchmarks.records.record import Cell, Check, Configuration
from benchmarks.records.run_record import NetworkRecord

MICROSECOND = 1e-6
GROUPS = ("logits", "loss", "gradients", "statistics", "slots")
STEPS = (
    ("dense", "Dense layer", "z = x W + b", "A neuron weighs its inputs, adds a bias and passes the sum on."),
    ("relu", "ReLU", "a = max(n, 0)", "What is positive passes, what is not is stopped."),
    ("loss", "Softmax and cross-entropy", "loss = mean(-log P[label])", "The surprise at the true class."),
)
ENVIRONMENT: dict[str, Any] = {
    "cpu": "AMD EPYC 7B13",
    "cores": 2,
    "memory_bytes": 8 * 2**30,
    "gpus": [],
    "os": "Linux 6.1",
    "python": "3.11.7",
}
LIMIT: dict[str, Any] = {
    "name": "loses digits",
    "frameworks": ["torch", "keras-torch"],
    "variants": ["stock"],
    "statement": "It subtracts what is nearly equal.",
    "consequence": "The loss is wrong.",
    "answer": "Our file subtracts first.",
    "reproduction": "tests/limits/loses_digits.py",
    "start": "features far from zero",
}


def who(framework: str, **options: Any) -> Configuration:
    """An implementation of the MLP with two threads."""
    return Configuration(**({"model": "mlp", "framework": framework, "threads": 2} | options))


def cell(framework: str, phase: str = "train_step", batch: int = 256, width: int = 128, **options: Any) -> Cell:
    """A cell of that implementation."""
    return Cell(who=who(framework, **options), phase=phase, axes={"batch": batch, "width": width})


def run(cells: Iterable[Cell], blocks: int = 6, **options: Any) -> record.RunRecord:
    """The run record of such a plan."""
    values: dict[str, Any] = {
        "started_at": "2026-01-02T03:04:05+00:00",
        "command": ["python", "-m", "benchmarks", "run", "--profile", "quick"],
        "profile": "quick",
        "seed": 1,
        "blocks": blocks,
        "model": "mlp",
        "spec": {"features": 64, "hidden": [128, 128], "optimizer": {"kind": "sgd", "learning_rate": 0.05}},
        "spec_sha256": "0" * 64,
        "steps": [
            dict(
                zip(("name", "title", "formula", "explanation"), s, strict=True), source="Someone 1986", shown_by="loss"
            )
            for s in STEPS
        ],
        "conventions": [{"item": "dropout", "choice": "inverted scaling", "source": "Srivastava et al. 2014"}],
        "variants": [{"name": "stock", "explanation": "Keras as it comes", "frameworks": ["keras-tensorflow"]}],
        "dataset": {"name": "digits", "train_samples": 1797},
        "code": {"commit": "abc123", "dirty": False},
        "cells": list(cells),
        "absent": [],
    }
    values |= options
    network = {name: values.pop(name) for name in NetworkRecord.model_fields if name in values}
    return record.RunRecord(networks=[NetworkRecord(**network)], **values)


def timing(
    of: Cell, block: int, seconds: float, rounds: int = 12, noise: float = 0.01, **options: Any
) -> record.TimingRecord:
    """One block: rounds about `seconds` per call, the first two a slow warm-up. The block's own offset is seeded."""
    rng = random.Random(f"{of.id} {block}")
    loops = 10
    offset = seconds * rng.lognormvariate(0, noise)
    elapsed = [loops * offset * rng.lognormvariate(0, 0.02) for _ in range(rounds)]
    values: dict[str, Any] = {
        "cell": of,
        "block": block,
        "schedule": "rounds",
        "loops": loops,
        "warmup_rounds": 2,
        "elapsed_s": [2 * elapsed[0], 1.5 * elapsed[1], *elapsed[2:]],
        "started_at_s": [float(k) for k in range(rounds)],
        "first_call_s": 0.1,
        "second_call_s": 0.01,
        "samples_per_call": of.axes.get("batch", 1),
        "flops_per_call": 10**6,
    }
    return record.TimingRecord(**(values | options))


def proof(of: Cell, block: int, error: float = 0.2) -> record.ProofRecord:
    """A proof whose gradients have that error in units of the budget."""
    checks = [_check(group, error if group == "gradients" else 0.1) for group in GROUPS]
    return record.ProofRecord(who=of.who, axes=of.axes, block=block, checks=checks)


def _check(group: str, share: float) -> Check:
    return Check(
        check="conditioning", group=group, tensor="dense1.weight", error=share * 1e-6, budget=1e-6, passed=share <= 1
    )


def worker(of: Configuration, block: int) -> record.WorkerRecord:
    """The process that ran that implementation in that block."""
    return record.WorkerRecord(
        who=of,
        block=block,
        pid=1000 + block,
        versions={"python": "3.11.7", of.framework: "2.13.0"},
        flags={"tf32": "off"},
        effective_precision={"matmul": "float32"},
        thread_pools=[{"internal_api": "openblas", "num_threads": of.threads}],
        affinity=[0, 1],
        load_average=[0.4 + block / 10, 0.5, 0.6],
    )


def start(framework: str, import_s: float = 1.0, **options: Any) -> record.StartRecord:
    """What importing it took."""
    return record.StartRecord(who=who(framework, **options), import_s=import_s)


def installed(framework: str, megabytes: int = 100) -> record.InstalledRecord:
    """A distribution and one that it needs."""
    parts = {f"{framework} 1.0": megabytes * 900_000, "numpy 2.0": megabytes * 100_000}
    return record.InstalledRecord(framework=framework, bytes=megabytes * 1_000_000, distributions=parts)


def resources(of: Cell, above: int = 5, **options: Any) -> record.ResourceRecord:
    """So many megabytes more than before; no GPU, and no counter of energy."""
    values: dict[str, Any] = {
        "host": record.Peak(before_bytes=50_000_000, peak_bytes=50_000_000 + above * 1_000_000, counter="resident set"),
        "device": record.Peak(reason="it runs on the CPU"),
        "energy": record.Energy(reason="there is no counter"),
    }
    return record.ResourceRecord(who=of.who, axes=of.axes, **(values | options))


def costs(*cells: Cell) -> list[record.Record]:
    """What a run ends with: starting, installation and memory of each."""
    return [found for of in cells for found in (start(of.who.framework), installed(of.who.framework), resources(of))]


def learning(framework: str, rate: float = 0.5, digest: str = "", **options: Any) -> record.LearningRecord:
    """Ten epochs that approach 97%."""
    dropout, seed, prepare_s = options.pop("dropout", 0.2), options.pop("seed", 0), options.pop("prepare_s", None)
    reached = options.pop("reached", 0.97)
    points = [
        record.LearningPoint(epoch=k, elapsed_s=0.1 * k / rate, metric=reached - 0.8 * 0.6**k, train_loss=2.3 * 0.7**k)
        for k in range(1, 11)
    ]
    digest = digest or hashlib.sha256(f"{framework}{options}".encode()).hexdigest()
    return record.LearningRecord(
        who=who(framework, **options),
        block=0,
        dropout=dropout,
        batch=32,
        points=points,
        predictions_sha256=digest,
        seed=seed,
        prepare_s=prepare_s,
    )


def profile(of: Cell, block: int, seconds: float = 400e-6, slowed: float = 1.2) -> record.StepsRecord:
    """A watched training step: a quarter of the time in each step but the last, which has an eighth."""
    rng = random.Random(f"profile {of.id} {block}")
    whole = seconds * rng.lognormvariate(0, 0.01)
    shares = dict.fromkeys((step[0] for step in STEPS), 0.25)
    shares[STEPS[-1][0]] = 0.125
    steps = {step: slowed * whole * share for step, share in shares.items()}
    return record.StepsRecord(
        who=of.who, axes=of.axes, block=block, passes=15, whole_s=whole, watched_s=slowed * whole, steps_s=steps
    )


def source(framework: str, step: str, code: str = "") -> record.SourceRecord:
    """The code of one step."""
    code = code or f"def {step}(x, weight):\n    # {framework}\n    return x @ weight if weight < 1 & 2 else x\n"
    return record.SourceRecord(
        model="mlp",
        framework=framework,
        file=f"mlp_{framework}.py",
        step=step,
        code=code,
        sha256=hashlib.sha256(code.encode()).hexdigest(),
    )


def measured(
    cells_seconds: Sequence[tuple[Cell, float]], blocks: int = 6, noise: float = 0.01, **options: Any
) -> list[record.Record]:
    """A run in which every cell was proved and timed in every block."""
    records: list[record.Record] = [run([of for of, _ in cells_seconds], blocks, **options)]
    for block in range(blocks):
        for of, seconds in cells_seconds:
            records += [worker(of.who, block), proof(of, block), timing(of, block, seconds, noise=noise)]
    return records


def quick() -> list[record.Record]:
    """What a quick run on a CPU records, with a variant, a limit, a floor, a peer, a hole, trainings and costs."""
    speeds = {"numpy": 1.0, "torch": 0.98, "keras-tensorflow": 2.2}
    cells = [
        (cell(name, phase, batch), speed * (cost + 0.4 * batch) * MICROSECOND)
        for phase, cost in (("train_step", 150), ("predict", 40))
        for batch in (1, 256)
        for name, speed in speeds.items()
        if (phase, batch) != ("train_step", 1)
    ]
    cells.append((cell("keras-tensorflow", variant="stock"), 510 * MICROSECOND))
    records = measured(
        cells,
        absent=[
            {"model": "mlp", "framework": "cupy", "device": "cuda:0", "reason": "no NVIDIA driver", "fix": "see doctor"}
        ],
        limits=[LIMIT],
    )
    impossible = cell("numpy", "train_step", 1)
    records[0] = records_file.run_of(records).model_copy(update={"cells": [*(of for of, _ in cells), impossible]})
    records.append(
        record.OutcomeRecord(
            cell=impossible, block=0, status="skipped", reason="batch norm needs 2 samples", fix="use batch 2"
        )
    )
    for block in range(6):
        records += [profile(cell(name), block) for name in ("numpy", "torch")]
        records.append(timing(cell("numpy", "products"), block, 90 * MICROSECOND, ranked=False))
        records.append(timing(cell("scikit-learn", "train_step"), block, 400 * MICROSECOND, ranked=False))
    for name, speed in speeds.items():
        records.append(learning(name, rate=1 / speed))
        records.append(learning(name, dropout=0.0, precision="float64", digest="f" * 64))
        records += [source(name, step[0]) for step in STEPS]
    records += [*costs(*(cell(name) for name in speeds)), resources(cell("keras-tensorflow", variant="stock"))]
    return records


def save(folder: Path, records: Iterable[record.Record], environment: dict[str, Any] | None = None) -> Path:
    """Write a results folder."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [item.model_dump_json() for item in records]
    (folder / "records.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    if environment is not None:
        (folder / "environment.json").write_text(json.dumps(environment), encoding="utf-8")
    return folder
