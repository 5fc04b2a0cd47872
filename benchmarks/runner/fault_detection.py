"""What is known of the proof itself, from the newest `make prove`: which planted faults it noticed, in which framework."""

import json
from collections.abc import Iterable
from pathlib import Path

from benchmarks import reading, system
from benchmarks.records.run_record import FaultDetection
from implementations import registry

FILE = system.ROOT / "results" / "proof" / "proof.jsonl"
ORACLE = "oracle"
END = '{"kind": "end"'
"""How the last line begins."""


def summary(frameworks: Iterable[str], code_sha256: str, file: Path = FILE) -> FaultDetection:
    """For the run's record: how many checks noticed each fault in these frameworks; empty where nothing was tried.

    Nor where the trial is under way, or was cut short. `same_code`: whether the implementations and the proof, whose
    hash is given, are byte for byte those that were tried.
    """
    lines = reading.lines(file)
    if not lines or not lines[-1].startswith(END):
        return FaultDetection()
    answers = [json.loads(line) for line in lines]
    concerned = {*map(registry.base, frameworks), ORACLE}
    faults: dict[str, dict[str, dict[str, int]]] = {}
    for answer in answers:
        if answer.get("fault") and answer["framework"] in concerned:
            noticed = faults.setdefault(answer["fault"], {}).setdefault(answer["framework"], {})
            noticed[answer["precision"]] = len(answer["noticed"])
    seeds = [answer for answer in answers if answer.get("kind") == "seeds" and answer["framework"] in concerned]
    return FaultDetection(
        same_code=answers[0]["code_sha256"] == code_sha256,
        code_sha256=answers[0]["code_sha256"],
        faults=faults,
        seeds=sum(answer["seeds"] for answer in seeds),
        false_alarms=sum(len(answer["failed"]) for answer in seeds),
    )
