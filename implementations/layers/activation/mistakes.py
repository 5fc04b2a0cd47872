"""Mistakes that people make in an activation function."""

from implementations.declarations import Edits, Mistake

RELU, GELU = "activation/relu", "activation/gelu"

IN_TORCH = "    return nn.ReLU()\n"
IN_KERAS = "    return keras.layers.ReLU(name=name)\n"
IN_JAX = "    return jax.nn.relu(n)\n"

BENT, BENT_OUT = "np.tanh(SCALE * (z + 0.044715 * z * z * z))", "0.5 * z * (1 + bent(z))"
CUBICS_SLOPE = "(SCALE * (1 + 3 * 0.044715 * z * z))"
SLOPE = f"    t = bent(z)\n    return 0.5 * (1 + t) + 0.5 * z * (1 - t * t) * {CUBICS_SLOPE}\n"
GELU_IN_TORCH = 'nn.GELU(approximate="tanh")'
GELU_IN_KERAS = 'written_out if precision == "float64" else forward'
GELU_IN_JAX = "jax.nn.gelu(z, approximate=True)"
FORWARD = "# --- forward ---\n"
WITH = "0.5 * z * (1 + xp.tanh(0.7978845608028654 * (z + {})))"
ROUNDED = "0.044714998453855515"
SIGMOID = "1 / (1 + np.exp(-1.702 * z))"


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


def gelu(a: str) -> dict[str, Edits]:
    """This in the place of GELU, in words that mean the same in PyTorch, Keras and JAX."""
    in_torch = f"""class Planted(nn.GELU):
    def forward(self, z):
        return {a}


{FORWARD}"""
    return {
        "torch": ((GELU_IN_TORCH, "Planted()"), (FORWARD, in_torch)),
        "keras": ((GELU_IN_KERAS, f"lambda z: {a}"),),
        "jax": ((GELU_IN_JAX, a),),
    }


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
    Mistake("exact GELU", "The error function, as in PyTorch and Keras without being told otherwise.", GELU, {
        "numpy": (
            (BENT, "erf(z / math.sqrt(2))"),
            (SLOPE, "    return 0.5 * (1 + bent(z)) + z * np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)\n"),
            (FORWARD, "from scipy.special import erf\n\n" + FORWARD),
        ),
        "torch": ((GELU_IN_TORCH, "nn.GELU()"),),
        "keras": ((GELU_IN_KERAS, "keras.activations.get('gelu')"),),
        "jax": ((GELU_IN_JAX, "jax.nn.gelu(z, approximate=False)"),),
    }),
    Mistake("GELU by a sigmoid", "z sigmoid(1.702 z), the other approximation of the paper.", GELU, {
        "numpy": (
            (BENT_OUT, f"z * ({SIGMOID})"),
            (SLOPE, f"    s = {SIGMOID}\n    return s + 1.702 * z * s * (1 - s)\n"),
        ),
        **gelu("z / (1 + xp.exp(-1.702 * z))"),
    }),
    Mistake("GELU's slope without the cubic's part", "On the way back 0.044715 z^3 counts as a constant.", GELU, {
        "numpy": ((CUBICS_SLOPE, "SCALE"),),
        **gelu(WITH.format("stop(0.044715 * z * z * z)")),
    }),
    Mistake("0.044715 as float32", "The constant is rounded, as TensorFlow's is.", GELU, {
        "numpy": tuple((old, old.replace("0.044715", ROUNDED)) for old in (BENT, CUBICS_SLOPE)),
        **gelu(WITH.format(f"{ROUNDED} * z * z * z")),
    }),
    Mistake("ReLU for GELU", "The activation is that of the perceptron.", GELU, {
        "numpy": ((BENT_OUT, "np.maximum(z, 0)"), (SLOPE, "    return (z > 0).astype(z.dtype)\n")),
        **gelu("xp.where(z > 0, z, 0 * z)"),
    }),
    Mistake("GELU's cube a square", "0.044715 z^2 for 0.044715 z^3.", GELU, {
        "numpy": ((BENT, BENT.replace("z * z * z", "z * z")), (CUBICS_SLOPE, "(SCALE * (1 + 2 * 0.044715 * z))")),
        **gelu(WITH.format("0.044715 * z * z")),
    }),
)  # fmt: skip
