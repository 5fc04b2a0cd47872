"""PyTorch's TransformerEncoderLayer has a fast path for predictions, which takes the exact GELU though that with tanh was given."""

import torch

torch.manual_seed(0)
layer = torch.nn.TransformerEncoderLayer(
    32, 4, 128, dropout=0.0, activation=torch.nn.GELU(approximate="tanh"), batch_first=True
).double()
x = torch.randn(4, 16, 32, dtype=torch.float64)
layer.eval()
slow = layer(x)  # gradients are recorded: the way that training takes, too
with torch.no_grad():
    fast = layer(x)
off = float((fast - slow).abs().max().detach())
print("expected: the same predictions with and without gradients, to 1e-14")
print(f"came:     off by {off:.1e}")
raise SystemExit(0 if off > 1e-6 else 1)
