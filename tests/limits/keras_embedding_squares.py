"""Keras's Adam on TensorFlow squares the gradient of an embedding in pieces, a piece for each place, before it adds them up."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import numpy as np

same = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones", trainable=False)
layers = [keras.layers.Embedding(2, 1, embeddings_initializer="ones"), keras.layers.Flatten(), same]
model = keras.Sequential([keras.Input((9,), dtype="int32"), *layers])
model.compile(keras.optimizers.Adam(1.0), loss="mean_absolute_error")
model.train_on_batch(np.zeros((1, 9), "int32"), np.zeros((1, 1)))  # one token at nine places, a gradient of 1 at each

came = 1 - float(keras.ops.convert_to_numpy(layers[0].embeddings)[0, 0])
print("expected: a first step of 1, the learning rate, as it is of any gradient")
print(f"came:     {came:.4f}, as the mean is of a gradient of 9, and the mean of squares of nine gradients of 1")
raise SystemExit(0 if abs(came - 3) < 1e-3 else 1)
