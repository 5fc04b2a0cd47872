"""The machine's facts as the run wrote them down beside its records: read, and said in a few words."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import wording


def read(folder: Path) -> tuple[dict[str, Any], list[str]]:
    """The facts in environment.json, and a sentence about what is wrong with that file, if anything is."""
    path = folder / "environment.json"
    if not path.is_file():
        return {}, []
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}, [f"{path.name} was set aside: it is not JSON."]
    if not isinstance(facts, dict):
        return {}, [f"{path.name} was set aside: it does not hold named facts."]
    return facts, []


def machine(facts: Mapping[str, Any]) -> str:
    """The machine in brackets, for a sentence: "(AMD EPYC, 2 cores, no GPU)", or nothing where nothing is known."""
    words = [text(facts["cpu"])] if facts.get("cpu") else []
    if isinstance(facts.get("cores"), int):
        words.append(wording.count(facts["cores"], "core"))
    if "gpus" in facts:
        words.append(wording.listed(name for name, *_ in gpus(facts)) or "no GPU")
    return f" ({', '.join(words)})" if words else ""


def gpus(facts: Mapping[str, Any]) -> list[list[str]]:
    """Name, driver and memory of each, as nvidia-smi tells them. Older runs wrote them as one text."""
    found = facts.get("gpus")
    return [
        [str(gpu.get(name, "")) for name in ("name", "driver", "memory")]
        if isinstance(gpu, dict)
        else [part.strip() for part in str(gpu).split(",")]
        for gpu in (found if isinstance(found, list) else [])
    ]


def gpu_settings(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What of its GPUs somebody may have set otherwise: how much power they may take, error correction."""
    found = facts.get("gpus")
    dicts = [gpu for gpu in (found if isinstance(found, list) else []) if isinstance(gpu, dict)]
    names = {"power_limit": "GPU power limit", "ecc": "GPU ECC"}
    return [(words, str(gpu[name])) for gpu in dicts for name, words in names.items() if name in gpu]


def rows(facts: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Every fact as a row of a table, nested ones under their full name."""
    found: list[tuple[str, str]] = []
    for key, value in facts.items():
        if isinstance(value, dict) and value:
            found += rows(value, f"{prefix}{key}.")
        else:
            in_bytes = key.endswith("_bytes") and isinstance(value, int)
            name = key.removesuffix("_bytes") if in_bytes else key
            found.append((f"{prefix}{name}", wording.memory(value) if in_bytes else text(value)))
    return found


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
