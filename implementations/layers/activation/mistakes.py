"""Mistakes that people make in an activation function."""

from implementations.declarations import Edits, Mistake

RELU = "activation/relu"

IN_TORCH = "    return nn.ReLU()\n"
IN_KERAS = "    return keras.layers.ReLU(name=name)\n"
IN_JAX = "    return jax.nn.relu(n)\n"


def in_torch(forward: str) -> Edits:
    """Another function in the place of PyTorch's."""
    return ((IN_TORCH, f"""    return PlantedReLU()


class PlantedReLU(nn.ReLU):
    def forward(self, x):
        {forward}
"""),)  # fmt: skip


def in_keras(call: str) -> Edits:
    """Another function in the place of Keras's."""
    return ((IN_KERAS, f"""    return PlantedReLU(name=name)


class PlantedReLU(keras.layers.ReLU):
    def call(self, inputs, training=None):
        ops = keras.ops
        {call}
"""),)  # fmt: skip


MISTAKES = (
    Mistake("ReLU passes all gradients", "On the way back, units pass the gradient that were not active.", RELU, {
        "numpy": (("return da * (a > 0)", "return da"),),
        "torch": in_torch("return x + (nn.functional.relu(x) - x).detach()"),
        "keras": in_keras("return inputs + ops.stop_gradient(ops.relu(inputs) - inputs)"),
        "jax": ((IN_JAX, "    return n + jax.lax.stop_gradient(jax.nn.relu(n) - n)\n"),),
    }),
    Mistake("leaky ReLU", "What is below zero keeps a hundredth of itself.", RELU, {
        "numpy": (("return np.maximum(n, 0)", "return np.maximum(n, n * 0.01)"),),
        "torch": ((IN_TORCH, "    return nn.LeakyReLU(0.01)\n"),),
        "keras": ((IN_KERAS, "    return keras.layers.ReLU(negative_slope=0.01, name=name)\n"),),
        "jax": ((IN_JAX, "    return jax.nn.leaky_relu(n, 0.01)\n"),),
    }),
    Mistake("ReLU capped at 20", "What is above 20 is cut off.", RELU, {
        "numpy": (("return np.maximum(n, 0)", "return np.minimum(np.maximum(n, 0), 20)"),),
        "torch": ((IN_TORCH, "    return nn.Hardtanh(0.0, 20.0)\n"),),
        "keras": ((IN_KERAS, "    return keras.layers.ReLU(max_value=20.0, name=name)\n"),),
        "jax": ((IN_JAX, "    return jax.numpy.minimum(jax.nn.relu(n), 20)\n"),),
    }),
    Mistake("ReLU's slope 1/2 at zero", "A unit at exactly zero passes half of the gradient.", RELU, {
        "numpy": (
            ("return np.maximum(n, 0)", "return np.where(n < 0, np.asarray(-0.0, n.dtype), n)"),
            ("da * (a > 0)", "da * np.where(np.signbit(a), 0, np.where(a == 0, 0.5, 1)).astype(a.dtype)"),
        ),
        "torch": in_torch("return torch.maximum(x, torch.zeros_like(x))"),
        "keras": in_keras("return (inputs + ops.abs(inputs)) / 2"),
        "jax": ((IN_JAX, "    return jax.numpy.maximum(n, 0)\n"),),
    }),
)  # fmt: skip
