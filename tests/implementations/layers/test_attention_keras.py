"""What Keras has no public name for, and our file needs: each is still there and does what it is taken for."""

import re

import pytest

from implementations import registry
from tests.support import ROOT
from tests.support.fresh_process import python

FILE = ROOT / "implementations/layers/attention/attention_keras.py"
BACKEND = next((name for name in registry.FAMILIES if name.startswith("keras-") and not registry.missing(name)), None)

CODE = """
import keras
import numpy as np


class Counted(keras.layers.MultiHeadAttention):
    asked = 0

    def _build_attention(self, rank):
        self.asked += 1
        super()._build_attention(rank)


def made():
    layer = Counted(2, 4, dropout=0.5, use_bias=False, seed=3)
    layer(n, n)
    return layer


def answer(layer, training=False):
    return keras.ops.convert_to_numpy(layer(n, n, training=training))


def builds():
    return made().asked == 1


def scales():
    layer = made()
    right = layer._inverse_sqrt_key_dim == 0.5
    layer._inverse_sqrt_key_dim = 0.0  # now all scores are equal, and every position takes the same mean
    return right and np.ptp(answer(layer), axis=1).max() < 1e-6 < np.ptp(answer(made()), axis=1).max()


def drops():
    layer = made()
    right = isinstance(layer._dropout_layer, keras.layers.Dropout) and layer._dropout_layer.rate == 0.5
    seed = np.array(keras.ops.convert_to_numpy(layer._dropout_layer.seed_generator.state))
    dropped = (answer(layer, training=True) != answer(layer)).any()
    drew = (keras.ops.convert_to_numpy(layer._dropout_layer.seed_generator.state) != seed).any()
    return right and seed[0] == 3 and dropped and drew


def chooses():
    layer = made()
    layer._dropout = 0.0  # now the backend computes it as a whole, and asks no dropout layer
    return np.abs(answer(layer, training=True) - answer(layer)).max() == 0


n = np.random.default_rng(0).normal(size=(2, 6, 8)).astype("float32")
for name, holds in {
    "_build_attention": builds, "_inverse_sqrt_key_dim": scales, "_dropout_layer": drops, "_dropout": chooses,
}.items():
    try:
        print(name, holds())
    except AttributeError as error:
        print(name, error)
"""


@pytest.mark.skipif(BACKEND is None, reason="keras is not installed")
def test_keras_has_not_moved_what_attention_needs() -> None:
    done = python("-c", CODE, KERAS_BACKEND=str(BACKEND).removeprefix("keras-"), CUDA_VISIBLE_DEVICES="")
    assert done.returncode == 0, done.stderr[-3000:]
    found = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    assert set(found) == set(re.findall(r"\b(?:self|layer|super\(\))\.(_[a-z]\w+)", FILE.read_text(encoding="utf-8")))
    moved = {name: answer for name, answer in found.items() if answer != "True"}
    assert not moved, (
        f"Keras moved {moved} of its MultiHeadAttention: see what {FILE.name} takes each for, and mend it there"
    )
