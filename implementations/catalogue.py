"""The one table of frameworks, and of the well-known code that is timed beside them. Names and numbers only: it imports nothing.

A framework's order here is its order everywhere.
"""

from typing import NamedTuple

MODEL = "mlp"
"""The network where none is asked for."""


class Framework(NamedTuple):
    """What is to be known of a framework without importing it."""

    title: str
    """Its own spelling."""

    family: str
    """The files it is written in."""

    packages: tuple[str, ...]
    """Import packages that must be there."""

    devices: tuple[str, ...] = ("cpu", "cuda")
    precisions: tuple[str, ...] = ()
    """The coarse ones that it offers, beside float64 and float32."""

    start_s: float = 5.0
    """Until a process has imported it, on a slow two-core machine; for estimates only, as is the next."""

    compile_s: tuple[float, float] = (0.0, 0.0)
    """To compile the step of one size, plain and tuned."""


FRAMEWORKS = {
    "numpy": Framework("NumPy", "numpy", ("numpy",), ("cpu",), start_s=1.0),
    "cupy": Framework("CuPy", "cupy", ("cupy",), ("cuda",), ("tf32",), start_s=4.0),
    "torch": Framework(
        "PyTorch", "torch", ("torch",), precisions=("tf32", "bfloat16"), start_s=4.0, compile_s=(0.0, 12.0)
    ),
    "jax": Framework("JAX", "jax", ("jax",), precisions=("tf32", "bfloat16"), start_s=2.0, compile_s=(0.6, 0.6)),
    # In bfloat16 it drops at another rate: `limits`.
    "keras-tensorflow": Framework(
        "Keras-TensorFlow", "keras", ("keras", "tensorflow"), precisions=("tf32",), start_s=9.0, compile_s=(0.6, 0.6)
    ),
    "keras-torch": Framework(
        "Keras-PyTorch", "keras", ("keras", "torch"), precisions=("tf32", "bfloat16"), start_s=9.0
    ),
    "keras-jax": Framework(
        "Keras-JAX", "keras", ("keras", "jax"), precisions=("tf32", "bfloat16"), start_s=6.0, compile_s=(1.2, 1.2)
    ),
}


class Peer(NamedTuple):
    """Well-known code for a similar network, timed beside the others on request; not the same network, so never ranked."""

    title: str
    framework: str
    """Whose adapter it runs on."""

    place: str
    """Module in the model's folder, and class."""

    packages: tuple[str, ...]
    phases: tuple[str, ...] = ("train_step",)


PEERS = {
    "scikit-learn": Peer("scikit-learn", "numpy", "peer_sklearn:Peer", ("sklearn",)),
    "peer-torch": Peer("PyTorch by the book", "torch", "peer_torch:Eager", ("torch",), ("train_step", "epoch")),
    "peer-torch-compiled": Peer(
        "PyTorch by the book, compiled", "torch", "peer_torch:Compiled", ("torch",), ("train_step", "epoch")
    ),
    "peer-keras-fit": Peer("Keras fit", "keras-tensorflow", "peer_keras:Fit", ("keras", "tensorflow"), ("epoch",)),
}


def title(name: str) -> str:
    """A framework's or a peer's own spelling; a name from elsewhere as it is."""
    known = FRAMEWORKS.get(name) or PEERS.get(name)
    return known.title if known else name


def offering(precision: str) -> tuple[str, ...]:
    """The frameworks that offer a coarse precision."""
    return tuple(name for name, framework in FRAMEWORKS.items() if precision in framework.precisions)
