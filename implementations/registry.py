"""Which models and frameworks there are, and where; a module is imported only when it is asked for.

A framework of our own is one adapter (`frameworks/<family>_adapter.py`), one file per layer, its training and one file per model
(`<model>/<model>_<family>.py`). A model of our own is a folder with a `spec.py`; one from elsewhere joins through the entry-point group
`samenet.models`: the entry point's name is the model's name, and it names a package with the same modules. A framework from elsewhere joins through the entry-point group `samenet.frameworks`: the entry
point's name is the framework's name, and it loads an adapter module of that `NAME` that has, besides what
`implementations.contract.Framework` asks for, `MODELS = {name of a model: "package.module:Class"}`.
"""

import difflib
import importlib
import importlib.util
import os
import shutil
from collections.abc import Iterable
from functools import cache
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import cast

from implementations.catalogue import FRAMEWORKS, MODEL
from implementations.catalogue import PEERS as PEERS
from implementations.contract import Framework, ModelClass
from implementations.errors import BadInput, Unavailable

OURS = tuple(sorted(path.parent.name for path in Path(__file__).parent.glob("*/spec.py")))
"""Models of our own: every folder with a specification."""

FAMILIES = {name: framework.family for name, framework in FRAMEWORKS.items()}
"""Framework -> family: the files it is written in."""

PACKAGES = {name: known.packages for name, known in (FRAMEWORKS | PEERS).items()}
"""Framework -> import packages that must be there."""

MODES = ("plain", "tuned")
"""As a framework's documentation teaches it, and as its expert would ship it."""

ONLY_BY_NAME = {
    ("cupy", "tuned"): Unavailable(
        "CuPy's tuned mode has never run on a GPU.", "To try it, ask for it by name: --framework cupy --mode tuned."
    )
}
"""Framework and mode -> why it is used only where both are asked for by name."""

FRAMEWORK_POINTS, MODEL_POINTS = "samenet.frameworks", "samenet.models"


def frameworks() -> list[str]:
    """Names of all frameworks, ours first."""
    return [*FAMILIES, *sorted(point.name for point in _entry_points(FRAMEWORK_POINTS))]


def models() -> list[str]:
    """Names of all models, ours first."""
    return [*OURS, *sorted(point.name for point in _entry_points(MODEL_POINTS))]


def check_model(model: object, origin: str) -> None:
    """Raises BadInput, with the nearest name, where there is no such model; `origin` says who asked for it."""
    if model not in models():
        close = difflib.get_close_matches(str(model), models(), n=1, cutoff=0.4)
        hint = f"Did you mean {close[0]}? " if close else ""
        raise BadInput(f"{origin}: no such model. {hint}There are: {', '.join(models())}.")


def base(name: str) -> str:
    """The framework that a name like `torch@next` is another installation of."""
    return name.partition("@")[0]


def devices(name: str) -> tuple[str, ...]:
    """Kinds of device a framework can use; both, where it comes from elsewhere."""
    base_name = PEERS[base(name)].framework if is_peer(name) else base(name)
    return FRAMEWORKS[base_name].devices if base_name in FRAMEWORKS else ("cpu", "cuda")


def is_peer(name: str) -> bool:
    """Whether this is one of PEERS, or another installation of one."""
    return base(name) in PEERS


def check_framework(name: str) -> None:
    """Raises BadInput, with the nearest name, where there is no such framework."""
    known = [*frameworks(), *PEERS]
    if base(name) not in known:
        close = difflib.get_close_matches(base(name), known, n=1, cutoff=0.4)
        hint = f"Did you mean {close[0]}? " if close else ""
        raise BadInput(f"--framework {name}: no such framework. {hint}There are: {', '.join(known)}.")


def missing(name: str) -> Unavailable | None:
    """Why a framework cannot even be imported, found without importing it; None where its packages are there."""
    for package in PACKAGES.get(base(name), ()):
        if importlib.util.find_spec(package) is None:
            return _not_installed(name, package)
    return None


def _not_installed(name: str, package: str) -> Unavailable:
    """What to say of a package that is not there: one of the framework's own, or one that those would bring."""
    if package in PACKAGES.get(base(name), ()):
        wheels = "cupy-cuda12x (or cupy-cuda13x); it needs an NVIDIA GPU" if package == "cupy" else package
        return Unavailable(f"{package} is not installed.", f"Install it: pip install {wheels}")
    brings = " ".join(distributions(name)).replace("_", "-") or package
    return Unavailable(f"{package} is not installed, which {name} needs.", f"Install it: pip install {brings}")


def mode_problem(name: str, mode: str) -> Unavailable | None:
    """Why a framework that is there cannot be used in this mode, or None."""
    if FAMILIES.get(base(name)) == "torch" and mode == "tuned":
        compilers = [os.environ.get("CXX", ""), "g++", "clang++", "c++"]
        if not any(compiler and shutil.which(compiler) for compiler in compilers):
            return Unavailable("PyTorch tuned is compiled, and there is no C++ compiler.", "Install g++ or clang++.")
    return None


def distributions(name: str) -> list[str]:
    """The installed distributions that bring a framework's packages (or that joined through the entry point).

    Reads the metadata of everything that is installed; imports none of it.
    """
    offered_by = [
        point.dist.name for point in _entry_points(FRAMEWORK_POINTS) if point.name == base(name) and point.dist
    ]
    distributions_of = metadata.packages_distributions()
    packages = PACKAGES.get(base(name), ())
    return offered_by or list(dict.fromkeys(d for package in packages for d in distributions_of.get(package, ())))


def adapter(name: str) -> Framework:
    """The framework's adapter module. Imports the framework.

    Raises BadInput for an unknown name, Unavailable where the framework or something that it needs is not installed, and where
    a plug-in bears another name than its entry point. Whatever else an import raises comes from a broken installation.
    """
    check_framework(name)
    name = base(name)
    if name in PEERS:
        return adapter(PEERS[name].framework)
    if name.startswith("keras-") and name in FAMILIES:
        os.environ["KERAS_BACKEND"] = name.removeprefix("keras-")
    file = f"implementations.frameworks.{FAMILIES[name]}_adapter" if name in FAMILIES else ""
    try:
        return cast(Framework, importlib.import_module(file) if file else _entry_point(name))
    except ModuleNotFoundError as error:
        absent = error.name or "jaxlib"  # whose absence JAX tells without its name
        if absent.partition(".")[0] in from_elsewhere(MODEL, [name]):
            why = f"the plug-in {name}: its package has no module {absent}."
            raise Unavailable(why, "Ask its author, or uninstall it.") from error
        raise _not_installed(name, absent) from error


def modes(model: str, name: str) -> tuple[str, ...]:
    """The ways in which a framework can be used for a model."""
    return MODES if FAMILIES.get(name) in getattr(part(model, "spec"), "TUNED", ()) else MODES[:1]


def not_written(model: str, name: str) -> Unavailable | None:
    """Why there is no implementation of a model in a framework of ours, or None."""
    file, why = source_file(model, base(name)), f"the model {model} is not written in {name}."
    if is_peer(name):
        peer = PEERS[base(name)]
        file = f"{package(model)}.{peer.place.partition(':')[0]}"
        why = f"{peer.title} has no network like the model {model}."
        if reason := getattr(part(model, "spec"), "WITHOUT_PEERS", {}).get(base(name)):
            return Unavailable(f"{peer.title}: {reason}.", "Leave it out.")
    if file is None or importlib.util.find_spec(file) is not None:
        return None
    return Unavailable(why, "Leave it out.")


def model_class(model: str, name: str, mode: str = "plain") -> ModelClass:
    """The class that is `model` in this framework, used in this way. A peer's has only what its phases need.

    Raises Unavailable where a framework from elsewhere has no such model.
    """
    name, specification = base(name), part(model, "spec")
    if name in PEERS:
        place = f"{package(model)}.{PEERS[name].place}"
    elif name in FAMILIES:
        kind = specification.CLASS
        place = f"{source_file(model, name, mode)}:{kind if mode == 'plain' else f'Tuned{kind}'}"
    elif model in (offered := _entry_point(name).MODELS):
        place = offered[model]
    else:
        raise Unavailable(f"{name} has no model {model}; it has {', '.join(offered)}.", "Leave it out.")
    module, _, attribute = place.partition(":")
    return cast(ModelClass, getattr(importlib.import_module(module), attribute))


def source_file(model: str, name: str, mode: str = "plain") -> str | None:
    """The module that holds our implementation, or None for a framework from elsewhere."""
    if name not in FAMILIES:
        return None
    plain, tuned = (f"{package(model)}.{model}_{FAMILIES[name]}{end}" for end in ("", "_tuned"))
    return tuned if mode == "tuned" and importlib.util.find_spec(tuned) is not None else plain


def package(model: str) -> str:
    """The package that a model is: a folder of ours, or the one that an entry point names."""
    check_model(model, f"model {model}")
    if model in OURS:
        return f"implementations.{model}"
    return next(point for point in _entry_points(MODEL_POINTS) if point.name == model).value


def part(model: str, name: str) -> ModuleType:
    """A model's module by role: spec, steps, conventions, extremes, data."""
    module = f"{package(model)}.{name}"
    try:
        return importlib.import_module(module)
    except Exception as error:  # whatever somebody else's code raises
        if model in OURS:
            raise
        absent = error.name if isinstance(error, ModuleNotFoundError) else None
        its_own = absent and f"{module}.".startswith(f"{absent}.")
        why = f"its package has no module {absent}" if its_own else f"{module} cannot be imported: {error!r}"
        raise BadInput(f"the model {model}: {why}. Ask its author, or uninstall it.") from error


def from_elsewhere(model: str, names: Iterable[str]) -> list[str]:
    """The packages, not ours, that this model and these frameworks come in."""
    points = [point for point in _entry_points(MODEL_POINTS) if point.name == model and model not in OURS]
    points += [point for point in _entry_points(FRAMEWORK_POINTS) if point.name in set(map(base, names))]
    return sorted({point.value.partition(":")[0].partition(".")[0] for point in points})


def _entry_point(name: str) -> ModuleType:
    module = cast(ModuleType, next(p for p in _entry_points(FRAMEWORK_POINTS) if p.name == name).load())
    if (own := module.NAME) != name:
        fix = "Ask its author to give its adapter and its entry point one name, or leave it out."
        raise Unavailable(f"the plug-in {name} calls itself {own} (NAME in its adapter).", fix)
    return module


@cache
def _entry_points(group: str) -> tuple[metadata.EntryPoint, ...]:
    """What other packages offer; found once, for that reads the metadata of everything that is installed."""
    return tuple(metadata.entry_points(group=group))
