"""PyTorch's tuned implementation on a stand-in for CUDA graphs: prints one JSON object (see `test_mlp_torch_tuned.py`)."""

import contextlib
import json
from collections.abc import Iterator
from functools import partial
from typing import Any
from unittest import mock

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from implementations.equivalence.kit import Kit
from implementations.mlp import mlp_torch_tuned
from implementations.mlp.spec import MLPSpec
from tests.support import adapters
from tests.support.batches import samples
from tests.support.mlp.cases import CASES, QUICK, SMALL

COUNTS = {"captures": 0, "replays": 0}


class Tape(TorchDispatchMode):
    """Writes down every operation, and what it is about to change, so that this can be put back."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[Any, tuple, dict, Any]] = []
        self.before: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        for argument, value in zip(func._schema.arguments, args, strict=False):
            if argument.alias_info and argument.alias_info.is_write and id(value) not in self.before:
                self.before[id(value)] = value, value.clone()
        result = func(*args, **(kwargs or {}))
        self.calls.append((func, args, kwargs or {}, result))
        return result


class CUDAGraph:
    """In the place of `torch.cuda.CUDAGraph`."""

    tape: Tape

    def replay(self) -> None:
        COUNTS["replays"] += 1
        for func, args, kwargs, result in self.tape.calls:
            again = func(*args, **kwargs)
            for old, new in zip(tree_leaves(result), tree_leaves(again), strict=True):
                if isinstance(old, torch.Tensor):
                    old.copy_(new)


@contextlib.contextmanager
def graph(made: CUDAGraph) -> Iterator[None]:
    """In the place of `torch.cuda.graph`: nothing that is captured is done."""
    COUNTS["captures"] += 1
    made.tape = Tape()
    with made.tape:
        yield
    for tensor, value in made.tape.before.values():
        tensor.copy_(value)


@contextlib.contextmanager
def stand_in() -> Iterator[None]:
    """PyTorch with these, with streams that do nothing, and without its compiler, which would hide the operations."""
    streams: dict[str, Any] = {
        "Stream": mock.MagicMock,
        "current_stream": mock.MagicMock,
        "stream": contextlib.nullcontext,
    }
    with (
        mock.patch.multiple(torch.cuda, CUDAGraph=CUDAGraph, graph=graph, **streams),
        mock.patch.object(torch, "compile", lambda function, **options: function),
    ):
        yield


class CapturedMLP(mlp_torch_tuned.TunedMLP):
    """As on a GPU."""

    def __init__(self, spec: MLPSpec, device: str = "cpu") -> None:
        super().__init__(spec, device)
        self.captures = True


def failed(kit: Kit, spec: MLPSpec) -> tuple[list[str], int]:
    """What is wrong in steps from all starts and in a run of steps; and how much was asked."""
    candidate = kit.candidate(spec)
    checks = [*kit.steps(candidate, [*kit.starts(spec), *kit.stress_starts(spec)]), *kit.trajectory(candidate, 3)]
    checks += kit.any_number_of_samples(candidate)
    return [f"{check.check}, {check.group}: {check.tensor}" for check in checks if not check.passed], len(checks)


def not_copied(self: Any, *inputs: torch.Tensor) -> torch.Tensor:
    """A graph that goes on with the first batch."""
    self.graph.replay()
    return self.result.clone()


def elsewhere(self: Any, generator: torch.Generator) -> list[torch.Tensor]:
    """Random numbers in other memory than the graph's."""
    self.numbers.uniform_(generator=generator)
    return [numbers.clone() for numbers in self.uniform]


def moved_on(init: Any) -> Any:
    """A graph whose first steps stay done."""
    return lambda self, function, moving, *inputs: init(self, function, [], *inputs)


def main() -> None:
    """All of it."""
    kit = adapters.kit("torch")
    kit.model_class = CapturedMLP
    spec = MLPSpec().changed(**SMALL)
    faults = {
        "inputs not copied": (mlp_torch_tuned.Graph, "__call__", not_copied),
        "random numbers elsewhere": (mlp_torch_tuned.Room, "draw", elsewhere),
        "what moved is not put back": (mlp_torch_tuned.Graph, "__init__", moved_on(mlp_torch_tuned.Graph.__init__)),
    }
    with stand_in():
        trained(kit, spec)
        counts = dict(COUNTS)
        proofs = {case: failed(kit, MLPSpec().changed(**SMALL | CASES[case])) for case in QUICK}
        noticed = {}
        for fault, (owner, name, what) in faults.items():
            with mock.patch.object(owner, name, what):
                noticed[fault] = failed(kit, spec)[0]
    wrong = [f"{case}: {check}" for case, (checks, _) in proofs.items() for check in checks]
    asked = sum(count for _, count in proofs.values())
    same = same_compiled(kit, spec)
    print(json.dumps(counts | {"checks": asked, "failed": wrong, "noticed": noticed, "prediction compiled": same}))


def same_compiled(kit: Kit, spec: MLPSpec) -> bool:
    """Whether a prediction, which only GPUs compile, is one graph for PyTorch's compiler, and the same numbers traced."""
    model: Any = kit.model_class(spec)
    start = kit.starts(spec)[0]
    x = kit.candidate(spec, model).batch(start.batch)["x"]
    model.load_state(start.state)
    predict = partial(mlp_torch_tuned.predict, spec=spec)
    traced = torch.compile(predict, fullgraph=True, dynamic=False, backend="aot_eager")
    with torch.no_grad():
        return torch.equal(traced(model.w, x), predict(model.w, x))


def trained(kit: Kit, spec: MLPSpec) -> None:
    """Five steps, and predictions of two sizes after each."""
    model: Any = kit.model_class(spec)
    start = kit.starts(spec)[0]
    batch = kit.candidate(spec, model).batch(start.batch)
    model.load_state(start.state)
    for _ in range(5):
        model.train_step(batch)
        model.predict(batch)
        model.predict(samples(batch, slice(1)))


if __name__ == "__main__":
    main()
