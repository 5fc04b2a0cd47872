"""What samenet asks about a framework (`implementations.contract.Framework`); this one computes with NumPy and SciPy."""

import numpy as np
import scipy

NAME = "outsider"
MODELS = {"mlp": "outsider.model:MLP"}


def devices():
    return ["cpu"]


def start(threads):
    """Nothing to set."""


def to_device(array, device):
    return np.array(array, order="C")


def to_host(tensor):
    return np.asarray(tensor)


def synchronise(device, result):
    """Nothing runs behind our back."""


def matrix_product(a, b):
    return a @ b


def versions():
    return {"scipy": scipy.__version__}


def flags(device):
    return {}
