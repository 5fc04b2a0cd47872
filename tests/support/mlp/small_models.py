"""Small networks in the middle of training, with masks given to them, and how far two arrays are apart."""

from typing import Any

import numpy as np

from implementations import initialisation
from implementations.equivalence.oracle import oracle_of
from implementations.mlp.mlp_numpy import MLP
from implementations.mlp.spec import MLPSpec

Oracle = oracle_of(MLP)

# Not the defaults: a setting that is read from nowhere must be seen, and so must an epsilon in the wrong place.
SETTINGS = {"norm_epsilon": 1e-3, "norm_momentum": 0.8, "dropout": 0.3, "precision": "float64"}
OPTIMIZERS: dict[str, dict[str, Any]] = {
    "sgd": {"kind": "sgd", "learning_rate": 0.07, "momentum": 0.7},
    "sgd-plain": {"kind": "sgd", "learning_rate": 0.07, "momentum": 0.0},
    "adam": {"kind": "adam", "learning_rate": 0.02, "beta1": 0.85, "beta2": 0.98, "epsilon": 1e-3},
}
OPTIMIZERS["adam-hat"] = OPTIMIZERS["adam"] | {"epsilon_form": "hat"}
OPTIMIZERS["adamw"] = OPTIMIZERS["adam"] | {"kind": "adamw", "weight_decay": 0.1}
OPTIMIZERS["adamw-hat"] = OPTIMIZERS["adamw"] | {"epsilon_form": "hat"}


def tiny_spec(**changes):
    """The net 2-3-2 with a batch of 4, small enough for scalar loops."""
    tiny = {"features": 2, "hidden": (3,), "classes": 2, "batch": 4}
    return MLPSpec().changed(**(SETTINGS | tiny | changes))


def middle_spec(**changes):
    """Two blocks of unlike widths: a gradient that skips a layer or takes a kernel the wrong way round shows."""
    return tiny_spec(**({"features": 5, "hidden": (7, 6), "classes": 4, "batch": 12} | changes))


def oracle(spec, state=None, dtype=np.float64):
    """The NumPy page in the middle of training, with dropout masks given to it."""
    return loaded(Oracle(spec, dtype=dtype), state)


def loaded(model, state=None):
    model.load_state(initialisation.hot_state(model.spec) if state is None else state)
    return model


def fixed_masks(spec, seed=3):
    """Dropout masks by the definition, from a generator that is not the model's."""
    rng = np.random.default_rng(seed)
    masks = spec.masks(spec.batch).items()
    return {name: (rng.random(mask.shape) >= mask.rate) / (1 - mask.rate) for name, mask in masks}


def relative_error(test, truth):
    """||test - truth|| / ||truth||, and the absolute error where the truth is 0."""
    size = np.linalg.norm(np.ravel(truth))
    error = np.linalg.norm(np.ravel(test) - np.ravel(truth))
    return error / size if size else error


def assert_same(left, right):
    """Bit for bit."""
    assert left.keys() == right.keys()
    different = [name for name in left if not np.array_equal(left[name], right[name])]
    assert not different
