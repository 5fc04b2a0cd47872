"""Train a network on real data and print its learning curve: the same file for every network and framework."""

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from implementations import catalogue, registry
from implementations.errors import BadInput, Unavailable
from implementations.train import train

NAMES = {known.title.lower(): name for name, known in catalogue.FRAMEWORKS.items()}
options = argparse.ArgumentParser(description=__doc__)
options.add_argument("--model", default="mlp", type=str.lower, choices=registry.models())
options.add_argument("--framework", default="torch", help=f"one of {', '.join(registry.frameworks())}")
options.add_argument("--spec", default="", help="a preset's name, or a TOML file with your network")
options.add_argument("--data", default="", help="your data: a .npz file with x and y, or a text")
options.add_argument("--epochs", type=int, default=5)
options.add_argument("--device", default="cpu", help="cpu or cuda:0")
options.add_argument("--mode", default="plain", help="plain, or tuned where there is such a file")
chosen = options.parse_args()

WIDTH = 40
first = 0.0
try:
    for epoch in train(
        chosen.model, NAMES.get(chosen.framework.lower(), chosen.framework), spec=chosen.spec, dataset=chosen.data,
        epochs=chosen.epochs, device=chosen.device, mode=chosen.mode,
    ):  # fmt: skip
        first = first or epoch.loss
        bar = "#" * (round(WIDTH * epoch.loss / first) if epoch.loss < first else WIDTH)
        print(f"epoch {epoch.number:2}  loss {epoch.loss:6.3f}  {epoch.score}  {bar}", flush=True)
except (BadInput, Unavailable) as problem:
    sys.exit(str(problem))
except BrokenPipeError:  # as in `... | head -1`: who reads has enough
    os._exit(1)
except KeyboardInterrupt:
    sys.exit(130)
