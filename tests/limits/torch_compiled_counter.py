"""torch.compile on a CPU loses the update of a zero-dimensional float64 tensor that is read in the same graph."""

import torch


def count(step: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    step.add_(1)
    return w * torch.exp(step)


def counted(dtype: torch.dtype) -> float:
    step, compiled = torch.zeros((), dtype=dtype), torch.compile(count, dynamic=False)
    for _ in range(2):
        compiled(step, torch.ones(50, dtype=torch.float64))
    return step.item()


came, whole = counted(torch.float64), counted(torch.int64)
print("expected: a counter of 2 after two steps")
print(f"came:     {came:g} where it is a float64 tensor, {whole} where it is an int64 tensor")
raise SystemExit(0 if came != 2 else 1)
