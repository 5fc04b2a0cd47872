"""The faults in NumPy. The oracle is made of the same files, so these are planted in it too."""

IMPORT = "from implementations.training.training_numpy import Array, Caches, Model\n"
WITH_NUMPY = (IMPORT, "import numpy as np\n" + IMPORT)
"""The page itself needs no NumPy; some faults in it do."""

RUNNING_MEAN = "    return momentum * old + (1 - momentum) * new\n"
UPDATE_STATISTICS = '                self.update_statistics(f"norm{i}", mean, variance, len(x))\n'
INV_STD = "inv_std = 1 / np.sqrt(variance + epsilon)"
MOMENTS = """    mean = z.sum(axis=0) / len(z)
    centred = z - mean
    variance = (centred * centred).sum(axis=0) / len(z)
"""
RUNNING = "    return gamma * ((z - mean) / np.sqrt(variance + epsilon)) + beta\n"
DENSE = "    z = x @ weight\n"
FORWARD_DENSE = '            h = dense.forward(x, w[f"dense{i}.weight"],'
DENSE_BIAS = 'g[f"dense{i}.bias"] = dense.backward_to_bias(dz)'
PREDICTED = "            h = relu.forward(h)\n        return self.output(h)\n"
KEPT = "    kept = rng.random(shape) >= rate\n"
SCALED = "kept.astype(dtype) / dtype.type(1 - rate)"
DRAW = "return dropout.mask(self.rng, shape, rate, self.dtype)"
SHIFTED = "    shifted = logits - logits.max(axis=-1, keepdims=True)\n"
SAMPLE_LOSSES = "    losses = np.log(total)[..., 0] - shifted[at_labels(y)]\n"
PROBABILITIES = "    return losses, exponentials / total\n"
MINUS_ONE = "    dlogits[at_labels(y)] -= 1\n"
UPDATE = "        self.update(gradients)\n"
LOSS = "        return losses.mean()\n"
VELOCITY = '    velocity = settings.momentum * slots["velocity"] + g\n'
CORRECTIONS = "correction1, correction2 = 1 - beta1**step, 1 - beta2**step"
DECAY = """    if settings.kind == "adamw" and decays:
        w = w * (1 - settings.learning_rate * settings.weight_decay)
"""
ADAM = "    return adam(w, g, slots, step, settings)\n"
ROUNDING = '__import__("implementations.equivalence.rounding", fromlist=["rounded"]).rounded'

EDITS = {
    "batch-norm momentum inverted": ((RUNNING_MEAN, "    return (1 - momentum) * old + momentum * new\n"),),
    "batch-norm momentum 0.01": ((RUNNING_MEAN, "    return 0.01 * old + (1 - 0.01) * new\n"),),
    "unbiased normalising variance": ((INV_STD, "inv_std = 1 / np.sqrt(variance * (len(z) / (len(z) - 1)) + epsilon)"),),
    "biased running variance": (('if self.spec.running_variance == "unbiased":', "if False:"),),
    "one-pass variance": ((MOMENTS, """    mean = z.sum(axis=0) / len(z)
    variance = (z * z).sum(axis=0) / len(z) - mean * mean
    centred = z - mean
"""),),
    "epsilon outside the root": ((INV_STD, "inv_std = 1 / (np.sqrt(variance) + epsilon)"),),
    "epsilon missing": ((INV_STD, "inv_std = 1 / np.sqrt(variance)"),),
    "epsilon 1e-3": ((INV_STD, "inv_std = 1 / np.sqrt(variance + 1e-3)"),),
    "epsilon missing in prediction": ((RUNNING, RUNNING.replace(" + epsilon", "")),),
    "statistics not updated": ((UPDATE_STATISTICS, ""),),
    "statistics updated twice": ((UPDATE_STATISTICS, UPDATE_STATISTICS * 2),),
    "evaluation with batch statistics": ((RUNNING, "    return gamma * ((z - z.mean(0)) / np.sqrt(z.var(0) + epsilon)) + beta\n"),),
    "batch-norm backward without its mean term": (("(dn - dbeta / len(dn) - ", "(dn - "),),
    "batch-norm backward without its variance term": ((" - z_hat * (dgamma / len(dn)))", ")"),),
    "dgamma averaged": (("return dz, dgamma, dbeta", "return dz, dgamma / len(dn), dbeta"),),
    "dropout on in evaluation": (
        (PREDICTED, """            h = relu.forward(h)
            h = dropout.forward(h, dropout.mask(np.random.default_rng(0), h.shape, self.spec.dropout, self.dtype))
        return self.output(h)
"""),
        WITH_NUMPY,
    ),
    "dropout unscaled": ((SCALED, "kept.astype(dtype)"),),
    "dropout scaled by 1/p": ((SCALED, SCALED.replace("1 - rate", "rate")),),
    "dropout keeps p": ((KEPT, KEPT.replace(">=", "<")),),
    "dropout rate halved": ((DRAW, DRAW.replace("rate", "rate / 2")),),
    "dropout backward unmasked": (("    return dh * mask\n", "    return dh\n"),),
    "mask reused": ((DRAW, DRAW.replace("self.rng", "np.random.default_rng(0)")),),
    "square weight transposed": (
        (FORWARD_DENSE, FORWARD_DENSE.replace('w[f"dense{i}.weight"],', 'w[f"dense{i}.weight"] if i == 1 else w[f"dense{i}.weight"].T,')),
    ),
    "bias gradient averaged": ((DENSE_BIAS, f"{DENSE_BIAS} / len(x)"),),
    "ReLU passes all gradients": (("    return da * (a > 0)\n", "    return da\n"),),
    "leaky ReLU": (("return np.maximum(n, 0)", "return np.maximum(n, n * 0.01)"),),
    "label off by one": ((MINUS_ONE, "    dlogits[at_labels((y + 1) % dlogits.shape[1])] -= 1\n"),),
    "label smoothing": ((MINUS_ONE, "    dlogits -= 0.01 / dlogits.shape[1]\n    dlogits[at_labels(y)] -= 0.99\n"),),
    "loss summed": ((LOSS, "        return losses.sum()\n"),),
    "gradient summed": (("return dlogits / y.size", "return dlogits"),),
    "softmax overflow": ((SHIFTED, "    shifted = logits\n"),),
    "clipped cross-entropy": (
        (SAMPLE_LOSSES + PROBABILITIES, """    p = np.maximum(exponentials / total, 1e-7)
    return -np.log(p[at_labels(y)]), p
"""),
    ),
    "stale gradient": (
        (UPDATE, """        fresh = {name: g.copy() for name, g in gradients.items()}
        self.update(getattr(self, "stale", gradients))
        self.stale = fresh
"""),
    ),
    "gradient not reset": (
        (UPDATE, """        held = {name: g + getattr(self, "held", {}).get(name, 0) for name, g in gradients.items()}
        self.held = {name: g.copy() for name, g in held.items()}
        self.update(held)
"""),
    ),
    "Nesterov": (("settings.learning_rate * velocity,", "settings.learning_rate * (g + settings.momentum * velocity),"),),
    "dampening": ((VELOCITY, VELOCITY.replace("+ g", "+ (1 - settings.momentum) * g")),),
    "Adam without bias correction": ((CORRECTIONS, "correction1, correction2 = 1.0, 1.0"),),
    "Adam's step off by one": ((CORRECTIONS, "correction1, correction2 = 1 - beta1 ** (step + 1), 1 - beta2 ** (step + 1)"),),
    "Adam with epsilon hat": (('if settings.epsilon_form == "algorithm1":', "if False:"),),
    "float32 powers of beta": (
        (CORRECTIONS, "correction1, correction2 = (float(1 - np.float32(b) ** np.float32(step)) for b in (beta1, beta2))"),
    ),
    "coupled weight decay": (
        ("        w = w * (1 - settings.learning_rate * settings.weight_decay)\n", "        g = g + settings.weight_decay * w\n"),
    ),
    "decay on biases": (('if settings.kind == "adamw" and decays:', 'if settings.kind == "adamw":'),),
    "decay after the step": (
        (DECAY + ADAM, "    w, slots = adam(w, g, slots, step, settings)\n" + DECAY + "    return w, slots\n"),
    ),
    "TF32 on": ((DENSE, f"    z = {ROUNDING}(x, 11) @ {ROUNDING}(weight, 11)\n"),),
    "silent downcast": ((DENSE, "    z = (x.astype(np.float16) @ weight.astype(np.float16)).astype(x.dtype)\n"),),
    "input overwritten": ((LOSS, '        np.multiply(batch["x"], 0.5, out=batch["x"])\n' + LOSS),),
}  # fmt: skip

ELSEWHERE: dict[str, str] = {}

GIVEN = "the oracle draws no masks, it is given them"

NOT_THE_ORACLES = {
    "dropout unscaled": GIVEN,
    "dropout scaled by 1/p": GIVEN,
    "dropout keeps p": GIVEN,
    "dropout rate halved": GIVEN,
    "mask reused": GIVEN,
}
