"""Two dropout layers with seeds that differ by 1, on Keras's PyTorch backend: is each mask drawn anew?"""

import os

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np

ones = np.ones((1, 1000), "float32")
first, second = (keras.layers.Dropout(0.5, seed=seed) for seed in (1, 2))
masks = [[keras.ops.convert_to_numpy(layer(ones, training=True)) for layer in (first, second)] for _ in range(2)]
alike = float(np.mean((masks[0][1] > 0) == (masks[1][0] > 0)))
print("expected: the second layer's mask, and the first one's a step later, agree in about 50% of the units")
print(f"came:     they agree in {alike:.0%}")
raise SystemExit(0 if alike == 1 else 1)
