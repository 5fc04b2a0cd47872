"""Which two runs may be compared: every refusal names what differs and the way out; what may differ is listed."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks.analysis import comparability
from benchmarks.records.record import BlockRecord, ChangedRecord, Record, ThreadPool
from tests.support import synthetic
from tests.support.two_runs import MACHINE, TORCH, US_100, Folders, quiet, with_version


def changed(**options: Any) -> list[Record]:
    return quiet((TORCH, US_100), **options)


@pytest.mark.parametrize(
    ("records", "machine", "words"),
    [
        ({"spec_sha256": "1" * 64}, {}, ["specification, spec_sha256: 000", "in A, 111"]),
        (
            {"spec_sha256": "1" * 64, "spec": {"features": 64, "hidden": [256]}},
            {},
            ["specification, hidden: 128, 128 in A, 256 in B", "optimizer.kind: sgd in A, none in B"],
        ),
        ({"model": "cnn"}, {}, ["model: mlp in A, cnn in B"]),
        ({"dataset": {"name": "digits", "train_samples": 60000}}, {}, ["data, train_samples: 1797 in A, 60000 in B"]),
        ({}, {"cpu": "Intel Xeon"}, ["machine, cpu: AMD EPYC 7B13 in A, Intel Xeon in B"]),
        ({}, {"cores": 4}, ["machine, cores: 2 in A, 4 in B"]),
        ({}, {"usable_cores": 1}, ["machine, usable cores: 2 in A, 1 in B"]),
        ({}, {"memory_bytes": 16 * 2**30}, ["machine, memory: 8.0 GiB in A, 16.0 GiB in B"]),
        ({}, {"gpus": []}, ["machine, GPUs: NVIDIA H200, 143771 MiB in A, none in B"]),
        ({}, {"os": "Darwin 24.1"}, ["machine, operating system: Linux in A, Darwin in B"]),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else None,
)
def test_what_makes_a_ratio_meaningless_is_refused_by_name_with_the_way_out(
    folders: Folders, records: dict[str, Any], machine: dict[str, Any], words: list[str]
) -> None:
    folders.save(changed(), changed(**records), **machine)
    done = folders.compare()
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "--anyway" in done.stderr
    for word in words:
        assert word in done.stderr
    waved = folders.found("--anyway")
    assert any(words[0] in difference for difference in waved["differences"])
    assert any(f"Compared anyway, although they differ in {words[0]}" in text for text in waved["warnings"])


@pytest.mark.parametrize(
    ("records", "machine"),
    [
        ({"seed": 7, "profile": "full", "started_at": "2027-01-01T00:00:00+00:00"}, {}),
        ({}, {"memory_bytes": int(7.9 * 2**30)}),
        ({}, {"gpus": [MACHINE["gpus"][0] | {"driver": "580.95.05"}], "os": "Linux 6.18", "governor": "powersave"}),
        ({}, {"python": "3.12.1"}),
    ],
    ids=["seed", "memory roughly", "system", "python"],
)
def test_what_may_differ_is_not_refused(folders: Folders, records: dict[str, Any], machine: dict[str, Any]) -> None:
    folders.save(changed(), changed(**records), **machine)
    assert folders.found()["differences"] == []


def test_an_unknown_machine_is_refused(folders: Folders) -> None:
    folders.save(changed(), changed())
    (folders.b / "environment.json").unlink()
    done = folders.compare()
    assert done.exit_code == 2
    assert "environment.json tells: there in A, none in B" in done.stderr
    folders.found("--anyway")


@pytest.mark.parametrize("which", ["a", "b"])
@pytest.mark.parametrize("make", ["nothing", "folder", "records without a run"])
def test_what_is_not_a_results_folder_is_refused_in_one_line(folders: Folders, which: str, make: str) -> None:
    folders.save(changed(), changed())
    bad: Path = getattr(folders, which)
    (bad / "records.jsonl").unlink()
    if make == "nothing":
        (bad / "environment.json").unlink()
        bad.rmdir()
    if make == "records without a run":
        (bad / "records.jsonl").write_text("{}\n", encoding="utf-8")
    done = folders.compare("--anyway")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: ")
    assert done.stderr.count("\n") == 1
    assert str(bad) in done.stderr


def test_versions_that_differ_are_listed_per_framework(folders: Folders) -> None:
    new = with_version(changed(code={"commit": "def456", "dirty": True}), "torch", torch="2.14.0", cuda="13.0")
    folders.save(changed(), new, python="3.12.1", gpus=[MACHINE["gpus"][0] | {"driver": "580.95.05"}])
    assert [tuple(row.values()) for row in folders.found()["versions"]] == [
        ("samenet", "code", "abc123", "def456 (changed)"),
        ("system", "GPU driver", "570.86.10", "580.95.05"),
        ("system", "python", "3.11.7", "3.12.1"),
        ("torch", "cuda", None, "13.0"),
        ("torch", "torch", "2.13.0", "2.14.0"),
    ]
    text = folders.compare().stdout
    assert "torch: torch 2.13.0 in A, 2.14.0 in B" in text
    assert "torch: cuda not there in A, 13.0 in B" in text


def test_what_steers_libraries_and_what_they_chose_is_listed(folders: Folders) -> None:
    """The same processor, and the library told to take it for an older one."""
    pools = [[{"internal_api": "openblas", "num_threads": 2, "architecture": name}] for name in ("Zen", "Prescott")]
    old, new = (
        [
            r.model_copy(update={"thread_pools": [ThreadPool(**p) for p in pool]}) if r.kind == "worker" else r
            for r in changed()
        ]
        for pool in pools
    )
    folders.save(old, new, variables={"OPENBLAS_CORETYPE": "Prescott"}, host="b7")
    told = [tuple(row.values()) for row in folders.found()["versions"]]
    assert ("system", "OPENBLAS_CORETYPE", None, "Prescott") in told
    assert ("system", "host", "none", "b7") in told
    assert ("torch", "openblas's routines", "Zen", "Prescott") in told


def test_what_failed_while_the_code_was_changed_does_not_count(folders: Folders) -> None:
    whole = [*quiet((TORCH, US_100)), BlockRecord(block=5, wall_s=1.0)]
    failed = synthetic.proof(TORCH, 6, error=5.0)
    for records, is_unequal in (([*whole, failed], True), ([*whole, failed, ChangedRecord(code_sha256="b")], False)):
        folders.save(records, whole)
        assert comparability.side("A", folders.a).is_unequal(TORCH) == is_unequal
