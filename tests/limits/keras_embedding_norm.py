"""Keras's clipping on TensorFlow takes the norm of an embedding's gradient in pieces, a piece for each place, not of their sum."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import numpy as np

same = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones", trainable=False)
layers = [keras.layers.Embedding(2, 1, embeddings_initializer="ones"), keras.layers.Flatten(), same]
model = keras.Sequential([keras.Input((9,), dtype="int32"), *layers])
model.compile(keras.optimizers.SGD(1.0, global_clipnorm=1.0), loss="mean_absolute_error")
model.train_on_batch(np.zeros((1, 9), "int32"), np.zeros((1, 1)))  # one token at nine places, a gradient of 1 at each

came = 1 - float(keras.ops.convert_to_numpy(layers[0].embeddings)[0, 0])
print("expected: a step of 1: the gradient is 9, and is clipped to 1")
print(f"came:     {came:.4f}: nine gradients of 1 have a norm of 3, by which it is divided")
raise SystemExit(0 if abs(came - 3) < 1e-3 else 1)
