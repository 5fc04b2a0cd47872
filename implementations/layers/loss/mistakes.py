"""Mistakes that people make in the loss."""

from implementations.declarations import TRAINING, Edits, Mistake

LOSS = "loss/cross_entropy"

MINUS_ONE = "    dlogits[at_labels(y)] -= 1\n"
MEAN = "        return losses.mean()\n"
GRADIENT = 'self.backward(cross_entropy.backward(p, batch["y"]), caches)'
IN_TORCH = "    return functional.cross_entropy(logits.flatten(0, -2), y.flatten())\n"
BACKWARD_IN_TORCH = "        self.backward(loss)\n"
IN_JAX = "    log_p = jax.nn.log_softmax(logits)\n"
SAMPLE_LOSSES_IN_JAX = "    return -log_p[(*jnp.indices(y.shape), y)]\n"
MEAN_IN_JAX = '    return cross_entropy.forward(logits, batch["y"]).mean(), statistics\n'


def in_keras(of_logits: str) -> Edits:
    """This in the place of Keras's loss; `label` is one-hot."""
    return (("    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)\n", f"""    ops = keras.ops

    def planted(y, logits):
        y = ops.reshape(ops.cast(y, 'int32'), ops.shape(logits)[:-1])
        label = ops.one_hot(y, logits.shape[-1], dtype=logits.dtype)
        return {of_logits}

    return planted
"""),)  # fmt: skip


SUM_IN_KERAS = "-ops.sum(label * ops.log_softmax(logits))"
MEAN_IN_KERAS = "-ops.mean(ops.sum(label * ops.log_softmax(logits), axis=-1))"
OVER_32 = f"{MEAN_IN_KERAS} * (ops.cast(ops.shape(logits)[0], logits.dtype) / 32)"

MISTAKES = (
    Mistake("label off by one", "The loss is that of the class after the label.", LOSS, {
        "numpy": ((MINUS_ONE, "    dlogits[at_labels((y + 1) % dlogits.shape[-1])] -= 1\n"),),
        "torch": (("y.flatten()", "((y + 1) % logits.shape[-1]).flatten()"),),
        "keras": in_keras(MEAN_IN_KERAS.replace("label", "ops.roll(label, 1, axis=-1)")),
        "jax": ((", y)]", ", (y + 1) % logits.shape[-1])]"),),
    }),
    Mistake("label smoothing", "A hundredth of the label is given to all classes alike.", LOSS, {
        "numpy": ((MINUS_ONE, "    dlogits -= 0.01 / dlogits.shape[-1]\n    dlogits[at_labels(y)] -= 0.99\n"),),
        "torch": (("y.flatten()", "y.flatten(), label_smoothing=0.01"),),
        "keras": in_keras(MEAN_IN_KERAS.replace("label", "(0.99 * label + 0.01 / logits.shape[-1])")),
        "jax": ((SAMPLE_LOSSES_IN_JAX, "    return -0.99 * log_p[(*jnp.indices(y.shape), y)] - 0.01 * log_p.mean(axis=-1)\n"),),
    }),
    Mistake("loss summed", "The loss is the sum over the samples.", LOSS, {
        "numpy": ((MEAN, "        return losses.sum()\n", TRAINING),),
        "torch": (("y.flatten()", 'y.flatten(), reduction="sum"'),),
        "keras": in_keras(SUM_IN_KERAS),
        "jax": ((MEAN_IN_JAX, MEAN_IN_JAX.replace("mean()", "sum()"), TRAINING),),
    }),
    Mistake("gradient summed", "The loss is the mean, its gradient that of the sum.", LOSS, {
        "numpy": (("return dlogits / y.size", "return dlogits"),),
        "torch": ((BACKWARD_IN_TORCH, '        self.backward(loss * batch["y"].numel())\n', TRAINING),),
        "keras": in_keras(f"{SUM_IN_KERAS} + ops.stop_gradient({MEAN_IN_KERAS} - {SUM_IN_KERAS})"),
        "jax": ((MEAN_IN_JAX, """    losses = cross_entropy.forward(logits, batch["y"])
    return losses.sum() + jax.lax.stop_gradient(losses.mean() - losses.sum()), statistics
""", TRAINING),),
    }),
    Mistake("softmax overflow", "The largest logit is not subtracted before the exponential.", LOSS, {
        "numpy": (("shifted = logits - logits.max(axis=-1, keepdims=True)", "shifted = logits"),),
        "torch": ((IN_TORCH, """    p = torch.exp(logits) / torch.exp(logits).sum(-1, keepdim=True)
    return -torch.log(p.gather(-1, y[..., None])).mean()
"""),),
        "keras": in_keras("-ops.mean(ops.log(ops.sum(label * ops.exp(logits), -1) / ops.sum(ops.exp(logits), -1)))"),
        "jax": ((IN_JAX, "    log_p = jnp.log(jnp.exp(logits) / jnp.exp(logits).sum(axis=-1, keepdims=True))\n"),),
    }),
    Mistake("clipped cross-entropy", "Probabilities are kept above 1e-7, as where the loss is not made from logits.", LOSS, {
        "numpy": (
            ("    losses = np.log(total)[..., 0] - shifted[at_labels(y)]\n    return losses, exponentials / total\n",
             "    p = np.maximum(exponentials / total, 1e-7)\n    return -np.log(p[at_labels(y)]), p\n"),
        ),
        "torch": ((IN_TORCH, """    p = torch.softmax(logits, -1).clamp(1e-7, 1 - 1e-7)
    return -torch.log(p.gather(-1, y[..., None])).mean()
"""),),
        "keras": in_keras("-ops.mean(ops.log(ops.clip(ops.sum(label * ops.softmax(logits), -1), 1e-7, 1 - 1e-7)))"),
        "jax": ((IN_JAX, "    log_p = jnp.log(jnp.clip(jax.nn.softmax(logits), 1e-7, 1 - 1e-7))\n"),),
    }),
    Mistake("labels through a byte", "Labels of 256 and more begin again at zero.", LOSS, {
        "numpy": ((MINUS_ONE, "    dlogits[at_labels(y.astype(np.uint8))] -= 1\n"),),
        "torch": (("y.flatten()", "y.to(torch.uint8).long().flatten()"),),
        "keras": in_keras(MEAN_IN_KERAS.replace("label", "ops.one_hot(y % 256, logits.shape[-1], dtype=logits.dtype)")),
        "jax": ((IN_JAX, IN_JAX + "    y = y.astype(jnp.uint8)\n"),),
    }),
    Mistake("gradient over the configured batch", "The gradient is divided by the batch of the specification, not by the samples that came.", LOSS, {
        "numpy": ((GRADIENT, GRADIENT.replace('batch["y"])', 'batch["y"]) * (len(batch["y"]) / self.spec.batch)'), TRAINING),),
        "torch": ((BACKWARD_IN_TORCH, '        self.backward(loss * (len(batch["y"]) / self.spec.batch))\n', TRAINING),),
        "keras": in_keras(f"{OVER_32} + ops.stop_gradient({MEAN_IN_KERAS} - {OVER_32})"),
        "jax": ((MEAN_IN_JAX, """    loss = cross_entropy.forward(logits, batch["y"]).mean()
    other = loss * (len(batch["y"]) / spec.batch)
    return other + jax.lax.stop_gradient(loss - other), statistics
""", TRAINING),),
    }),
    Mistake("loss floored at the smallest float", "No probability is below the smallest normal number of float32.", LOSS, {
        "numpy": (("shifted[at_labels(y)]\n", "shifted[at_labels(y)]\n    losses = np.minimum(losses, -float(np.log(1.1754944e-38)))\n"),),
        "torch": ((IN_TORCH, "    return functional.nll_loss(torch.log_softmax(logits, -1).clamp_min(torch.tensor(1.1754944e-38).log()).flatten(0, -2), y.flatten())\n"),),
        "keras": in_keras("-ops.mean(ops.maximum(ops.sum(label * ops.log_softmax(logits), axis=-1), -87.336544))"),
        "jax": ((IN_JAX, "    log_p = jnp.maximum(jax.nn.log_softmax(logits), jnp.log(1.1754944e-38))\n"),),
    }),
)  # fmt: skip
