"""A peer for the timings: one step of scikit-learn's MLPClassifier at the same sizes.

It does neither batch norm nor dropout, so it is not the same network: never proved, never ranked, only a known mark.
"""

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from implementations.mlp.spec import MLPSpec


class Peer:
    """`partial_fit` on one batch is one step of its SGD with momentum (or Adam)."""

    def __init__(self, spec: MLPSpec, device: str = "cpu") -> None:
        settings = spec.optimizer
        chosen = {"solver": "sgd", "momentum": settings.momentum} if settings.kind == "sgd" else {"solver": "adam"}
        self.classes = np.arange(spec.classes)
        self.network = MLPClassifier(
            spec.hidden, learning_rate_init=settings.learning_rate, nesterovs_momentum=False, alpha=0.0,
            batch_size=spec.batch, random_state=spec.seed, **chosen,
        )  # fmt: skip
        warnings.simplefilter("ignore", ConvergenceWarning)

    def train_step(self, batch: Mapping[str, np.ndarray]) -> float:
        """One batch, one step; returns the loss."""
        self.network.partial_fit(batch["x"], batch["y"], classes=self.classes)
        return self.network.loss_

    def predict(self, batch: Mapping[str, np.ndarray]) -> Any:
        """Class probabilities (B, C)."""
        return self.network.predict_proba(batch["x"])

    def load_state(self, state: Any) -> None:
        """It keeps its own start: nothing is compared with it."""
