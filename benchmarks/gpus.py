"""The NVIDIA GPUs that were given to this process: what nvidia-smi tells, cut down to what CUDA_VISIBLE_DEVICES names.

`cuda:0` is the first GPU that was given, not the first of the machine. A worker gets its GPU by UUID, which names the
same card or MIG instance whatever the numbering. No framework is imported.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

VARIABLE, ORDER = "CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER"

QUERY = {
    "name": "name",
    "driver": "driver_version",
    "memory": "memory.total",
    "uuid": "uuid",
    "sm_clock_max": "clocks.max.sm",
    "memory_clock_max": "clocks.max.memory",
    "power_limit": "power.limit",
    "ecc": "ecc.mode.current",
}
"""Our name -> nvidia-smi's (`nvidia-smi --help-query-gpu`)."""

MIG_LINE = re.compile(r"\s+MIG (?P<profile>\S+)\s.*\(UUID: (?P<uuid>MIG-[^)]+)\)")
"""Of `nvidia-smi -L`, below the line of its GPU."""


@dataclass(frozen=True)
class Gpu:
    """A GPU, or one MIG instance of a GPU; all texts as nvidia-smi writes them, "[N/A]" where it does not know."""

    name: str
    driver: str
    memory: str
    uuid: str
    sm_clock_max: str = ""
    memory_clock_max: str = ""
    power_limit: str = ""
    ecc: str = ""
    mig: str = ""
    """The instance's profile, as in 1g.10gb, which is in its name too. How much memory it has nvidia-smi does not tell."""


def visible() -> list[Gpu]:
    """The GPUs that this process was given, in the order of `cuda:0`, `cuda:1`, ...; `why_no_gpu` where there are none."""
    return given(os.environ.get(VARIABLE), os.environ.get(ORDER), _cards())


def assigned_uuid() -> str:
    """In a worker: the UUID of the one GPU that it was given, or nothing."""
    return os.environ.get(VARIABLE, "")


def given(variable: str | None, order: str | None, cards: Sequence[Sequence[Gpu]]) -> list[Gpu]:
    """What CUDA shows of these cards (each as its MIG instances, or as itself) to a process with these two variables.

    As CUDA's programming guide has it: numbers, or (beginnings of) UUIDs; whatever follows the first that names nothing
    is ignored; a name given twice hides all. Numbers whose meaning only CUDA knows name nothing, and neither does what only
    C's strtol would take for a number ("1abc").
    """
    if variable is None:
        return [gpu for card in cards for gpu in card]
    if _is_ambiguous(variable, order, cards):
        return []
    words = [word.strip() for word in variable.split(",")]
    chosen: list[Gpu] = []
    for word in words:
        gpu = _named(word, cards)
        if gpu is None:
            break
        if gpu in chosen:
            return []
        chosen.append(gpu)
    return chosen


def why_no_gpu() -> str:
    """The reason where `visible` is empty."""
    variable = os.environ.get(VARIABLE)
    if not _cards() or variable is None:
        return "no NVIDIA driver"
    if _is_ambiguous(variable, os.environ.get(ORDER), _cards()):
        return (
            f"{VARIABLE}={variable}: which are meant? CUDA numbers different GPUs by speed, nvidia-smi by place. "
            f"Set {ORDER}=PCI_BUS_ID, which means nvidia-smi's numbers, or give UUIDs (`nvidia-smi -L`)"
        )
    return f"{VARIABLE}={variable} names no GPU of this machine"


def _is_number(word: str) -> bool:
    return word.isascii() and word.isdecimal()


def _is_ambiguous(variable: str, order: str | None, cards: Sequence[Sequence[Gpu]]) -> bool:
    numbers = any(_is_number(word.strip()) for word in variable.split(","))
    return numbers and order != "PCI_BUS_ID" and len({card[0].name.partition(" MIG ")[0] for card in cards}) > 1


def _named(word: str, cards: Sequence[Sequence[Gpu]]) -> Gpu | None:
    if _is_number(word):
        return cards[int(word)][0] if int(word) < len(cards) else None
    if not word.startswith(("GPU-", "MIG-")):
        return None
    matching = [gpu for card in cards for gpu in card if gpu.uuid.startswith(word)]
    return matching[0] if len(matching) == 1 else None


@cache
def _cards() -> list[list[Gpu]]:
    """Every card of the machine in nvidia-smi's order, each as its MIG instances or, without any, as itself."""
    answer = _nvidia_smi(f"--query-gpu={','.join(QUERY.values())}", "--format=csv,noheader")
    rows = [line.rsplit(",", len(QUERY) - 1) for line in answer]  # a name may hold a comma
    whole = [Gpu(*map(str.strip, row)) for row in rows if len(row) == len(QUERY)]
    instances: dict[str, list[Gpu]] = {gpu.uuid: [] for gpu in whole}
    card: Gpu | None = None
    for line in _nvidia_smi("-L") if whole else []:
        if line.startswith("GPU "):
            card = next((gpu for gpu in whole if gpu.uuid in line), None)
        elif card and (instance := MIG_LINE.match(line)):
            uuid, mig = instance["uuid"], instance["profile"]
            instances[card.uuid].append(replace(card, name=f"{card.name} MIG {mig}", memory="", uuid=uuid, mig=mig))
    return [instances[gpu.uuid] or [gpu] for gpu in whole]


def _nvidia_smi(*arguments: str) -> list[str]:
    """Its lines; none where it is missing or fails. `import cupy` working proves nothing."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    try:
        answer = subprocess.run(
            [program, *arguments], capture_output=True, text=True, errors="replace", timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    return answer.stdout.strip("\n").splitlines() if answer.returncode == 0 else []
