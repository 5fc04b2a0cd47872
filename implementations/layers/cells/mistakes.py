"""Mistakes that people make in one step of a recurrent layer: the gates of an LSTM and of a GRU, the simple cell."""

from implementations.declarations import Edits, Mistake

LSTM, GRU, TANH, RECURRENT = "cells/lstm", "cells/gru", "cells/tanh", "recurrent/recurrent"

LSTM_SPLIT = "    i, f, g, o = np.split(xw + hu, 4, axis=-1)\n"
LSTM_GATES = "    i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)\n"
C_NEW = "    c_new = f * c + i * g\n"
SQUASHED = "    squashed = np.tanh(c_new)\n"
DC = "    dc = dc + dh * o * (1 - squashed * squashed)\n"
DI_DF = "    di, df = dc * g * i * (1 - i), dc * c * f * (1 - f)\n"
DO = "dh * squashed * o * (1 - o)\n"
DC_BEFORE = "    return dz, dz, (0, dc * f)\n"
GRU_GATES = "    r, z = sigmoid(xr + hr), sigmoid(xz + hz)\n"
GRU_NEW = "    return ((1 - z) * n + z * h,), (r, z, n, hn, h)\n"
DHU = "np.concatenate([dr, dz, dn * r], axis=-1)"
DH_BEFORE = "(dh * z,)\n"
STEPPED = "cell.step(xw[:, t], hu if recurrent_bias is None else hu + recurrent_bias, memory)"

TURNED = "recurrent_weight.T"
PRODUCT_IN_JAX = "        hu = memory[0] @ recurrent_weight\n"

STEP_OF_LSTM = """    i, f, g, o = split(xw + hu, 4)
    i, f, g, o = sigmoid(i), sigmoid(f), tanh(g), sigmoid(o)
    c = f * memory[1] + i * g
    return o * tanh(c), c
"""
STEP_OF_GRU = """    (h,), (xr, xz, xn), (hr, hz, hn) = memory, split(xw, 3), split(hu, 3)
    r, z = sigmoid(xr + hr), sigmoid(xz + hz)
    n = tanh(xn + r * hn)
    return ((1 - z) * n + z * h,)
"""
STEP_OF_TANH = """    z = xw + hu
    return (tanh(z),)
"""
"""Steps written out, in words that mean the same in PyTorch, Keras and JAX; `u` and `d` are the recurrent weight and its bias."""

BENT = """    def bent(value, x, slope):  # this value, with this slope in the place of its own
        return stop(value) + (x - stop(x)) * stop(slope)

"""
WORDS_OF_TORCH = """    sigmoid, tanh, clip, stop, concatenate = torch.sigmoid, torch.tanh, torch.clip, torch.detach, torch.cat
    split = lambda a, n: a.chunk(n, -1)
"""
WORDS_OF_KERAS = """    sigmoid, tanh, clip, stop, concatenate = ops.sigmoid, ops.tanh, ops.clip, ops.stop_gradient, ops.concatenate
    split = lambda a, n: ops.split(a, n, axis=-1)
"""
WORDS_OF_JAX = """    tanh, clip, stop, concatenate = jnp.tanh, jnp.clip, jax.lax.stop_gradient, jnp.concatenate
    split = lambda a, n: jnp.split(a, n, axis=-1)
"""

LAYER_IN_TORCH = {
    "LSTM": "nn.LSTM(inputs, width, batch_first=True)",
    "GRU": "nn.GRU(inputs, width, batch_first=True)",
    "RNN": 'nn.RNN(inputs, width, nonlinearity="tanh", batch_first=True)',
}
BIASES_IN_KERAS = {
    "LSTM": "cell.bias, 0.0",
    "GRU": "blocks(cell.bias[0]), blocks(cell.bias[1])",
    "SimpleRNN": "cell.bias, 0.0",
}
FORWARD = "# --- forward ---\n"

STEP_IN_JAX = {
    "LSTM": """    _, c = memory
    i, f, g, o = jnp.split(xw + hu, 4, axis=-1)
    c = sigmoid(f) * c + sigmoid(i) * jnp.tanh(g)
    return sigmoid(o) * jnp.tanh(c), c
""",
    "GRU": """    (h,) = memory
    xr, xz, xn = jnp.split(xw, 3, axis=-1)
    hr, hz, hn = jnp.split(hu, 3, axis=-1)
    r, z = sigmoid(xr + hr), sigmoid(xz + hz)
    n = jnp.tanh(xn + r * hn)
    return ((1 - z) * n + z * h,)
""",
    "RNN": "    return (jnp.tanh(xw + hu),)\n",
}
STEPPED_IN_JAX = "        memory = cell.step(xw_t, hu if recurrent_bias is None else hu + recurrent_bias, memory)\n"


def in_torch(kind: str, step: str) -> Edits:
    """The loop written out in the place of PyTorch's, with this step."""
    made = LAYER_IN_TORCH[kind]
    return ((made, made.replace(f"nn.{kind}", "Planted")), (FORWARD, f"""def step(xw, hu, memory, u, d):
{WORDS_OF_TORCH}{BENT}{step}

class Planted(nn.{kind}):
    def forward(self, x):
        w, u, b, d = self.weight_ih_l0.T, self.weight_hh_l0.T, self.bias_ih_l0, self.bias_hh_l0
        memory, states = (x.new_zeros(len(x), self.hidden_size),) * {2 if kind == "LSTM" else 1}, []
        for t in range(x.shape[1]):
            memory = step(x[:, t] @ w + b, memory[0] @ u + d, memory, u, d)
            states.append(memory[0])
        return torch.stack(states).transpose(0, 1), None


{FORWARD}"""))  # fmt: skip


def in_keras(kind: str, step: str) -> Edits:
    """The loop written out in the place of Keras's, with this step; a GRU's blocks in the specification's order."""
    return ((f"recurrent.layer(keras.layers.{kind}, ", "recurrent.layer(Planted, "), (FORWARD, f"""def step(xw, hu, memory, u, d):
{WORDS_OF_KERAS}{BENT}{step}

def blocks(a):
    if {kind != "GRU"}:
        return a
    z, r, n = ops.split(a, 3, axis=-1)
    return ops.concatenate([r, z, n], axis=-1)


class Planted(keras.layers.{kind}):
    def call(self, sequences, initial_state=None, mask=None, training=False):
        cell, x = self.cell, sequences
        w, u, (b, d) = blocks(cell.kernel), blocks(cell.recurrent_kernel), ({BIASES_IN_KERAS[kind]})
        memory, states = (ops.zeros((ops.shape(x)[0], self.units), x.dtype),) * {2 if kind == "LSTM" else 1}, []
        for t in range(x.shape[1]):
            memory = step(ops.matmul(x[:, t], w) + b, ops.matmul(memory[0], u) + d, memory, u, d)
            states.append(memory[0])
        return ops.stack(states, axis=1) if self.return_sequences else states[-1]


{FORWARD}"""))  # fmt: skip


def in_jax(kind: str, step: str) -> Edits:
    """This step in the place of JAX's."""
    return ((STEP_IN_JAX[kind], WORDS_OF_JAX + BENT + step),)


def in_lstm(old: str, new: str) -> dict[str, Edits]:
    """The step of an LSTM with another text in it."""
    step = STEP_OF_LSTM.replace(old, new)
    return {"torch": in_torch("LSTM", step), "keras": in_keras("LSTM", step), "jax": in_jax("LSTM", step)}


def in_gru(old: str, new: str) -> dict[str, Edits]:
    """The step of a GRU with another text in it."""
    step = STEP_OF_GRU.replace(old, new)
    return {"torch": in_torch("GRU", step), "keras": in_keras("GRU", step), "jax": in_jax("GRU", step)}


def in_tanh(old: str, new: str) -> dict[str, Edits]:
    """The step of the simple cell with another text in it."""
    step = STEP_OF_TANH.replace(old, new)
    return {"torch": in_torch("RNN", step), "keras": in_keras("SimpleRNN", step), "jax": in_jax("RNN", step)}


MISTAKES = (
    Mistake("input and forget gates exchanged", "The blocks of an LSTM are taken in the order f, i, g, o.", LSTM, {
        "numpy": ((LSTM_SPLIT, LSTM_SPLIT.replace("i, f, g, o", "f, i, g, o")),),
        **in_lstm("i, f, g, o = split", "f, i, g, o = split"),
    }),
    Mistake("candidate and output gate exchanged", "The blocks of an LSTM are taken in the order i, f, o, g, as MIOpen has them.", LSTM, {
        "numpy": ((LSTM_SPLIT, LSTM_SPLIT.replace("i, f, g, o", "i, f, o, g")),),
        **in_lstm("i, f, g, o = split", "i, f, o, g = split"),
    }),
    Mistake("hard sigmoid", "The gates are straight lines between 0 and 1, as in Keras before 2.3.", LSTM, {
        "numpy": ((LSTM_GATES, "    sigmoid = lambda z: np.clip(0.2 * z + 0.5, 0, 1)\n" + LSTM_GATES),),
        **in_lstm("    i, f, g, o = sigmoid", "    sigmoid = lambda z: clip(0.2 * z + 0.5, 0, 1)\n    i, f, g, o = sigmoid"),
    }),
    Mistake("sigmoid for tanh on the candidate", "What is to be remembered goes through a sigmoid, as the gates do.", LSTM, {
        "numpy": ((LSTM_GATES, LSTM_GATES.replace("np.tanh(g)", "sigmoid(g)")),),
        **in_lstm("tanh(g)", "sigmoid(g)"),
    }),
    Mistake("no tanh on the cell state", "The cell state is handed out as it is.", LSTM, {
        "numpy": ((SQUASHED, "    squashed = c_new\n"), (DC, "    dc = dc + dh * o\n")),
        **in_lstm("tanh(c)", "c"),
    }),
    Mistake("forget gate coupled to the input gate", "What is forgotten is what is taken in: f = 1 - i.", LSTM, {
        "numpy": ((C_NEW, "    f = 1 - i\n" + C_NEW),),
        **in_lstm("c = f *", "c = (1 - i) *"),
    }),
    Mistake("forget bias added in the step", "The 1 that the bias begins with is added again at every step.", LSTM, {
        "numpy": ((LSTM_GATES, LSTM_GATES.replace("sigmoid(f)", "sigmoid(f + 1)")),),
        **in_lstm("sigmoid(f)", "sigmoid(f + 1)"),
    }),
    Mistake("slope of tanh at c itself", "1 - c^2 in the place of 1 - tanh(c)^2.", LSTM, {
        "numpy": ((DC, "    c_new = f * c + i * g\n    dc = dc + dh * o * (1 - c_new * c_new)\n"),),
        **in_lstm("tanh(c)", "bent(tanh(c), c, 1 - c * c)"),
    }),
    Mistake("slope of the output gate without 1 - o", "Half of the sigmoid's derivative is forgotten.", LSTM, {
        "numpy": ((DO, "dh * squashed * o\n"),),
        **in_lstm("tanh(g), sigmoid(o)", "tanh(g), bent(sigmoid(o), o, sigmoid(o))"),
    }),
    Mistake("cell state's gradient past the forget gate", "It goes back to the step before undamped.", LSTM, {
        "numpy": ((DC_BEFORE, "    return dz, dz, (0, dc)\n"),),
        **in_lstm("f * memory[1]", "f * stop(memory[1]) + memory[1] - stop(memory[1])"),
    }),
    Mistake("cell state's gradient not carried", "Only the state's gradient goes back to the step before.", LSTM, {
        "numpy": ((DC_BEFORE, "    return dz, dz, (0, 0)\n"),),
        **in_lstm("f * memory[1]", "f * stop(memory[1])"),
    }),
    Mistake("forget gate's gradient from the new cell state", "c_t in the place of c_(t-1).", LSTM, {
        "numpy": ((DI_DF, DI_DF.replace("dc * c * f", "dc * (f * c + i * g) * f")),),
        **in_lstm("f * memory[1]", "stop(f) * memory[1] + (f - stop(f)) * stop(f * memory[1] + i * g)"),
    }),
    Mistake("cell state clipped at 3", "What is remembered is kept between -3 and 3, as `cell_clip` did.", LSTM, {
        "numpy": ((C_NEW, "    c_new = np.clip(f * c + i * g, -3, 3)\n"),),
        **in_lstm("c = f * memory[1] + i * g", "c = clip(f * memory[1] + i * g, -3, 3)"),
    }),
    Mistake("slope of tanh at its input", "1 - z^2 in the place of 1 - tanh(z)^2, in the simple cell.", TANH, {
        "numpy": (("    return (h,), (h,)\n", "    return (h,), (xw + hu,)\n"),),
        **in_tanh("tanh(z)", "bent(tanh(z), z, 1 - z * z)"),
    }),
    Mistake("recurrent weight not transposed on the way back", "Where it is square, the gradient of the state takes it as it is.", TANH, {
        "numpy": ((TURNED, f"({TURNED} if len(recurrent_weight) < recurrent_weight.shape[1] else recurrent_weight)", RECURRENT),),
        **{family: made(kind, STEP_OF_TANH.replace("xw + hu", f"xw + hu + (memory[0] - stop(memory[0])) @ stop({turned} - u)"))
           for family, made, kind, turned in (("torch", in_torch, "RNN", "u.T"), ("keras", in_keras, "SimpleRNN", "ops.transpose(u)"))},
        "jax": ((PRODUCT_IN_JAX, PRODUCT_IN_JAX + """        if len(recurrent_weight) == recurrent_weight.shape[1]:
            hu = hu + (memory[0] - lax.stop_gradient(memory[0])) @ lax.stop_gradient(recurrent_weight.T - recurrent_weight)
""", RECURRENT),),
    }),
    Mistake("reset gate before the product", "n = tanh(x W + (r h) U), as in the paper's later versions.", GRU, {
        "numpy": ((STEPPED, STEPPED.replace("hu + recurrent_bias", "reset(cell, xw[:, t], hu, memory[0], recurrent_weight, recurrent_bias)"), RECURRENT), ("# --- backward ---\n", """
def reset(cell, xw, hu, h, u, d):
    width = h.shape[-1]
    r = sigmoid((xw + hu + d)[:, :width])
    n = (r * h) @ u[:, 2 * width :] / r
    return np.concatenate([hu[:, : 2 * width], n], axis=-1) + d


# --- backward ---
""", RECURRENT)),
        "torch": in_torch("GRU", STEP_OF_GRU.replace("r * hn", "(r * h) @ split(u, 3)[2] + split(d, 3)[2]")),
        "keras": in_keras("GRU", STEP_OF_GRU.replace("r * hn", "ops.matmul(r * h, split(u, 3)[2]) + split(d, 3)[2]")),
        "jax": ((STEPPED_IN_JAX, """        if recurrent_bias is not None:
            hu = hu + recurrent_bias
            width = hu.shape[-1] // 3
            r = jax.nn.sigmoid((xw_t + hu)[:, :width])
            hn = (r * memory[0]) @ recurrent_weight[:, 2 * width :] + recurrent_bias[2 * width :]
            hu = jnp.concatenate([hu[:, : 2 * width], hn / r], axis=-1)
        memory = cell.step(xw_t, hu, memory)
""", RECURRENT),),
    }),
    Mistake("update gate turned round", "h' = z n + (1 - z) h, as Chung et al. 2014 write it.", GRU, {
        "numpy": ((GRU_NEW, GRU_NEW.replace("(1 - z) * n + z * h", "z * n + (1 - z) * h")),),
        **in_gru("(1 - z) * n + z * h", "z * n + (1 - z) * h"),
    }),
    Mistake("reset and update gates exchanged", "The blocks of a GRU are taken in the order z, r, n, as Keras has them.", GRU, {
        "numpy": ((GRU_GATES, GRU_GATES.replace("r, z =", "z, r =")),),
        **in_gru("r, z =", "z, r ="),
    }),
    Mistake("reset gate left out on the way back", "The gradient of h U goes past the reset gate.", GRU, {
        "numpy": ((DHU, DHU.replace("dn * r", "dn")),),
        **in_gru("r * hn", "r * stop(hn) + hn - stop(hn)"),
    }),
    Mistake("recurrent bias outside of the reset gate", "n = tanh(x W + b + d + r (h U)), as with one bias.", GRU, {
        "numpy": ((STEPPED, """cell.step(
            *((xw[:, t], hu) if recurrent_bias is None else (xw[:, t] + recurrent_bias, hu)), memory
        )""", RECURRENT),),
        **{family: made("GRU", STEP_OF_GRU.replace("    n =", "    d = split(d, 3)[2]\n    n =").replace("r * hn", "d + r * (hn - d)"))
           for family, made in (("torch", in_torch), ("keras", in_keras))},
        "jax": ((STEPPED_IN_JAX, """        memory = cell.step(xw_t if recurrent_bias is None else xw_t + recurrent_bias, hu, memory)
""", RECURRENT),),
    }),
    Mistake("direct path of a GRU lost on the way back", "What z lets through of the old state brings no gradient back.", GRU, {
        "numpy": ((DH_BEFORE, "(0,)\n"),),
        **in_gru("z * h", "z * stop(h)"),
    }),
)  # fmt: skip
