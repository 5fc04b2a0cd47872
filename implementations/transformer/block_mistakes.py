"""Mistakes that people make in the blocks of the Transformer: what goes in, their two branches, and what is added to what."""

from implementations.declarations import Edits, Mistake

PAGE = "transformer"

START = '        h = positions.forward(self.embedded(x), self.w["positions.weight"])\n'
DROPPED = '        h, mask = self.dropped("dropout0", h, training)\n'
UNDROPPED = "        dh = dh if mask is None else dropout.backward(dh, mask)\n"
DE = '            g["embedding.weight"] = embedding.backward(dh, x, self.w["embedding.weight"])\n'
LOOP = "        for i in self.spec.numbers:\n"
LOOP_BACK = "        for i in reversed(self.spec.numbers):\n            attended, fed = blocks[i - 1]\n"
NORMED = '        n, normed = self.norm(f"attention_norm{i}", h)\n'
ATTENDED = (
    "        o, cache = attention.forward(n, self.weights_of(i), self.spec.heads, self.spec.causal, of_weights)\n"
)
DROPPED_A = '        o, mask = self.dropped(f"attention_dropout{i}", o, training)\n'
ADDED_A = "        return self.residual(h, o), (normed, cache, mask)\n"
DROPPED_F = '        u, mask = self.dropped(f"feed_forward_dropout{i}", self.dense(f"contract{i}", a), training)\n'
ADDED_A_BACK = "            dh = self.residual(dh, self.attention_backward(i, dh, attended, g))\n"
ADDED_F_BACK = "            dh = self.residual(dh, self.feed_forward_backward(i, dh, fed, g))\n"
DO = "        do = do if mask is None else dropout.backward(do, mask)\n"
DU = "        du = du if mask is None else dropout.backward(du, mask)\n"
DN = "        dn, gradients = attention.backward(do, self.weights_of(i), self.spec.heads, cache)\n"
DH = '        return self.norm_backward(f"attention_norm{i}", dn, normed, g)\n'
DZ = '        dz = gelu.backward(self.dense_backward(f"contract{i}", du, a, g), slope)\n'
GELU, SLOPE = "        a = gelu.forward(z)\n", "gelu.slope(z) if training"
ATTEND_IN_TORCH = 'self.layer("attention", i)(self.layer("attention_norm", i)(h))'
EXPAND_IN_TORCH = '        z = self.layer("expand", i)(self.layer("feed_forward_norm", i)(h))\n'
GELU_IN_TORCH = 'self.layer("gelu", i)(z)'
ATTEND_IN_KERAS = 'attention.forward(layer, self.norm(f"attention_norm{i}", h), spec.causal)'
EXPAND_IN_KERAS = '        z = dense.layer(EXPANSION * width, bias=True, name=f"expand{i}")(n)\n'
GELU_IN_KERAS = '        a = gelu.layer(self.spec.precision, name=f"gelu{i}")(z)\n'
CONTRACT_IN_KERAS = 'dense.layer(width, bias=True, name=f"contract{i}")'
NORM_IN_KERAS = "layer_norm.layer(self.number(self.spec.norm_epsilon), name=name)"
ATTENTION_NORM_IN_JAX = 'norm(f"attention_norm{i}", h, w, spec)'
ATTEND_IN_JAX = "attention.forward(n, weights, spec.heads, spec.causal, mask, spec.factors)"
EXPAND_IN_JAX = '    a = gelu.forward(dense.forward(n, w[f"expand{i}.weight"], w[f"expand{i}.bias"], spec.factors))\n'
HALF = "xp.where(xp.cumsum(xp.ones_like(a), -1) <= a.shape[-1] // 2, a, 0 * a)"
OF_FIRST = "(lambda o: (lambda b: z + (b - stop(b)))(xp.where(xp.cumsum(o, 0) == 1, 0 * o, -o) * bias))(xp.ones_like(z[:, :1, :1]))"
"""z, and all samples but the first have no part in the gradient of its bias."""


def in_all(text_of: dict[str, tuple[str, str]], body: str) -> dict[str, Edits]:
    """This in the place of a family's text, behind what its words mean there."""
    edits: dict[str, Edits] = {}
    for family, (old, words) in text_of.items():
        spaces = " " * (len(old) - len(old.lstrip()))
        edits[family] = ((old, "".join(f"{spaces}{line}\n" for line in (words + body).splitlines())),)
    return edits


_LINES = """            h = self.residual(h, self.dropped(f"attention_dropout{i}", self.attention_branch(i, h)))
            h = self.residual(h, self.dropped(f"feed_forward_dropout{i}", self.feed_forward_branch(i, h)))
"""
_WORDS = """add, attend, feed = self.residual, lambda h: self.attention_branch(i, h), lambda h: self.feed_forward_branch(i, h)
drop_a, drop_f = lambda a: self.dropped(f"attention_dropout{i}", a), lambda a: self.dropped(f"feed_forward_dropout{i}", a)
"""
BLOCKS = {
    "torch": (_LINES, _WORDS + 'bias, normed = lambda: self.layer("contract", i).bias, lambda name, h: self.layer(name, i)(h)\n'),
    "keras": (_LINES, _WORDS + "bias = lambda: self.contract.bias\n"),
    "jax": (
        """        h = residual(h, dropped(f"attention_dropout{i}", attention_branch(i, h, w, masks, spec), masks))
        h = residual(h, dropped(f"feed_forward_dropout{i}", feed_forward_branch(i, h, w, spec), masks))
""",
        """add, attend, feed = residual, lambda h: attention_branch(i, h, w, masks, spec), lambda h: feed_forward_branch(i, h, w, spec)
drop_a, drop_f = (lambda a, name=name: dropped(f"{name}_dropout{i}", a, masks) for name in ("attention", "feed_forward"))
bias, normed = lambda: w[f"contract{i}.bias"], lambda name, h: norm(f"{name}{i}", h, w, spec)
""",
    ),
}  # fmt: skip
"""The two branches of a block."""

STARTS = {
    "torch": (
        '        h = self.dropped("dropout0", positions.forward(self.positions, self.embedding(x)))\n',
        'e, placed = self.embedding(x), lambda e: positions.forward(self.positions, e)\ndrop = lambda h: self.dropped("dropout0", h)\n',
    ),
    "keras": (
        '        h = self.dropped("dropout0", positions.layer(name="positions")(h))\n',
        'e, placed, drop = h, positions.layer(name="positions"), lambda h: self.dropped("dropout0", h)\n',
    ),
    "jax": (
        '    h = positions.forward(embedded(batch["x"], w, spec), w["positions.weight"])\n    h = dropped("dropout0", h, masks)\n',
        'e, placed = embedded(batch["x"], w, spec), lambda e: positions.forward(e, w["positions.weight"])\ndrop = lambda h: dropped("dropout0", h, masks)\n',
    ),
}
"""From the embedding e to the first block."""


MISTAKES = (
    Mistake("residual dropped", "A branch takes the place of what went in.", PAGE, {
        "numpy": (("        return h + branch\n", "        return branch\n"),),
        **in_all(BLOCKS, "h = drop_a(attend(h))\nh = drop_f(feed(h))"),
    }),
    Mistake("residual's gradient dropped", "On the way back there is no way past a branch.", PAGE, {
        "numpy": (
            (ADDED_A_BACK, "            dh = self.attention_backward(i, dh, attended, g)\n"),
            (ADDED_F_BACK, "            dh = self.feed_forward_backward(i, dh, fed, g)\n"),
        ),
        **in_all(BLOCKS, "h = add(stop(h), drop_a(attend(h)))\nh = add(stop(h), drop_f(feed(h)))"),
    }),
    Mistake("residual from the normalised", "A branch is added to what its norm has made of the stream.", PAGE, {
        "numpy": (("self.residual(h, o)", "self.residual(n, o)"), ("self.residual(h, u)", "self.residual(n, u)")),
        **in_all(BLOCKS, 'h = add(normed("attention_norm", h), drop_a(attend(h)))\nh = add(normed("feed_forward_norm", h), drop_f(feed(h)))'),
        "keras": (
            (f"return {NORM_IN_KERAS}(h)", f"self.normed = {NORM_IN_KERAS}(h)\n        return self.normed"),
            ("keras.layers.Add()([h, branch])", "keras.layers.Add()([self.normed, branch])"),
        ),
    }),
    Mistake("norm behind the branch", "What attention makes of the stream is normalised, not what it reads.", PAGE, {
        "numpy": (
            (NORMED, "        n = h\n"),
            (ATTENDED, ATTENDED + '        o, normed = self.norm(f"attention_norm{i}", o)\n'),
            (DN, '        do = self.norm_backward(f"attention_norm{i}", do, normed, g)\n' + DN),
            (DH, "        return dn\n"),
        ),
        "torch": ((ATTEND_IN_TORCH, 'self.layer("attention_norm", i)(self.layer("attention", i)(h))'),),
        "keras": ((ATTEND_IN_KERAS, 'self.norm(f"attention_norm{i}", attention.forward(layer, h, spec.causal))'),),
        "jax": (
            (f"n, mask = {ATTENTION_NORM_IN_JAX}", "n, mask = h"),
            (f"return {ATTEND_IN_JAX}", f"h = {ATTEND_IN_JAX}\n    return {ATTENTION_NORM_IN_JAX}"),
        ),
    }),
    Mistake("both norms of a block share their gamma", "The second one's own is not used.", PAGE, {
        "numpy": (
            ('self.w[f"{name}.gamma"], ', 'self.w[f"{name.replace(\'feed_forward\', \'attention\')}.gamma"], '),
            ('        dh, g[f"{name}.gamma"], g[f"{name}.beta"] = layer_norm.backward(dn, cache)\n',
             """        dh, dgamma, g[f"{name}.beta"] = layer_norm.backward(dn, cache)
        name = name.replace("feed_forward", "attention")
        g[f"{name}.gamma"] = dgamma + g.get(f"{name}.gamma", 0)
"""),
        ),
        "torch": (('self.layer("feed_forward_norm", i)(h)', """nn.functional.layer_norm(
            h, h.shape[-1:], self.layer("attention_norm", i).weight, self.layer("feed_forward_norm", i).bias, self.spec.norm_epsilon
        )"""),),
        "keras": (("        return " + NORM_IN_KERAS + "(h)\n", f"""        made = {NORM_IN_KERAS}
        n = made(h)
        if name.startswith("attention"):
            self.first = made
        if name.startswith("feed_forward"):
            h = h - ops.mean(h, -1, keepdims=True)
            n = 0 * n + h / ops.sqrt(ops.mean(h * h, -1, keepdims=True) + self.spec.norm_epsilon) * self.first.gamma + made.beta
        return n
"""),),
        "jax": (('w[f"{name}.gamma"]', 'w[f"{name.replace(\'feed_forward\', \'attention\')}.gamma"]'),),
    }),
    Mistake("residual masks exchanged", "Each branch of a block is dropped by the other's mask.", PAGE, {
        "numpy": (
            (DROPPED_A, """        self.kept = self.mask(f"attention_dropout{i}.mask", o.shape, self.spec.dropout) if training and self.spec.dropout else None
        o, mask = self.dropped(f"feed_forward_dropout{i}", o, training)
"""),
            (DROPPED_F, """        u, mask = self.dense(f"contract{i}", a), self.kept
        u = u if mask is None else dropout.forward(u, mask)
"""),
        ),
        **in_all(BLOCKS, """first, second = drop_a(xp.ones_like(h)), drop_f(xp.ones_like(h))
h = add(h, attend(h) * second)
h = add(h, feed(h) * first)"""),
    }),
    Mistake("dropout on the residual stream", "What is dropped is the sum, not what a branch adds.", PAGE, {
        "numpy": (
            (DROPPED_A + ADDED_A, """        h, mask = self.dropped(f"attention_dropout{i}", self.residual(h, o), training)
        return h, (normed, cache, mask)
"""),
            (ADDED_A_BACK, "            dh = dh if attended[2] is None else dropout.backward(dh, attended[2])\n" + ADDED_A_BACK),
            (DO, ""),
        ),
        **in_all(BLOCKS, "h = drop_a(add(h, attend(h)))\nh = add(h, drop_f(feed(h)))"),
    }),
    Mistake("branch recomputed with another mask", "On the way back a checkpointed branch is computed anew, and drops anew.", PAGE, {
        "numpy": ((DU, DU.replace("mask)", 'self.mask(f"feed_forward_dropout{i}.mask", mask.shape, self.spec.dropout))')),),
        **in_all(BLOCKS, """h = add(h, drop_a(attend(h)))
u = feed(h)
u, again = drop_f(u), drop_f(u)
h = add(h, again + stop(u - again))"""),
        "keras": in_all(BLOCKS, """h = add(h, drop_a(attend(h)))
u = feed(h)
dropped = drop_f(u)
again = dropped._keras_history.operation(u)
h = add(h, again + stop(dropped - again))""")["keras"],
        "jax": "a mask is made of a key, which is an argument: what is computed anew is the same",
    }),
    Mistake("bias behind the dropout", "Of the second branch what is dropped has no bias, which is added afterwards to all.", PAGE, {
        "numpy": (
            (DROPPED_F, f"""        bias = self.w[f"contract{{i}}.bias"]
{DROPPED_F.replace("a), training", "a) - bias, training")}        u = u + bias
"""),
            (DU, "        whole = du.reshape(-1, du.shape[-1])\n" + DU),
            (DZ, DZ + '        g[f"contract{i}.bias"] = dense.backward_to_bias(whole)\n'),
        ),
        **(in_place := in_all(BLOCKS, "h = add(h, drop_a(attend(h)))\nu = feed(h)\nh = add(h, drop_f(u - bias()) + bias())")),
        "keras": (*in_place["keras"], (CONTRACT_IN_KERAS, f"(setattr(self, 'contract', {CONTRACT_IN_KERAS}), self.contract)[1]")),
    }),
    Mistake("branches side by side", "The feed-forward reads what attention reads (Wang & Komatsuzaki 2021, GPT-J).", PAGE, {
        "numpy": (
            (NORMED, NORMED + "        self.before = h\n"),
            ('self.norm(f"feed_forward_norm{i}", h)', 'self.norm(f"feed_forward_norm{i}", self.before)'),
            (ADDED_F_BACK, ADDED_F_BACK.replace("dh =", "after, dh = dh,")),
            (ADDED_A_BACK, ADDED_A_BACK.replace("(i, dh", "(i, after")),
        ),
        **in_all(BLOCKS, "before = h\nh = add(h, drop_a(attend(before)))\nh = add(h, drop_f(feed(before)))"),
    }),
    Mistake("blocks in the order of their names", "10 comes before 2.", PAGE, {
        "numpy": (
            (LOOP, LOOP.replace("self.spec.numbers", "sorted(self.spec.numbers, key=str)")),
            (LOOP_BACK, """        for i in sorted(self.spec.numbers, key=str, reverse=True):
            attended, fed = blocks.pop()
"""),
        ),
        "torch": (("for i in self.spec.numbers:", "for i in sorted(self.spec.numbers, key=str):"),),
        "keras": (("for i in spec.numbers:", "for i in sorted(spec.numbers, key=str):"),),
        "jax": (("for i in spec.numbers:", "for i in sorted(spec.numbers, key=str):"),),
    }),
    Mistake("blocks share their attention", "All blocks use the weights of the first (Lan et al. 2020).", PAGE, {
        "numpy": (
            ('[self.w[f"attention{i}.{name}"]', '[self.w[f"attention1.{name}"]'),
            ('{f"attention{i}.{name}": d for', '{f"attention1.{name}": d + g.get(f"attention1.{name}", 0) for'),
        ),
        "torch": ((ATTEND_IN_TORCH, ATTEND_IN_TORCH.replace('"attention", i', '"attention", 1')),),
        "keras": ((f"        return {ATTEND_IN_KERAS}\n", """        n = self.norm(f"attention_norm{i}", h)
        self.first = layer if i == 1 else self.first
        return attention.forward(self.first, n, spec.causal) + 0 * attention.forward(layer, n, spec.causal)
"""),),
        "jax": (('[w[f"attention{i}.{name}"]', '[w[f"attention1.{name}"]'),),
    }),
    Mistake("causal though all is given", "Of a sequence with one label a position sees only those before it.", PAGE, {
        "numpy": ((ATTENDED, ATTENDED.replace("self.spec.causal", "True")),),
        "torch": (("spec.heads, spec.causal,", "spec.heads, True,"),),
        "keras": ((ATTEND_IN_KERAS, ATTEND_IN_KERAS.replace("spec.causal", "True")),),
        "jax": ((ATTEND_IN_JAX, ATTEND_IN_JAX.replace("spec.causal", "True")),),
    }),
    Mistake("half of the hidden layer used", "The feed-forward is twice as wide as the model, not four times.", PAGE, {
        "numpy": (
            (GELU, "        half = np.arange(z.shape[-1]) < z.shape[-1] // 2\n" + GELU.replace("(z)", "(z) * half")),
            (SLOPE, SLOPE.replace("(z)", "(z) * half")),
        ),
        "torch": ((GELU_IN_TORCH, f"(lambda a: {HALF})({GELU_IN_TORCH})"),),
        "keras": ((GELU_IN_KERAS, f"{GELU_IN_KERAS}        a = {HALF}\n"),),
        "jax": ((EXPAND_IN_JAX, f"{EXPAND_IN_JAX}    a = {HALF}\n"),),
    }),
    Mistake("dropout behind GELU too", "As in `nn.TransformerEncoderLayer`.", PAGE, {
        "numpy": (
            (GELU, GELU + '        a, dropped = self.dropped(f"feed_forward_dropout{i}", a, training)\n'),
            (SLOPE, "gelu.slope(z) * (1 if dropped is None else dropped) if training"),
        ),
        "torch": ((GELU_IN_TORCH, f'self.dropped(f"feed_forward_dropout{{i}}", {GELU_IN_TORCH})'),),
        "keras": ((GELU_IN_KERAS, GELU_IN_KERAS + '        a = dropout.layer(self.spec.dropout, i, name=f"gelu_dropout{i}")(a)\n'),),
        "jax": "a mask that the specification does not name is not drawn, and a page has no key to draw it from",
    }),
    Mistake("bias gradient of one sample", "What the others say of the hidden layer's bias is not added.", PAGE, {
        "numpy": (("dense.backward_to_bias(rows)", "dense.backward_to_bias(rows[: len(rows) // len(dz)])"),),
        "torch": ((EXPAND_IN_TORCH, f'{EXPAND_IN_TORCH}        bias = self.layer("expand", i).bias\n        z = {OF_FIRST}\n'),),
        "keras": ((EXPAND_IN_KERAS, f"""        expand = dense.layer(EXPANSION * width, bias=True, name=f"expand{{i}}")
        z, bias = expand(n), expand.bias
        z = {OF_FIRST}
"""),),
        "jax": ((EXPAND_IN_JAX, f"""    bias = w[f"expand{{i}}.bias"]
    z = dense.forward(n, w[f"expand{{i}}.weight"], bias, spec.factors)
    a = gelu.forward({OF_FIRST})
"""),),
    }),
    Mistake("embedding's dropout backward unmasked", "The tables get gradients of what was dropped, too.", PAGE, {
        "numpy": ((UNDROPPED, ""),),
        **in_all(STARTS, "h = placed(e)\nh = h + stop(drop(h) - h)"),
    }),
    Mistake("no dropout of the embedding", "Only the branches are dropped.", PAGE, {
        "numpy": ((DROPPED, '        self.dropped("dropout0", h, training)\n        mask = None\n'),),
        **in_all(STARTS, "h = placed(e)\nh = h + 0 * drop(h)"),
    }),
    Mistake("embedding scaled by the root of its width", "As Vaswani et al. 2017 do, section 3.4.", PAGE, {
        "numpy": ((START, START.replace("(x)", "(x) * self.spec.width**0.5")), (DE, DE.replace("(dh", "(dh * self.spec.width**0.5"))),
        **in_all(STARTS, "h = drop(placed(e / e.shape[-1] ** -0.5))"),  # Keras calls its symbolic tensor sparse that is multiplied by a number
    }),
)  # fmt: skip
