"""A record of every kind, with values that are hard to store."""

from pathlib import Path

from benchmarks.records import records_file
from benchmarks.records.record import (
    BlockRecord,
    Cell,
    ChangedRecord,
    Check,
    Configuration,
    Energy,
    InstalledRecord,
    LearningPoint,
    LearningRecord,
    OutcomeRecord,
    Peak,
    ProofRecord,
    Record,
    ResourceRecord,
    RunRecord,
    SourceRecord,
    StartRecord,
    StepsRecord,
    TimingRecord,
    UntrainedRecord,
    WorkerRecord,
)
from benchmarks.records.run_record import NetworkRecord

WHO = Configuration(
    model="mlp", framework="keras-jax", variant="stock", device="cuda:1", threads=3, precision="float64"
)
CELL = Cell(who=WHO, phase="train_step", axes={"width": 64, "batch": 8})
RUN = RunRecord(
    started_at="2026-01-02T03:04:05+00:00",
    command=["python", "-m", "benchmarks", "run"],
    profile="quick",
    seed=3,
    blocks=6,
    networks=[
        NetworkRecord(
            model="mlp",
            title="MLP",
            spec={"hidden": [64], "optimizer": {"kind": "sgd", "learning_rate": 0.1}},
            spec_sha256="0" * 64,
            steps=[{"name": "dense", "formula": "z = x W + b"}],
            conventions=[{"item": "dropout", "choice": "inverted"}],
            variants=[{"name": "stock", "frameworks": ["keras-jax"]}],
            dataset={"name": "digits", "train_samples": 1437},
        )
    ],
    code={"commit": "abc", "dirty": True},
    limits=[{"name": "loses digits", "frameworks": ["keras-jax"], "start": ""}],
    cells=[CELL],
    absent=[{"model": "mlp", "framework": "cupy", "device": "", "reason": "no GPU", "fix": "get one"}],
)
TIMING = TimingRecord(
    cell=CELL,
    block=2,
    schedule="rounds",
    loops=7,
    warmup_rounds=1,
    elapsed_s=[0.1, 1 / 3, 5e-324],
    started_at_s=[1.0, 2.0, 3.0],
    first_call_s=None,
    second_call_s=0.25,
    samples_per_call=8,
    flops_per_call=10**15,
    ranked=False,
)
OUTCOME = OutcomeRecord(
    cell=CELL,
    block=1,
    status="failed",
    reason="line\u2028separator, \x85, \r\n, é, 中",
    fix="none",
    last_lines=["a", "b\n"],
)
RECORDS: list[Record] = [
    RUN,
    WorkerRecord(
        who=WHO,
        block=0,
        pid=12,
        versions={"keras": "3"},
        flags={"threads": "3"},
        effective_precision={"matrix product": "52 bits"},
        thread_pools=[{"user_api": "blas", "num_threads": 3}],
        affinity=[0, 1],
        load_average=[0.1, 0.2, 0.3],
    ),
    ProofRecord(
        who=WHO,
        axes={"batch": 8},
        block=0,
        checks=[Check(check="hot state", group="loss", tensor="loss", error=1e-7, budget=1e-6, passed=True)],
    ),
    TIMING,
    OUTCOME,
    StepsRecord(
        who=WHO, axes={"batch": 8}, block=0, passes=15, whole_s=1e-3, watched_s=1.2e-3, steps_s={"dense": 1e-4}
    ),
    BlockRecord(block=0, wall_s=12.5),
    ChangedRecord(code_sha256="3" * 64),
    LearningRecord(
        who=WHO,
        block=0,
        dropout=0.2,
        batch=8,
        points=[LearningPoint(epoch=1, elapsed_s=0.5, metric=0.9, train_loss=0.3)],
        predictions_sha256="1" * 64,
    ),
    UntrainedRecord(who=WHO, block=0, seed=2, reason="lost", last_lines=["a"]),
    StartRecord(who=WHO, import_s=1.25),
    InstalledRecord(framework="keras-jax", bytes=12, distributions={"jax 1.0": 10, "keras 3.0": 2}),
    ResourceRecord(
        who=WHO,
        axes={"batch": 8},
        host=Peak(before_bytes=10, peak_bytes=20, counter="resident set"),
        device=Peak(reason="it runs on the CPU"),
        energy=Energy(joules=0.5, samples=80, elapsed_s=1.0, counter="RAPL"),
    ),
    SourceRecord(
        model="mlp", framework="numpy", file="a.py", step="dense", code='z = x @ w  # "quoted"\n\tnext', sha256="2" * 64
    ),
]


def store(folder: Path, records: list[Record]) -> Path:
    for found in records:
        records_file.append(folder / "records.jsonl", found)
    return folder / "records.jsonl"
