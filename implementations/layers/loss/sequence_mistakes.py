"""Mistakes that people make in the loss of a network that reads sequences and predicts at every step."""

from implementations.declarations import TRAINING, Edits, Mistake

LOSS = "loss/cross_entropy"

FORWARD = '        losses, p = cross_entropy.forward(logits, batch["y"])\n'
DLOGITS = 'cross_entropy.backward(p, batch["y"])'
MEAN, AT_LABELS = "        return losses.mean()\n", "    return (*np.indices(y.shape), y)\n"
TOTAL = "    total = exponentials.sum(axis=-1, keepdims=True)\n"
IN_TORCH = "logits.flatten(0, -2), y.flatten()"
IN_KERAS = "    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)\n"
LOG_P_IN_JAX = "jax.nn.log_softmax(logits)"
MEAN_IN_JAX = '    return cross_entropy.forward(logits, batch["y"]).mean(), statistics\n'


def in_keras(planted: str) -> Edits:
    """This in the place of Keras's loss, which is `stock`."""
    return ((IN_KERAS, f"""    stock, ops = keras.losses.SparseCategoricalCrossentropy(from_logits=True), keras.ops
    return lambda y, logits: {planted}
"""),)  # fmt: skip


def of(positions: str, labels: str) -> dict[str, Edits]:
    """The loss of the logits at these positions, against these labels."""
    of_jax = f'cross_entropy.forward(logits{positions}, batch["y"]{labels})'
    return {
        "numpy": (
            (FORWARD, f"""        y = batch["y"]{labels}
        losses, p = cross_entropy.forward(logits{positions}, y)
        dlogits = np.zeros_like(logits)
        dlogits{positions} = cross_entropy.backward(p, y)
""", TRAINING),
            (DLOGITS, "dlogits", TRAINING),
        ),
        "torch": ((IN_TORCH, f"logits{positions}.flatten(0, -2), y{labels}.flatten()"),),
        "keras": in_keras(f"stock(y{labels}, logits{positions})"),
        "jax": ((MEAN_IN_JAX, MEAN_IN_JAX.replace('cross_entropy.forward(logits, batch["y"])', of_jax), TRAINING),),
    }  # fmt: skip


MISTAKES = (
    Mistake("loss summed over time", "It is the mean over the sequences of the sum over the steps.", LOSS, {
        "numpy": (("    return dlogits / y.size\n", "    return dlogits / len(y)\n"), (MEAN, "        return losses.sum() / len(losses)\n", TRAINING)),
        "torch": (("y.flatten())\n", "y.flatten()) * (y.numel() / len(y))\n"),),
        "keras": in_keras("stock(y, logits) * (logits.shape[1] if len(logits.shape) == 3 else 1)"),
        "jax": ((MEAN_IN_JAX, MEAN_IN_JAX.replace("mean()", "mean() * (batch['y'].size / len(batch['y']))"), TRAINING),),
    }),
    Mistake("labels step by step", "Labels stand with the steps first, logits with the sequences.", LOSS, {
        "numpy": ((AT_LABELS, AT_LABELS.replace(", y)", ", y.T.reshape(y.shape))")),),
        "torch": (("y.flatten())\n", "y.movedim(-1, 0).flatten())\n"),),
        "keras": in_keras("stock(ops.reshape(ops.transpose(y), ops.shape(y)) if len(logits.shape) == 3 else y, logits)"),
        "jax": (("(*jnp.indices(y.shape), y)]", "(*jnp.indices(y.shape), y.T.reshape(y.shape))]"),),
    }),
    Mistake("last position left out of the loss", "Of T positions T - 1 are asked for.", LOSS, of("[:, :-1]", "[:, :-1]")),
    Mistake("labels shifted twice", "What comes next of what comes next: by the data, and by the loss again.", LOSS, of("[:, :-1]", "[:, 1:]")),
    Mistake("label 0 ignored", "What is labelled 0 counts as padding.", LOSS, {
        "numpy": (
            (FORWARD, FORWARD + '        kept = (batch["y"] != 0).astype(logits.dtype)\n', TRAINING),
            (DLOGITS, f"{DLOGITS} * (kept * (kept.size / kept.sum()))[..., None]", TRAINING),
            (MEAN, "        return (losses * kept).sum() / kept.sum()\n", TRAINING),
        ),
        "torch": ((IN_TORCH, f"{IN_TORCH}, ignore_index=0"),),
        "keras": ((IN_KERAS, IN_KERAS.replace("True)", "True, ignore_class=0)")),),
        "jax": ((MEAN_IN_JAX, """    losses, kept = cross_entropy.forward(logits, batch["y"]), batch["y"] != 0
    return (losses * kept).sum() / kept.sum(), statistics
""", TRAINING),),
    }),
    Mistake("logits of a padded vocabulary", "The classes are rounded up, and what no label names has probability too.", LOSS, {
        "numpy": ((TOTAL, TOTAL + "    total = total + 5 * np.exp(-logits.max(axis=-1, keepdims=True))\n"),),
        "torch": ((IN_TORCH, "functional.pad(logits.flatten(0, -2), (0, 5)), y.flatten()"),),
        "keras": in_keras("stock(y, ops.concatenate([logits, 0 * logits[..., :5]], -1))"),
        "jax": ((LOG_P_IN_JAX, "jax.nn.log_softmax(jnp.concatenate([logits, 0 * logits[..., :5]], -1))"),),
    }),
)  # fmt: skip
