"""PyTorch's batch norm adds a batch row after row in float32, per thread; `torch.mean` adds in pairs and is right."""

import torch

torch.set_num_threads(1)


def error(rows: int) -> float:
    layer = torch.nn.BatchNorm1d(2, momentum=1.0)
    layer(torch.full((rows, 2), 0.1))
    return abs(layer.running_mean[0].item() / 0.1 - 1)


print("expected: a mean of 0.1, to within 0.0001%, of however many rows of 0.1")
print(f"came:     {error(2_048):.4%} off for 2,048 rows, {error(1_000_000):.1%} for 1,000,000")
print(f"          torch.mean: {torch.full((1_000_000, 2), 0.1).mean(dim=0)[0].item() / 0.1 - 1:.5%} for 1,000,000")
raise SystemExit(0 if error(1_000_000) > 1e-4 else 1)
