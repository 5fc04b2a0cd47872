"""PyTorch's attention on the CPU computes its weights anew on the way back, and errs there in proportion to the scores."""

import torch

print("expected: the values' gradient, to 1e-6")
for scale in (30, 1000):
    torch.manual_seed(0)
    q, k, v, d = (torch.randn(1, 1, 33, 6) for _ in range(4))
    v.requires_grad_()
    q, k = scale * q, scale * k
    attention = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
    (came,) = torch.autograd.grad(attention, v, d)
    scores = (q.double() @ k.double().mT) / 6**0.5
    weights = torch.softmax(scores.masked_fill(torch.ones(33, 33).triu(1) > 0, -torch.inf), -1)
    off = float((came - weights.mT @ d.double()).abs().max())
    print(f"came:     off by {off:.1g}, where the largest score is {float(scores.abs().max()):.1g}")
raise SystemExit(0 if off > 1e-2 else 1)
