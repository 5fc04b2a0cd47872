"""Facts as a reader sees them: the machine in a few words, nested facts as the rows of a table, any JSON value as text."""

from collections.abc import Mapping
from typing import Any

from benchmarks import wording
from benchmarks.analysis import machine_facts
from benchmarks.analysis.results import Results


def machine(facts: Mapping[str, Any]) -> str:
    """The machine in a few words: "AMD EPYC, 2 cores, no GPU", or nothing where nothing is known."""
    words = [text(facts["cpu"])] if facts.get("cpu") else []
    if isinstance(facts.get("cores"), int):
        words.append(wording.count(facts["cores"], "core"))
    if "gpus" in facts:
        words.append(wording.listed(name for name, *_ in machine_facts.gpus(facts)) or "no GPU")
    return ", ".join(words)


def title(results: Results) -> str:
    """The title line: machine, date, what was run."""
    run = results.run
    where = machine(results.environment)
    named = [network for network in run.named if network.summary]
    networks = [f"{wording.network(network)} " * (len(named) > 1) + network.summary for network in named]
    words = [", ".join(filter(None, [where, run.started_at[:10], f"profile {run.profile}", blocks(results)]))]
    return ("; " if len(named) > 1 else ", ").join([*networks, *words]) + "."


def blocks(results: Results) -> str:
    """How many a run has: "9 blocks", or "3 of 6 blocks" where it was cut short."""
    done, planned = results.blocks_measured, wording.count(results.block_count, "block")
    return planned if done >= results.block_count else f"{done} of {planned}"


def rows(facts: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Every fact as a row of a table, nested ones under their full name; what ends in _bytes in a fitting unit."""
    named_texts = []
    for name, value in machine_facts.flat(facts).items():
        in_bytes = name.endswith("_bytes") and isinstance(value, int)
        named_texts.append(
            (prefix + name.removesuffix("_bytes" * in_bytes), wording.memory(value) if in_bytes else text(value))
        )
    return named_texts


def text(value: Any) -> str:
    """A value out of JSON as a person would write it."""
    if value in (None, "", [], {}):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(text(item) for item in value)
    if isinstance(value, dict):
        return "; ".join(f"{key} {text(item)}" for key, item in value.items())
    return str(value)
