"""What PyTorch computes a layer with, by listening to it: a switch says what may be, not what is."""

from collections.abc import Callable, Mapping
from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode


class Listener(TorchDispatchMode):
    """Notes the names of all operations."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: set[str] = set()

    def __torch_dispatch__(self, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.heard.add(str(operation).rpartition(".")[0])
        return operation(*args, **(kwargs or {}))


def of(call: Callable[[], object], names: Mapping[str, str], otherwise: str) -> str:
    """Whose of these operations (PyTorch's name -> whose it is) the call uses."""
    with Listener() as listener:
        call()
    return next((whose for operation, whose in names.items() if operation in listener.heard), otherwise)
