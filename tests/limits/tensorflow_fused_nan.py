"""TensorFlow's graphs fuse a dense layer's product, bias and ReLU into one operation of oneDNN, which turns NaN into 0."""

import os

os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1"  # as TensorFlow itself decides on processors with AVX-512 VNNI or AMX

import numpy as np
import tensorflow as tf

x = tf.constant(np.full((3, 4), np.nan, "float32"))
weight, bias = tf.ones((4, 5)), tf.zeros(5)


def layer(x: tf.Tensor) -> tf.Tensor:
    return tf.nn.relu(tf.matmul(x, weight) + bias)


expected, came = layer(x).numpy()[0, 0], tf.function(layer)(x).numpy()[0, 0]
print(f"expected: ReLU of NaN is NaN, as it is operation by operation: {expected}")
print(f"came:     {came} in a graph")
raise SystemExit(0 if np.isnan(expected) and came == 0 else 1)
