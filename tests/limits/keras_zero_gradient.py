"""Keras's cross-entropy of probabilities clips them at 1e-7: what is most wrong has no gradient. From logits it is right."""

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import numpy as np

model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, activation="softmax", use_bias=False)])
model.compile(keras.optimizers.SGD(1.0), loss="sparse_categorical_crossentropy")
model.set_weights([np.eye(2)])
loss = float(model.train_on_batch(np.array([[0.0, 30.0]]), np.array([0])))
moved = np.abs(model.get_weights()[0] - np.eye(2)).max()

print("expected: a loss of 30, and weights that move by 30")
print(f"came:     a loss of {loss:.3f}, and weights that move by {moved:g}")
raise SystemExit(0 if loss < 20 and moved == 0 else 1)
