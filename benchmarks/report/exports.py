"""A run for other tools: pytest-benchmark's JSON, and a few lines of Markdown for the summary of a CI job."""

import json
from dataclasses import replace
from typing import Any

import pytest_benchmark
from pytest_benchmark.stats import Stats

from benchmarks.analysis.cell_results import CellResult
from benchmarks.analysis.ranking import by_network, comparison_groups
from benchmarks.analysis.results import Results
from benchmarks.report import markdown, sections
from benchmarks.report.document import Bullets, Document, Figure, Section
from benchmarks.report.sections import answer, coverage, equivalence, ranking


def pytest_benchmark_json(results: Results) -> str:
    """What `pytest-benchmark compare` reads: a benchmark per cell that was proved and timed, a round as it was measured.

    The groups are the comparison groups. `extra_info` holds what this format has no place for: the interval over the blocks.
    """
    entries = [entry for entry in results.entries if entry.time and entry.is_proved]  # other tools rank all they get
    run, started = results.run, results.run.started_at
    code = run.code
    content = {
        "machine_info": {**results.environment, "node": "", "cpu": {"brand_raw": results.environment.get("cpu", "")}},
        "commit_info": {"id": code.commit, "dirty": code.dirty, "time": started, "project": "samenet"},
        "benchmarks": [_benchmark(results, entry) for entry in entries],
        "datetime": started,
        "version": pytest_benchmark.__version__,
    }
    return json.dumps(content, indent=1, sort_keys=True) + "\n"


def _benchmark(results: Results, entry: CellResult) -> dict[str, Any]:
    cell, time = entry.cell, entry.time
    assert time is not None
    stats = Stats()
    for rounds in entry.rounds.values():
        for seconds in rounds:
            stats.update(seconds)
    return {
        "group": "/".join((*cell.comparison_group, cell.who.mode)),
        "name": cell.id,
        "fullname": cell.id,
        "params": {"framework": cell.who.framework, "device": cell.who.device, **cell.axes},
        "param": None,
        "extra_info": {
            "blocks": time.blocks,
            "time_s": time.value,
            "interval_95_s": [time.low, time.high] if time.blocks > 1 else None,
            "standing": entry.standing,
        },
        "options": {"disable_gc": True, "timer": "perf_counter", "warmup": True},
        "stats": {**stats.as_dict(), "iterations": entry.loops, "data": stats.data},
    }


def job_summary(results: Results) -> str:
    """Markdown to be read in a minute: the findings, the fastest at every size, the proof, the holes."""
    groups = comparison_groups(results)
    parts = [
        answer.section(list(by_network(results, groups))),
        sections.of_networks(ranking.section, results, groups),
        Section("equivalence", "Are they equal?", equivalence.failures(results), equivalence.verdict(results)),
        Section("coverage", "Coverage", coverage.holes(results), coverage.summary(results)),
        Section("environment", "Problems with the records", [Bullets(results.problems)] if results.problems else []),
    ]
    subtitle = f"Run of {results.run.started_at}, profile {results.run.profile}."
    parts = [replace(part, blocks=[block for block in part.blocks if not isinstance(block, Figure)]) for part in parts]
    parts = [part for part in parts if part.blocks or part.summary]
    return markdown.render(Document(sections.title(results), subtitle, parts, sections.warning(results)), {})


FORMATS = {"pytest-benchmark": pytest_benchmark_json, "summary": job_summary}
"""By the name under which the command line knows them."""
