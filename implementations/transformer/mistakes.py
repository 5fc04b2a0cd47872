"""Mistakes that people make around the blocks of the Transformer: what is handed to which layer, what is made of what comes out, and weight decay."""

from implementations.declarations import TRAINING, Edits, Mistake

PAGE, ATTENTION = "transformer", "attention/attention"

NORM = '        h, normed = self.norm("norm", h)\n'
NORM_BACK = 'self.norm_backward("norm", self.output_backward(dlogits, n, g), normed, g)'
OUTPUT = 'self.dense("output", n if self.spec.causal else n.mean(axis=1))'
OF_MEAN = "dlogits, n.mean(axis=1), g)\n"
DMEAN = "        return dmean[:, None].repeat(n.shape[1], axis=1) / n.shape[1]\n"
OUTPUT_BACK = '            return self.dense_backward("output", dlogits, n, g)\n'
DE = '            g["embedding.weight"] = embedding.backward(dh, x, self.w["embedding.weight"])\n'
MEAN_IN_TORCH = "        n = self.norm(h)\n        return self.output(n if self.spec.causal else n.mean(dim=1))\n"
EMBEDDED_IN_KERAS = 'embedding.layer(spec.vocabulary, spec.width, name="embedding")'
READ_IN_KERAS = "n if self.spec.causal else keras.layers.GlobalAveragePooling1D()(n)"
OUTPUT_IN_KERAS = 'self.output(self.norm("norm", h))'
LOGITS_IN_KERAS = '        return dense.layer(self.spec.classes, bias=False, name="output")(read)\n'
NORM_IN_JAX = 'output(norm("norm", h, w, spec), w, spec)'
MEAN_IN_JAX = "n if spec.causal else n.mean(axis=1)"
OF_WEIGHTS = '        of_weights = self.mask(f"attention{i}.mask", shape, rate) if training and rate else None\n'
IN_KERAS = "    return kind(heads, width // heads"
MASK_IN_JAX = "dropout.mask(subkey, mask.shape, mask.rate, spec.dtype)"


def read(numpy: Edits, torch: str, keras: str, jax: str) -> dict[str, Edits]:
    """This in the place of the mean over the positions."""
    return {
        "numpy": numpy,
        "torch": (("n.mean(dim=1)", torch),),
        "keras": ((READ_IN_KERAS, keras),),
        "jax": ((MEAN_IN_JAX, jax),),
    }


MISTAKES = (
    Mistake("final norm left out", "The output layer reads the stream as it is.", PAGE, {
        "numpy": ((NORM, "        normed = None\n"), (NORM_BACK, "self.output_backward(dlogits, n, g)")),
        "torch": (("n = self.norm(h)", "n = h"),),
        "keras": ((OUTPUT_IN_KERAS, 'self.output(h + 0 * self.norm("norm", h))'),),
        "jax": ((NORM_IN_JAX, "output(h, w, spec)"),),
    }),
    Mistake("sum over the positions", "What the output layer should read as a mean is a sum.", PAGE, read(
        ((OUTPUT, OUTPUT.replace("mean", "sum")), (OF_MEAN, OF_MEAN.replace("mean", "sum")), (DMEAN, DMEAN.replace(" / n.shape[1]", ""))),
        "n.sum(dim=1)", "n if self.spec.causal else ops.sum(n, 1)", "n if spec.causal else n.sum(axis=1)",
    )),
    Mistake("last position read", "The output layer reads the last position, not the mean.", PAGE, read(
        (
            (OUTPUT, OUTPUT.replace("n.mean(axis=1)", "n[:, -1]")),
            (OF_MEAN, OF_MEAN.replace("n.mean(axis=1)", "n[:, -1]")),
            (DMEAN, "        dn = np.zeros_like(n)\n        dn[:, -1] = dmean\n        return dn\n"),
        ),
        "n[:, -1]", "n if self.spec.causal else n[:, -1]", "n if spec.causal else n[:, -1]",
    )),
    Mistake("mean before the final norm", "What is normalised is the mean of the positions.", PAGE, {
        "numpy": (
            (NORM, '        h, normed = self.norm("norm", h.mean(axis=1))\n'),
            (OUTPUT, 'self.dense("output", n)'),
            (OF_MEAN, "dlogits, n, g)\n"),
            (DMEAN, "        return dmean\n"),
            (NORM_BACK, f"{NORM_BACK}[:, None].repeat(self.spec.length, axis=1) / self.spec.length"),
        ),
        "torch": ((MEAN_IN_TORCH, "        return self.output(self.norm(h.mean(dim=1)))\n"),),
        "keras": ((OUTPUT_IN_KERAS, 'self.output(self.norm("norm", ops.mean(h, 1)))'), (READ_IN_KERAS, "n")),
        "jax": ((NORM_IN_JAX, 'output(norm("norm", h.mean(axis=1), w, spec), w, spec)'), (MEAN_IN_JAX, "n")),
    }),
    Mistake("tied output", "The output layer is the embedding's table, turned (GPT-2).", PAGE, {
        "numpy": (
            (OUTPUT, 'n @ self.w["embedding.weight"].T'),
            (OUTPUT_BACK, """            self.tied = dlogits.reshape(-1, dlogits.shape[-1]).T @ n.reshape(-1, n.shape[-1])
            return dlogits @ self.w["embedding.weight"]
"""),
            (DE, DE.replace(")\n", ") + self.tied\n")),
        ),
        "torch": (("return self.output(n if self.spec.causal else n.mean(dim=1))", "return n @ self.embedding.weight.T"),),
        "keras": (
            (EMBEDDED_IN_KERAS, f"(setattr(self, 'table', {EMBEDDED_IN_KERAS}), self.table)[1]"),
            (LOGITS_IN_KERAS, LOGITS_IN_KERAS[:-1] + ' * 0 + ops.einsum("bte,ve->btv", read, self.table.embeddings)\n'),
        ),
        "jax": (('w["output.weight"]', 'w["embedding.weight"].T'),),
    }),
    Mistake("labels not shifted", "What is predicted at a position is the token that stands there.", TRAINING, {
        "numpy": (('        losses, p = cross_entropy.forward(logits, batch["y"])\n',
                   '        batch = {**batch, "y": batch["x"]}\n        losses, p = cross_entropy.forward(logits, batch["y"])\n'),),
        "torch": (('self.network(batch["x"]), batch["y"])', 'self.network(batch["x"]), batch["x"].long())'),),
        "keras": (('train_on_batch(batch["x"], batch["y"])', 'train_on_batch(batch["x"], batch["x"])'),),
        "jax": (('cross_entropy.forward(logits, batch["y"]).mean()', 'cross_entropy.forward(logits, batch["x"]).mean()'),),
    }),
    Mistake("tables not decayed", "Weight decay asks for products' weights alone.", TRAINING, {
        **dict.fromkeys(("numpy", "torch"), (("tensor.decays}", 'tensor.decays and name not in ("embedding.weight", "positions.weight")}'),)),
        "keras": (('tensor.role == "parameter" and not tensor.decays]',
                   'tensor.role == "parameter" and (not tensor.decays or name in ("embedding.weight", "positions.weight"))]'),),
        "jax": (("settings, tensors[name].decays)", 'settings, tensors[name].decays and name not in ("embedding.weight", "positions.weight"))'),),
    }),
    Mistake("weights dropped in prediction too", "The rate is an argument, which evaluation mode does not switch off.", PAGE, {
        "numpy": ((OF_WEIGHTS, OF_WEIGHTS.replace("training and ", "")),),
        "torch": (("self.rate if self.training else 0.0", "self.rate", ATTENTION),),
        "keras": ((IN_KERAS, f"""    class Planted(kind):
        def _compute_attention(self, q, k, v, mask, training, *others, **named):
            return super()._compute_attention(q, k, v, mask, True, *others, **named)

{IN_KERAS.replace("kind", "Planted")}""", ATTENTION),),
        "jax": "a prediction is given nothing to draw with",
    }),
    Mistake("the residuals' rate for the weights", "One rate for all that is dropped.", PAGE, {
        "numpy": ((OF_WEIGHTS, OF_WEIGHTS.replace("shape, rate)", "shape, self.spec.dropout)").replace("and rate", "and self.spec.dropout")),),
        "torch": (("spec.causal, spec.attention_dropout)", "spec.causal, spec.dropout)"),),
        "keras": (("rate, seed = spec.attention_dropout,", "rate, seed = spec.dropout,"),),
        "jax": ((MASK_IN_JAX, MASK_IN_JAX.replace("mask.rate", "spec.dropout"), TRAINING),),
    }),
)  # fmt: skip
