"""TensorFlow's GELU in float64 has 0.044715 rounded to float32 in it; Keras on TensorFlow calls it."""

import numpy as np
import tensorflow as tf

z = np.linspace(-3, 3, 601)
expected = 0.5 * z * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3)))
came = tf.nn.gelu(tf.constant(z, tf.float64), approximate=True).numpy()
off = float(np.abs(came - expected).max())
print(f"expected: {came.dtype}, off by 1e-15 at most")
print(f"came:     off by {off:.1e}")
raise SystemExit(0 if off > 1e-12 else 1)
