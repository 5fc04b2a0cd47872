"""The networks of a run, and the folder in which their workers find what they train on."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import writing
from benchmarks.records.record import Cell
from benchmarks.runner.scratch import scratch_folder
from implementations.contract import Spec


@dataclass(frozen=True)
class Network:
    """A network of a run: its specification, the arrays that it trains on, and for how many epochs (0: there is no training)."""

    spec: Spec
    data: Mapping[str, np.ndarray]
    epochs: int = 0
    unnamed: bool = False
    """Whether nobody named it: of such a one no first calls and no costs are measured, and no null control."""


def of_named(cells: Iterable[Cell], networks: Mapping[str, Network]) -> list[Cell]:
    """The cells of networks that were named."""
    return [cell for cell in cells if not networks[cell.who.model].unnamed]


@contextmanager
def scratch(networks: Mapping[str, Network]) -> Iterator[Path]:
    """A folder for what workers read and log, gone afterwards. Raises Unwritable."""
    with scratch_folder() as folder:
        for model, network in networks.items():
            arrays: dict[str, Any] = dict(network.data)  # savez has keywords of other types too, which these are not
            with writing.telling(path := dataset_of(model, folder)):
                np.savez(path, **arrays)
        yield folder


def dataset_of(model: str, folder: Path) -> Path:
    """Where a network's workers find what it trains on."""
    return folder / f"{model}.npz"
