"""What is known of the proof itself, from the newest `make prove`: which planted faults it noticed, in which framework."""

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from benchmarks import reading, system
from benchmarks.records.run_record import FaultDetection
from implementations import registry
from implementations.catalogue import MODEL

FOLDER = system.ROOT / "results" / "proof"
ORACLE = "oracle"
DAMAGED = (ValueError, LookupError, TypeError, AttributeError)
"""What reading somebody else's file, or a damaged one, raises."""

Tried = tuple[str, list[dict[str, Any]]]
"""The hash of a network's code that was tried, and the answers."""


def summary(
    models: Iterable[str], frameworks: Iterable[str], code_sha256: Callable[[str], str], folder: Path = FOLDER
) -> FaultDetection:
    """For the run's record: how many checks noticed each fault in these frameworks; empty where nothing was tried.

    Of these networks, and of the first, whose files all share: without it nothing is known of the others. Those are left out whose trial is
    under way, was cut short or cannot be read. `same_code`: whether what was tried is byte for byte what is there now: `code_sha256`
    gives that of a network.
    """
    concerned = {*map(registry.base, frameworks), ORACLE}
    wanted = dict.fromkeys([MODEL, *(model for model in models if model in registry.OURS)])
    tried = {model: found for model in wanted if (found := _answers(model, concerned, folder))}
    if MODEL not in tried:
        return FaultDetection()
    same = all(code == code_sha256(model) for model, (code, _) in tried.items())
    try:
        return _summed_up(same, tried)
    except DAMAGED:
        return FaultDetection()


def _answers(model: str, concerned: Collection[str], folder: Path) -> Tried | None:
    """The code that was tried, and what was answered of these frameworks; None where that is not whole."""
    try:
        about, *lines, end = (json.loads(line) for line in reading.lines(folder / f"{model}.jsonl"))
        if end["kind"] != "end":
            return None
        answers = (answer for line in lines for answer in line["answers"])
        return about["code_sha256"], [{"model": model} | each for each in answers if each.get("framework") in concerned]
    except DAMAGED:
        return None


def _summed_up(same_code: bool, tried: Mapping[str, Tried]) -> FaultDetection:
    faults: dict[str, dict[str, dict[str, int]]] = {}
    answers = [answer for _, found in tried.values() for answer in found]
    for answer in answers:
        if answer.get("fault"):
            fault = answer["fault"] if answer["model"] == MODEL else f"{answer['fault']} ({answer['model']})"
            noticed = faults.setdefault(fault, {}).setdefault(answer["framework"], {})
            noticed[answer["precision"]] = len(answer["noticed"])
    seeds = [answer for answer in answers if answer.get("kind") == "seeds"]
    return FaultDetection(
        networks=list(tried),
        same_code=same_code,
        faults=faults,
        seeds=sum(answer["seeds"] for answer in seeds),
        false_alarms=sum(len(answer["failed"]) for answer in seeds),
    )
