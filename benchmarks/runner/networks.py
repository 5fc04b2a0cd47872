"""The networks of a run, and the folder in which their workers find what they train on."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from implementations.contract import Spec


@dataclass(frozen=True)
class Network:
    """A network of a run: its specification, the arrays that it trains on, and for how many epochs (0: there is no training)."""

    spec: Spec
    data: Mapping[str, np.ndarray]
    epochs: int = 0


@contextmanager
def scratch(networks: Mapping[str, Network]) -> Iterator[Path]:
    """A folder for what workers read and log, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="samenet-") as name:
        for model, network in networks.items():
            arrays: dict[str, Any] = dict(network.data)  # savez has keywords of other types too, which these are not
            np.savez(dataset_of(model, Path(name)), **arrays)
        yield Path(name)


def dataset_of(model: str, folder: Path) -> Path:
    """Where a network's workers find what it trains on."""
    return folder / f"{model}.npz"
