"""Keras's Adam takes 1 - beta^t from beta in float32: of 1 - 0.99999 three digits are left."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import numpy as np


def first_step(beta_2: float) -> float:
    """From zero, with a gradient of 1. Whatever the betas are, it is the learning rate."""
    weight = keras.Variable(np.zeros(1, "float32"))
    adam = keras.optimizers.Adam(learning_rate=1.0, beta_2=beta_2, epsilon=1e-12)
    adam.build([weight])
    adam.apply_gradients([(keras.ops.ones(1), weight)])
    return -float(keras.ops.convert_to_numpy(weight)[0])


default, long = first_step(0.999), first_step(0.99999)
print("expected: a first step of 1, to within 0.0000002, for every beta_2")
print(f"came:     {default:.7f} for 0.999, {long:.7f} for 0.99999")
raise SystemExit(0 if abs(default - 1) > 2e-6 and abs(long - 1) > 2e-4 else 1)
