"""The answers of `make prove`, a file for each network: first the machine and the code that is judged, then one line for each process.

A file is written to whenever a process has ended, so that what is cut short goes on where it was, as long as nothing was changed.
"""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks import reading
from implementations.equivalence.strays import usable_cores
from tests.support import ROOT

FOLDER = ROOT / "results" / "proof"

Job = tuple[str, ...]
"""Module and arguments of a process."""


class File:
    """Of one network."""

    def __init__(self, about: dict[str, Any], jobs: Mapping[Job, str], folder: Path = FOLDER) -> None:
        """Keeps what was answered of the same code on the same machine, by processes that came to their end and by the same
        judges: `jobs` has the hash of each one's.
        """
        self.path, self.about, self.jobs = folder / f"{about['model']}.jsonl", about, jobs
        self.answered = {
            job: line
            for job, line in self._before().items()
            if jobs.get(job) == line.get("judge_sha256") and not is_broken(line)
        }
        self._write([about, *self.answered.values()])
        self._end_where_whole()

    def _before(self) -> dict[Job, dict[str, Any]]:
        about, *lines = read(self.path) or [{}]
        return {tuple(line["job"]): line for line in lines if "job" in line} if about == self.about else {}

    def add(self, job: Job, seconds: float, answers: list[dict[str, Any]]) -> None:
        """What a process said."""
        line = {"job": job, "judge_sha256": self.jobs[job], "seconds": round(seconds, 1), "answers": answers}
        self.answered[job] = line
        with self.path.open("a", encoding="utf-8") as file:
            print(json.dumps(line), file=file)
        self._end_where_whole()

    def _end_where_whole(self) -> None:
        """All lines in the order of the jobs, and the minutes that it takes as many processes at a time as there are cores."""
        if len(self.answered) == len(self.jobs) and not any(map(is_broken, self.answered.values())):
            lines = [self.answered[job] for job in self.jobs]
            minutes = round(sum(line["seconds"] for line in lines) / 60 / usable_cores(), 1)
            self._write([self.about, *lines, {"kind": "end", "model": self.about["model"], "minutes": minutes}])

    def _write(self, lines: Iterable[dict[str, Any]]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        aside = self.path.with_suffix(".new")
        aside.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        aside.replace(self.path)


def read(path: Path) -> list[dict[str, Any]]:
    """A file's lines; one that was cut short is left out."""
    found = []
    for line in reading.lines(path):
        with suppress(json.JSONDecodeError):
            found.append(json.loads(line))
    return found


def is_broken(line: dict[str, Any]) -> bool:
    """Whether a process did not come to its end."""
    return any(answer.get("kind") == "broken" for answer in line["answers"])


def of(models: Iterable[str], folder: Path = FOLDER) -> list[dict[str, Any]]:
    """All answers of these networks, each with its network, and what begins and ends their files."""
    lines = [(model, line) for model in models for line in read(folder / f"{model}.jsonl")]
    return [{"model": model} | answer for model, line in lines for answer in line.get("answers", [line])]
