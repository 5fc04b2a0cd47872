"""What is known of the proof itself, from the newest `make prove`: which planted faults it noticed, in which framework."""

import json
from collections.abc import Iterable
from pathlib import Path

from benchmarks import reading, system
from benchmarks.records.run_record import FaultDetection
from implementations import registry
from implementations.catalogue import MODEL

FOLDER = system.ROOT / "results" / "proof"
ORACLE = "oracle"
END = '{"kind": "end"'
"""How the last line begins of a file that is whole."""


def summary(
    models: Iterable[str], frameworks: Iterable[str], code_sha256: str, folder: Path = FOLDER
) -> FaultDetection:
    """For the run's record: how many checks noticed each fault in these frameworks; empty where nothing was tried.

    Of these networks, and of the first, whose files all share. Empty too where the trial of one is under way, or was cut short. `same_code`: whether
    the implementations and the proof, whose hash is given, are byte for byte those that were tried.
    """
    files = [reading.lines(folder / f"{model}.jsonl") for model in dict.fromkeys([MODEL, *models])]
    if not all(lines and lines[-1].startswith(END) for lines in files):
        return FaultDetection()
    abouts = [json.loads(lines[0]) for lines in files]
    answers = [answer for lines in files for line in lines[1:-1] for answer in json.loads(line)["answers"]]
    concerned = {*map(registry.base, frameworks), ORACLE}
    faults: dict[str, dict[str, dict[str, int]]] = {}
    for answer in answers:
        if answer.get("fault") and answer["framework"] in concerned:
            noticed = faults.setdefault(answer["fault"], {}).setdefault(answer["framework"], {})
            noticed[answer["precision"]] = len(answer["noticed"])
    seeds = [answer for answer in answers if answer.get("kind") == "seeds" and answer["framework"] in concerned]
    return FaultDetection(
        same_code=all(about["code_sha256"] == code_sha256 for about in abouts),
        code_sha256=abouts[0]["code_sha256"],
        faults=faults,
        seeds=sum(answer["seeds"] for answer in seeds),
        false_alarms=sum(len(answer["failed"]) for answer in seeds),
    )
