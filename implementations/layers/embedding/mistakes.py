"""Mistakes that people make in an embedding."""

from implementations.declarations import TRAINING, Edits, Mistake

EMBEDDING = "embedding/embedding"

ROWS, ADDED = "    return weight[x]\n", "    np.add.at(dweight, x, de)\n"
IN_TORCH = "nn.Embedding(vocabulary, width)"
IN_KERAS = "keras.layers.Embedding(vocabulary, width, name=name)"
FORWARD = "# --- forward ---\n"
OPTIMIZER = "optimizer/optimizer"
UPDATED = "            self.w[name], slots = optimizer.update(self.w[name], g, slots, self.step, self.spec.optimizer, decays)\n"
UPDATED_IN_TORCH = "        optimizer.update(self.optimizer, self.step, self.spec.optimizer)\n"
UPDATED_IN_KERAS = (
    "        return super().apply([embedding.summed(gradient) for gradient in grads], trainable_variables)\n"
)
UPDATED_IN_JAX = "        w, of_w = optimizer.update(parameters[name], g, of_w, step, settings, tensors[name].decays)\n"

WORDS_OF_TORCH = "byte, cast = lambda a: a.to(torch.uint8).int(), lambda a, kind: a.to(kind)"
WORDS_OF_KERAS = "byte, cast = lambda a: a % 256, ops.cast"
WORDS_OF_JAX = "byte, cast = lambda a: a.astype('uint8'), lambda a, kind: a.astype(kind)"


def in_all(then: str = "pass", before: str = "pass") -> dict[str, Edits]:
    """What is done to the tokens x before, and to their rows e behind them, in words that mean the same in PyTorch, Keras and JAX."""
    modules = {
        family: f"""class Planted({kind}):
    def {call}:
        {words}
        {before}
        e = super().{call.replace("self, ", "")}
        {then}
        return e


{FORWARD}"""
        for family, kind, call, words in (
            ("torch", "nn.Embedding", "forward(self, x)", WORDS_OF_TORCH),
            ("keras", "keras.layers.Embedding", "call(self, x)", WORDS_OF_KERAS),
        )
    }
    return {
        "torch": ((IN_TORCH, IN_TORCH.replace("nn.Embedding", "Planted")), (FORWARD, modules["torch"])),
        "keras": ((IN_KERAS, IN_KERAS.replace("keras.layers.Embedding", "Planted")), (FORWARD, modules["keras"])),
        "jax": ((ROWS, f"    {WORDS_OF_JAX}\n    {before}\n    e = weight[x]\n    {then}\n    return e\n"),),
    }


SAME = "(lambda f: cast(f[:, None] == f[None], e.dtype))(xp.reshape(x, (-1,)))"
"""Of two places (B T, B T), whether the same token stands there."""

MISTAKES = (
    Mistake("embedding's gradient assigned, not added", "Of a token that stands in several places the last one counts.", EMBEDDING, {
        "numpy": ((ADDED, "    dweight[x] = de\n"),),
        **in_all(f"e = xp.where(xp.reshape(xp.sum(xp.triu({SAME}, 1), 1) == 0, e.shape[:-1] if e.shape[0] else (-1, e.shape[1]))[..., None], e, stop(e))"),
    }),
    Mistake("gradient of a token averaged over its places", "A row's gradient is divided by how often its token stands in the batch.", EMBEDDING, {
        "numpy": ((ADDED, ADDED + "    dweight = dweight / np.maximum(np.bincount(x.ravel(), minlength=len(weight)), 1)[:, None].astype(dweight.dtype)\n"),),
        "torch": ((IN_TORCH, IN_TORCH.replace("width)", "width, scale_grad_by_freq=True)")),),
        **{family: edits for family, edits in in_all(
            f"n = xp.reshape(xp.sum({SAME}, 1), (-1, e.shape[1], 1)); e = e / n + stop(e - e / n)"
        ).items() if family != "torch"},
    }),
    Mistake("rows of absent tokens left alone", "Their momentum, moments and decay wait, as those of sparse optimizers do.", EMBEDDING, {
        "numpy": ((UPDATED, f"""            w, kept = self.w[name], slots
{UPDATED}            if name == "embedding.weight":
                there = (g != 0).any(axis=-1, keepdims=True)
                self.w[name] = np.where(there, self.w[name], w)
                slots = {{slot: np.where(there, value, kept[slot]) for slot, value in slots.items()}}
""", TRAINING),),
        "torch": ((UPDATED_IN_TORCH, f"""        table = self._tensor("embedding.weight")[2]
        absent = (table.grad == 0).all(-1, keepdim=True)
        kept = [(t.data, t.data.clone()) for t in (table, *self.optimizer.state[table].values()) if t.ndim]
{UPDATED_IN_TORCH}        for tensor, old in kept:
            tensor.copy_(torch.where(absent, old, tensor))
""", TRAINING),),
        "keras": ((UPDATED_IN_KERAS, """        grads, kept = [embedding.summed(gradient) for gradient in grads], []
        for gradient, variable in zip(grads, trainable_variables or self._trainable_variables):
            if variable.name == "embeddings":
                absent, index = ops.all(gradient == 0, -1, keepdims=True), self._get_variable_index(variable)
                slots = [getattr(self, name)[index] for name in NAMES.values() if name != "iterations" and getattr(self, name, None)]
                kept += [(tensor, tensor + 0, absent) for tensor in (variable, *slots)]
        super().apply(grads, trainable_variables)
        for tensor, old, absent in kept:
            tensor.assign(ops.where(absent, old, ops.convert_to_tensor(tensor)))
""", OPTIMIZER),),
        "jax": ((UPDATED_IN_JAX, UPDATED_IN_JAX + """        if name == "embedding.weight":
            there = (g != 0).any(-1, keepdims=True)
            w = jax.numpy.where(there, w, parameters[name])
            of_w = {slot: jax.numpy.where(there, value, slots[f"{slot}:{name}"]) for slot, value in of_w.items()}
""", TRAINING),),
    }),
    Mistake("padding token 0 not trained", "Token 0 counts as padding: its row gets no gradient.", EMBEDDING, {
        "numpy": ((ADDED, ADDED + "    dweight[0] = 0\n"),),
        "torch": ((IN_TORCH, IN_TORCH.replace("width)", "width, padding_idx=0)")),),
        **{family: edits for family, edits in in_all("e = xp.where((x == 0)[..., None], stop(e), e)").items() if family != "torch"},
    }),
    Mistake("tokens through a byte", "Tokens of 256 and more begin again at zero.", EMBEDDING, {
        "numpy": ((ROWS, "    return weight[x.astype(np.uint8)]\n"),),
        **in_all(before="x = byte(x)"),
    }),
    Mistake("rows of an embedding at most 100 long", "Longer ones are shortened when they are looked up, as `max_norm` does.", EMBEDDING, {
        "numpy": ((ROWS, """    rows = weight[x]
    return rows * (100 / np.maximum(np.sqrt((rows * rows).sum(axis=-1)), 100))[..., None]
"""),),
        "torch": ((IN_TORCH, IN_TORCH.replace("width)", "width, max_norm=100.0)")),),
        **{family: edits for family, edits in in_all(
            "e = e * (100 / xp.maximum(xp.sqrt(xp.sum(e * e, -1)), 100))[..., None]"
        ).items() if family != "torch"},
    }),
)  # fmt: skip
