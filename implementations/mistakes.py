"""The mistakes that can be made in a model, and a loader that makes one: in the text of the model's files, on their way into Python.

A mistake stands where it is made: `layers/FOLDER/mistakes.py`, `training/mistakes.py`, and `mistakes.py` of the network itself; those of
its blocks in `block_mistakes.py`, and those of layers that only what reads sequences can make in `sequence_mistakes.py`.
"""

import importlib
import sys
import types
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import cast

from implementations import registry, sources
from implementations.contract import OracleClass
from implementations.declarations import TRAINING, Mistake
from implementations.sequence import SequenceSpec

ORACLES_MODULE = "implementations.equivalence.oracle"

GIVEN = {
    "numpy": "import numpy as np; from implementations.equivalence.rounding import rounded",
    "cupy": "import cupy as cp",
    "torch": "import torch; xp, stop = torch, torch.detach",
    "keras": "import math, keras; from keras import ops; xp, stop = ops, ops.stop_gradient",
    "jax": "import math, jax, jax.numpy as jnp, numpy as np; xp, stop = jnp, jax.lax.stop_gradient",
}
"""What every text may use besides its own imports: a mistake is written without a change of them.

What `xp` and `stop` (no gradient passes) mean is the same in PyTorch, Keras and JAX, so that one text may serve all three.
"""


def of_model(model: str) -> tuple[Mistake, ...]:
    """Every mistake that can be made in a model: in its layers, in the order of its steps, in training and in the network."""
    folders = [step.layer.rpartition("/")[0] for step in registry.part(model, "steps").STEPS]
    layers = [f"implementations.layers.{folder.replace('/', '.')}" for folder in folders if folder]
    packages = dict.fromkeys([*layers, "implementations.training", registry.package(model)])
    names = ["mistakes", "block_mistakes"]
    names += ["sequence_mistakes"] if issubclass(registry.part(model, "spec").Spec, SequenceSpec) else []
    modules = [f"{package}.{name}" for package in packages for name in names]
    mistakes = [m for name in modules if sources.is_there(name) for m in importlib.import_module(name).MISTAKES]
    return tuple(mistake for mistake in mistakes if _files(mistake) <= set(files(model)))


def files(model: str) -> list[str]:
    """The files that a model is made of, each after those that it imports: layers, training, the page."""
    layers = [step.layer for step in registry.part(model, "steps").STEPS if step.layer]
    return [*dict.fromkeys(layers), TRAINING, model]


def _files(mistake: Mistake) -> set[str]:
    edits = [edit for change in mistake.changes.values() if not isinstance(change, str) for edit in change]
    return {mistake.file, *(edit[2] for edit in edits if len(edit) > 2)}


def planted(model: str, family: str, mistake: Mistake | None) -> types.ModuleType:
    """The model's page in this family with the mistake in it, in its layers or in its training. None: with nothing in it."""
    *_, page = loaded(changed(model, family, mistake))
    return page


def planted_oracle(model: str, mistake: Mistake | None) -> OracleClass:
    """The oracle of NumPy's page with the mistake in it; its own file, which imports the same layers, as it is."""
    *_, page, oracle = loaded(changed(model, "numpy", mistake) | {ORACLES_MODULE: sources.text_of(ORACLES_MODULE)})
    return cast(OracleClass, oracle.oracle_of(getattr(page, registry.part(model, "spec").CLASS)))


def changed(model: str, family: str, mistake: Mistake | None) -> dict[str, str]:
    """The texts of a model's modules in this family, with the mistake in them.

    Raises ValueError where the mistake cannot be made there, or a text that it replaces does not stand in its file exactly once.
    """
    modules = {file: _module(model, family, file) for file in files(model)}
    texts = {module: sources.text_of(module) for module in modules.values()}
    if mistake is None:
        return texts
    edits = mistake.change(family)
    if edits is None or isinstance(edits, str):
        raise ValueError(f"{mistake.name} cannot be made in {family}: {edits or 'nothing is said of it'}")
    for old, new, *elsewhere in edits:
        file = elsewhere[0] if elsewhere else mistake.file
        if (module := modules.get(file)) is None:
            raise ValueError(f"{mistake.name}: the model {model} has no file {file}")
        if (count := texts[module].count(old)) != 1:
            raise ValueError(f"{module} should hold this exactly once, and holds it {count} times:\n{old}")
        texts[module] = texts[module].replace(old, new)
    return texts


def _module(model: str, family: str, file: str) -> str:
    """Where a file stands in this family."""
    module = sources.module_of(file, registry.package(model), family)
    if module is None:
        raise ValueError(f"the model {model} has no file {file} in {family}")
    return module


def loaded(texts: Mapping[str, str]) -> list[types.ModuleType]:
    """These modules, as if their files held these texts; whoever imported the real ones keeps them."""
    with ExitStack() as places:
        return [places.enter_context(_in_place(name, module_of(name, text))) for name, text in texts.items()]


@contextmanager
def _in_place(name: str, module: types.ModuleType) -> Iterator[types.ModuleType]:
    """While this lasts, the name stands for this module."""
    package, stem = importlib.import_module(name.rpartition(".")[0]), name.rpartition(".")[2]
    real = sys.modules.get(name)
    sys.modules[name] = module
    setattr(package, stem, module)
    try:
        yield module
    finally:
        del sys.modules[name]
        delattr(package, stem)
        if real is not None:
            sys.modules[name] = real
            setattr(package, stem, real)


def module_of(name: str, text: str) -> types.ModuleType:
    """A module as if its file held this text."""
    package, _, stem = name.rpartition(".")
    folder = Path(importlib.import_module(package).__path__[0])
    module = types.ModuleType(f"planted_{stem}")
    module.__package__, module.__file__ = package, str(folder / f"{stem}.py")
    sys.modules[module.__name__] = module  # classes look their module up
    exec(GIVEN.get(stem.rpartition("_")[2], ""), module.__dict__)
    exec(compile(text, f"{stem}.py", "exec"), module.__dict__)
    return module
