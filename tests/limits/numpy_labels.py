"""NumPy counts a negative index from the end: the label -1 is the last class."""

import numpy as np

log_probabilities = np.log([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1]])
print("expected: an error")
try:
    came = -log_probabilities[np.arange(2), [0, -1]].mean()
except IndexError as refusal:
    print(f"came:     {refusal}")
    raise SystemExit(1) from None
print(f"came:     a loss of {came:.3f}, as if the second label were 2")
raise SystemExit(0 if np.isfinite(came) else 1)
