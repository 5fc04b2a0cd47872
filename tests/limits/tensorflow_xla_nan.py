"""TensorFlow's XLA on the CPU drops NaN from a maximum; without XLA it is kept, and ReLU keeps it either way."""

import tensorflow as tf

values = tf.constant([1.0, float("nan"), 2.0])
plain = tf.reduce_max(values).numpy()
came = tf.function(tf.reduce_max, jit_compile=True)(values).numpy()
relu = tf.function(tf.nn.relu, jit_compile=True)(values).numpy()

print(f"expected: the maximum of 1, NaN and 2 is NaN, as it is without XLA: {plain}")
print(f"came:     {came} (ReLU of them: {relu})")
raise SystemExit(0 if came == 2 else 1)
