"""What the user typed as a Request: lists, numbers, sweeps, interpreters. What of it can be had is for the plan to say."""

import os
import re
from collections.abc import Container, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar, get_args

from benchmarks import system
from benchmarks.plan import profiles
from benchmarks.plan.request import Request
from implementations import catalogue, registry
from implementations.contract import Spec
from implementations.errors import BadInput
from implementations.spec import Precision

Value = TypeVar("Value")

ALL = "all"
KNOWN = catalogue.FRAMEWORKS | catalogue.PEERS
ALIASES: dict[str, dict[str, tuple[str, ...]]] = {
    "--framework": {known.title.lower(): (name,) for name, known in KNOWN.items()}
    | {name: (name,) for name in KNOWN}
    | {
        "keras": tuple(name for name, family in registry.FAMILIES.items() if family == "keras"),
        "sklearn": ("scikit-learn",),
    },
    "--precision": {"bf16": ("bfloat16",), "fp32": ("float32",), "fp64": ("float64",), ALL: get_args(Precision)},
    "--mode": {ALL: registry.MODES},
    "--model": {ALL: tuple(sorted(registry.OURS, key=lambda model: model != catalogue.MODEL))},
}
"""Option -> other spellings of its values, in small letters, and what they stand for."""

SECONDS = {"s": 1, "m": 60, "h": 3600}


def request(specs: Mapping[str, Spec], choice: dict[str, Any], own_spec: bool) -> Request:
    """The options that choose cells (`choices.CHOICES`), by name. Raises BadInput."""
    axes = dict.fromkeys(axis for model in specs for axis in registry.part(model, "spec").AXES)
    words = {axis for spec in specs.values() for axis, value in spec.axes().items() if isinstance(value, str)}
    chosen, frameworks = profile(choice["profile"]), listed("--framework", choice["frameworks"])
    if ALL in frameworks:  # none of them by name: one that is not there is a hole
        others = (name for name in frameworks if name != ALL)
        chosen, frameworks = replace(chosen, frameworks=(*registry.frameworks(), *others)), ()
    return Request(
        profile=chosen,
        frameworks=frameworks,
        devices=listed("--device", choice["devices"]),
        threads=tuple(dict.fromkeys(map(_thread_count, listed("--threads", choice["threads"])))),
        precisions=tuple(map(_precision, listed("--precision", choice["precisions"]))),
        modes=listed("--mode", choice["modes"]),
        variants=listed("--variant", choice["variants"]),
        phases=listed("--phase", choice["phases"]),
        sets=_each_once("--set", (_axis(text, axes, words) for text in choice["sets"])),
        keyword=choice["keyword"],
        pythons=_each_once("--python", map(_interpreter, choice["pythons"])),
        own_spec=own_spec,
    )


def profile(name: str) -> profiles.Profile:
    """By its name. Raises BadInput."""
    if name not in profiles.PROFILES:
        raise BadInput(f"--profile {name}: no such profile; there are {', '.join(profiles.PROFILES)}.")
    return profiles.PROFILES[name]


def seconds(budget: str) -> int:
    """A time like 90s, 10m or 1h. Raises BadInput."""
    number, unit = budget[:-1], budget[-1:]
    if unit not in SECONDS or not number.isdecimal() or not int(number):
        raise BadInput(f"--budget {budget}: give a time, as in 90s, 10m or 1h.")
    return int(number) * SECONDS[unit]


def listed(option: str, text: str | None) -> tuple[str, ...]:
    """The words of a list; nothing where the option was not given, which means all. Raises BadInput for an empty list."""
    words = _words(text or "")
    if text is not None and not words:
        raise BadInput(f"{option} {text}: names nothing. Give names with commas between them, or leave it out.")
    aliases = ALIASES.get(option, {})
    return tuple(dict.fromkeys(name for word in words for name in aliases.get(word.lower(), (word,))))


def _words(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))


def _each_once(option: str, pairs: Iterable[tuple[str, Value]]) -> dict[str, Value]:
    """What an option that may be repeated said of each name. Raises BadInput where one would silently replace another."""
    values: dict[str, Value] = {}
    for name, value in pairs:
        if name in values:
            raise BadInput(f"{option} {name}=...: given twice. Give it once, with all that is wanted.")
        values[name] = value
    return values


def _thread_count(word: str) -> int:
    if word == "all":
        return system.usable_cores()
    if not word.isdecimal() or not 0 < int(word) <= system.usable_cores():
        raise BadInput(f"--threads {word}: give numbers from 1 to {system.usable_cores()} (the usable cores), or all.")
    return int(word)


def _precision(word: str) -> str:
    if word not in get_args(Precision):
        raise BadInput(f"--precision {word}: no such precision; there are {', '.join(get_args(Precision))}.")
    return word


def _axis(text: str, axes: Iterable[str], words: Container[str]) -> tuple[str, list[int | str]]:
    """An axis and its values: words on some, which the specification knows, whole numbers on the others."""
    name, _, listed = text.partition("=")
    values = _words(listed)
    if name in words and values:
        return name, list(values)
    if name not in axes or not values or not all(value.isdecimal() for value in values):
        beyond = "What else a network has stands in a file: --spec my.toml."
        known = f"give an axis ({', '.join(axes)}) and whole numbers, as in --set batch=32,256."
        raise BadInput(f"--set {text}: {known} {beyond}")
    return name, [int(value) for value in values]


def _interpreter(text: str) -> tuple[str, str]:
    framework, _, path = text.partition("=")
    if not framework:
        raise BadInput(f"--python {text}: names no framework. Give one and its interpreter, as in torch@next=PATH.")
    registry.check_framework(framework)
    if "@" in framework and not re.fullmatch(r"[\w.+-]+", framework.partition("@")[2]):
        raise BadInput(f"--python {text}: name the other installation with letters and digits, as in torch@next=PATH.")
    if not Path(path).is_file():
        raise BadInput(f"--python {text}: {path or 'nothing'} is not a file. Give the path of a Python interpreter.")
    return framework, os.path.abspath(path)  # a worker begins in another folder; what it links to is no environment
