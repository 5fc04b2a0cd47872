"""Mistakes that people make in the loop over time of a recurrent layer, on the way forward and back."""

from implementations.declarations import Edits, Mistake

RECURRENT = "recurrent/recurrent"

ZEROS = "    memory = (np.zeros_like(xw[:, 0, :width]),) * cell.MEMORIES\n"
PRODUCT = "        hu = memory[0] @ recurrent_weight\n"
OVER_TIME = "    for t in range(length):\n"
STATES_KEPT = "        states.append(memory[0])\n"
STACKED = "    return np.stack(states, axis=1), (x, np.stack(before, axis=1), caches)\n"
CARRIED = "        dmemory = (dmemory[0] + dhu_t @ recurrent_weight.T, *dmemory[1:])\n"
OF_XW, OF_HU = "of_xw.append(dxw_t)", "of_hu.append(dhu_t)"
DW, DU, DB, DD = "_rows(x).T @ dxw", "_rows(before).T @ dhu", "dxw.sum(axis=0)", "dhu.sum(axis=0)"
LAST, DLAST = "    return states[:, -1]\n", "    dstates[:, -1] = dh\n"

IN_TORCH = "    states, _ = layer(x)\n"
TORCH_TF32 = "(lambda a: ((a.detach().float().view(torch.int32) + 0x1000) & -0x2000).view(torch.float32).to(a.dtype) + (a - a.detach()))"

IN_KERAS = "    return kind(width, return_sequences=every, name=name)\n"
FORWARD = "# --- forward ---\n"

XW_IN_JAX = "    xw = x @ weight + bias\n"
STEPPED_IN_JAX = "        return memory, memory[0]\n"
PRODUCT_IN_JAX = "        hu = memory[0] @ recurrent_weight\n"
ZEROS_IN_JAX = "jnp.zeros((len(x), len(recurrent_weight)), xw.dtype)"
SCAN_IN_JAX = "xw.swapaxes(0, 1))\n"


def in_torch(before: str = "", after: str = "", weights: str = "w, u, b, d") -> Edits:
    """Step by step: what is done before and after a step, and the weights that it is made with."""
    return ((IN_TORCH, f"""    T, state, states, (w, u, b, d) = x.shape[1], None, [], layer._flat_weights
    each = lambda change, state: tuple(map(change, state)) if isinstance(state, tuple) else change(state)
    for t in range(T):
        if t:
            {before or "pass"}
        layer._flat_weights = [{weights}]
        h, state = layer(x[:, t : t + 1], state)
        {after or "pass"}
        states.append(h.transpose(0, 1))
    layer._flat_weights = [w, u, b, d]
    states = torch.cat(states).transpose(0, 1)
"""),)  # fmt: skip


def in_keras(
    before: str = "pass", after: str = "pass", weight: str = "w", result: str = "", memory: str = "zeros"
) -> Edits:
    """Step by step: what is done before and after a step, what each of its weights is, and what comes out."""
    return ((IN_KERAS, IN_KERAS.replace("kind(", "planted(kind)(")), (FORWARD, f"""def planted(kind):
    class Planted(kind):
        def call(self, sequences, initial_state=None, mask=None, training=False):
            x, cell, states, T, stop = sequences, self.cell, [], sequences.shape[1], ops.stop_gradient
            coarse = lambda a: ops.cast((lambda s: 4097.0 * s - (4097.0 * s - s))(ops.cast(a, "float32")), a.dtype)
            zeros = list(self.get_initial_state(ops.shape(x)[0]))
            memory = {memory}
            for t in range(T):
                {before}
                weight = lambda name, w: {weight}
                mapping = [(v, weight(v.name, ops.convert_to_tensor(v.value))) for v in cell.trainable_variables]
                with keras.StatelessScope(state_mapping=mapping):
                    h, memory = cell(x[:, t], memory)
                {after}
                states.append(h)
            states = ops.stack(states, axis=1)
            return states if self.return_sequences else {result or "states[:, -1]"}

    return Planted


{FORWARD}"""))  # fmt: skip


def in_jax(before: str = "", after: str = "") -> Edits:
    """What is done in a step before it is made, and after it; `t` is its number, of `T`."""
    return (
        (PRODUCT_IN_JAX, f"        (t, xw_t), T, stop, u = xw_t, x.shape[1], lax.stop_gradient, recurrent_weight\n{before}{PRODUCT_IN_JAX.replace('recurrent_weight', 'u')}"),
        (STEPPED_IN_JAX, after + STEPPED_IN_JAX),
        (SCAN_IN_JAX, "(jnp.arange(x.shape[1]), xw.swapaxes(0, 1)))\n"),
    )  # fmt: skip


KEPT_BY_ITSELF = "keeps by itself what it multiplied on the way forward"

MISTAKES = (
    Mistake("rows of zeros count as padding", "A step whose inputs are all zero changes nothing; in PyTorch: at a sequence's end.", RECURRENT, {
        "numpy": (
            (PRODUCT, "        past = memory\n" + PRODUCT),
            (STATES_KEPT, "        memory = tuple(np.where((x[:, t] != 0).any(axis=-1)[:, None], *pair) for pair in zip(memory, past))\n" + STATES_KEPT),
        ),
        "torch": ((IN_TORCH, """    length, rnn = x.shape[1], nn.utils.rnn
    filled = ((x != 0).any(-1) * torch.arange(1, length + 1, device=x.device)).amax(1).clamp(min=1).cpu()
    states, _ = layer(rnn.pack_padded_sequence(x, filled, batch_first=True, enforce_sorted=False))
    states, _ = rnn.pad_packed_sequence(states, total_length=length)
    states = states.transpose(0, 1)
"""),),
        "keras": ((IN_KERAS, """    class Planted(kind):
        def call(self, sequences, initial_state=None, mask=None, training=False):
            filled = keras.ops.any(keras.ops.not_equal(sequences, 0), -1)
            return super().call(sequences, initial_state=initial_state, mask=filled, training=training)

    return Planted(width, return_sequences=every, name=name)
"""),),
        "jax": (
            (PRODUCT_IN_JAX, "        (xw_t, filled), past = xw_t, memory\n" + PRODUCT_IN_JAX),
            (STEPPED_IN_JAX, "        memory = tuple(jnp.where(filled, *pair) for pair in zip(memory, past))\n" + STEPPED_IN_JAX),
            (SCAN_IN_JAX, "(xw.swapaxes(0, 1), (x != 0).any(-1, keepdims=True).swapaxes(0, 1)))\n"),
        ),
    }),
    Mistake("first step left out on the way back", "Backpropagation through time ends one step too early.", RECURRENT, {
        "numpy": ((OF_XW, "of_xw.append(dxw_t * (t > 0))"), (OF_HU, "of_hu.append(dhu_t * (t > 0))")),
        "torch": in_torch(after="h, state = (h, state) if t else (h.detach(), each(torch.detach, state))"),
        "keras": in_keras(after="h, memory = (h, memory) if t else (stop(h), [stop(m) for m in memory])"),
        "jax": ((XW_IN_JAX, XW_IN_JAX + "    xw = jnp.concatenate([lax.stop_gradient(xw[:, :1]), xw[:, 1:]], axis=1)\n"),),
    }),
    Mistake("nothing carried back through time", "A state's gradient is what its readers above say, and no more.", RECURRENT, {
        "numpy": ((CARRIED, "        dmemory = tuple(0 * d for d in dmemory)\n"),),
        "torch": in_torch("state = each(torch.detach, state)"),
        "keras": in_keras("memory = [stop(m) for m in memory]"),
        "jax": in_jax("        memory = tuple(map(stop, memory))\n"),
    }),
    Mistake("gradient cut every 32 steps", "A long sequence is gone back in pieces.", RECURRENT, {
        "numpy": ((CARRIED, CARRIED + "        dmemory = dmemory if t % 32 else tuple(0 * d for d in dmemory)\n"),),
        "torch": in_torch("state = state if t % 32 else each(torch.detach, state)"),
        "keras": in_keras("memory = memory if t % 32 else [stop(m) for m in memory]"),
        "jax": in_jax("        memory = tuple(jnp.where(t % 32 == 0, stop(m), m) for m in memory)\n"),
    }),
    Mistake("recurrent weight's gradient of the last step alone", "It is written at every step, not added up.", RECURRENT, {
        "numpy": ((DU, "before[:, -1].T @ dhu.reshape(*before.shape[:2], -1)[:, -1]"),),
        "torch": in_torch(weights="w, u if t == T - 1 else u.detach(), b, d"),
        "keras": in_keras(weight='stop(w) if name == "recurrent_kernel" and t < T - 1 else w'),
        "jax": in_jax("        u = jnp.where(t == T - 1, u, stop(u))\n"),
    }),
    Mistake("recurrent layer's bias gradient of the last step alone", "It is written at every step, not added up.", RECURRENT, {
        "numpy": ((DB, "dxw.reshape(*x.shape[:2], -1)[:, -1].sum(axis=0)"),),
        "torch": in_torch(weights="w, u, b if t == T - 1 else b.detach(), d"),
        "keras": in_keras(weight='stop(w) if name == "bias" and t < T - 1 else w'),
        "jax": ((XW_IN_JAX, """    is_last = jnp.arange(x.shape[1])[:, None] == x.shape[1] - 1
    xw = x @ weight + jnp.where(is_last, bias, lax.stop_gradient(bias))
"""),),
    }),
    Mistake("recurrent layer's gradients averaged over time", "What the steps say is averaged, not added up.", RECURRENT, {
        "numpy": ((DW, f"{DW} / x.shape[1]"), (DU, f"{DU} / x.shape[1]"), (DB, f"{DB} / x.shape[1]"), (DD, f"{DD} / x.shape[1]")),
        "torch": in_torch(weights="*(p / T + (p - p / T).detach() for p in (w, u, b, d))"),
        "keras": in_keras(weight="w / T + stop(w - w / T)"),
        "jax": ((XW_IN_JAX, """    T, stop = x.shape[1], lax.stop_gradient
    weight, recurrent_weight, bias = (p / T + stop(p - p / T) for p in (weight, recurrent_weight, bias))
""" + XW_IN_JAX),),
    }),
    Mistake("recurrent weight's gradient from the new state", "h_t in the place of h_(t-1).", RECURRENT, {
        "numpy": ((STACKED, STACKED.replace("before", "states")),),
        "torch": f"autograd {KEPT_BY_ITSELF}",
        "keras": f"the backend {KEPT_BY_ITSELF}",
        "jax": f"JAX {KEPT_BY_ITSELF}",
    }),
    Mistake("state kept between batches", "A batch begins where the one before ended.", RECURRENT, {
        "numpy": (
            (FORWARD, "KEPT = {}\n\n" + FORWARD),
            (ZEROS, ZEROS + "    memory = KEPT.get((cell.__name__, x.shape, width), memory)\n"),
            (STACKED, "    KEPT[cell.__name__, x.shape, width] = memory\n" + STACKED),
        ),
        "torch": ((IN_TORCH, """    kept = layer.kept if getattr(layer, "kept_of", None) == x.shape else None
    states, kept = layer(x, kept)
    layer.kept_of, layer.kept = x.shape, tuple(k.detach() for k in kept) if isinstance(kept, tuple) else kept.detach()
"""),),
        "keras": "its layers keep states, if told so, for batches of one size alone: another one raises",
        "jax": "nothing stays in a compiled function from one call to the next",
    }),
    Mistake("initial state of ones", "What is remembered begins with ones.", RECURRENT, {
        "numpy": ((ZEROS, ZEROS.replace("zeros", "ones")),),
        "torch": ((IN_TORCH, """    h = x.new_ones(1, len(x), layer.hidden_size)
    states, _ = layer(x, (h, h) if isinstance(layer, nn.LSTM) else h)
"""),),
        "keras": in_keras(memory="[ops.ones_like(z) for z in zeros]"),
        "jax": ((ZEROS_IN_JAX, ZEROS_IN_JAX.replace("zeros", "ones")),),
    }),
    Mistake("sequence read backwards", "The last step comes first.", RECURRENT, {
        "numpy": ((OVER_TIME, "    for t in reversed(range(length)):\n"),),
        "torch": ((IN_TORCH, "    states, _ = layer(x.flip(1))\n"),),
        "keras": ((IN_KERAS, IN_KERAS.replace("name=name", "go_backwards=True, name=name")),),
        "jax": ((SCAN_IN_JAX, "xw.swapaxes(0, 1)[::-1])\n"),),
    }),
    Mistake("last state but one", "What is read is the state before the last step.", RECURRENT, {
        "numpy": ((LAST, LAST.replace("-1", "-2")), (DLAST, DLAST.replace("-1", "-2"))),
        "torch": ((LAST, LAST.replace("-1", "-2")),),
        "keras": in_keras(result="states[:, -2]"),
        "jax": ((LAST, LAST.replace("-1", "-2")),),
    }),
    Mistake("mean over time instead of the last state", "What is read is the mean of all states.", RECURRENT, {
        "numpy": (
            (LAST, "    return states.sum(axis=1) / states.shape[1]\n"),
            (DLAST, "    dstates += dh[:, None] / length\n"),
        ),
        "torch": ((LAST, "    return states.mean(1)\n"),),
        "keras": in_keras(result="ops.mean(states, axis=1)"),
        "jax": ((LAST, "    return states.mean(1)\n"),),
    }),
    Mistake("TF32 in the recurrence", "The factors of h U keep eleven bits: the switch of recurrent layers is another than that of products.", RECURRENT, {
        "numpy": ((PRODUCT, "        hu = rounded(memory[0], 11) @ rounded(recurrent_weight, 11)\n"),),
        "cupy": "CuPy rounds factors inside cuBLAS, on a device; the effective precision is measured there",
        "torch": in_torch(
            f"state = ({TORCH_TF32}(state[0]), state[1]) if isinstance(state, tuple) else {TORCH_TF32}(state)",
            weights=f"w, {TORCH_TF32}(u), b, d",
        ),
        "keras": in_keras("memory = [coarse(memory[0]), *memory[1:]]", weight='coarse(w) if name == "recurrent_kernel" else w'),
        "jax": ((PRODUCT_IN_JAX, "        hu = lax.reduce_precision(memory[0], 8, 10) @ lax.reduce_precision(recurrent_weight, 8, 10)\n"),),
    }),
    Mistake("states in half precision", "What one step hands to the next is kept in float16.", RECURRENT, {
        "numpy": ((STATES_KEPT, "        memory = tuple(m.astype(np.float16).astype(m.dtype) for m in memory)\n" + STATES_KEPT),),
        "torch": in_torch("state = each(lambda s: s.half().to(s.dtype), state)"),
        "keras": in_keras('memory = [ops.cast(ops.cast(m, "float16"), m.dtype) for m in memory]'),
        "jax": in_jax("        memory = tuple(m.astype(jnp.float16).astype(m.dtype) for m in memory)\n"),
    }),
)  # fmt: skip
