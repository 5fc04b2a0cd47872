"""The faults in NumPy. The oracle is the same file, so these are planted in it too."""

STATISTICS = """            self.w[name] *= self.spec.norm_momentum
            self.w[name] += (1 - self.spec.norm_momentum) * new
"""
UPDATE_STATISTICS = "                self._update_statistics(i, mean, variance, len(x))\n"
INV_STD = "inv_std = 1 / np.sqrt(variance + epsilon)"
MOMENTS = """    mean = z.sum(axis=0) / len(z)
    z_hat = np.subtract(z, mean, out=z)  # z is not needed again
    variance = np.einsum("bh,bh->h", z_hat, z_hat) / len(z)
"""
RUNNING = "    return gamma * ((z - mean) / np.sqrt(variance + epsilon)) + beta\n"
DENSE = "    z = x @ weight\n"
FORWARD_DENSE = """            h = dense(h, w[f"dense{i}.weight"], w.get(f"dense{i}.bias"))
            z_hat = inv_std = mask = None
"""
PREDICTED = "            h = relu(h)\n        return output"
DRAW = "return dropout_mask(self.rng, shape, self.spec.dropout, self.dtype)"
SHIFTED = "    shifted = logits - logits.max(axis=1, keepdims=True)\n"
SAMPLE_LOSSES = "    return -log_p[np.arange(len(y)), y], log_p\n"
MINUS_ONE = "    dlogits[np.arange(len(y)), y] -= 1\n"
UPDATE = "        self.update(gradients)\n"
LOSS = "        return losses.mean()\n"
CORRECTIONS = "correction1, correction2 = 1 - beta1**step, 1 - beta2**step"
DECAY = """            if optimizer.kind == "adamw" and name.endswith(".weight"):
                w *= 1 - optimizer.learning_rate * optimizer.weight_decay
"""
ADAM = '            adam(w, g, self.w[f"m:{name}"], self.w[f"v:{name}"], self.step, optimizer)\n'
ROUNDING = '__import__("implementations.equivalence.rounding", fromlist=["rounded"]).rounded'

EDITS = {
    "batch-norm momentum inverted": (
        (STATISTICS, STATISTICS.replace("*= self.spec", "*= 1 - self.spec").replace("(1 - self.spec.norm_momentum)", "self.spec.norm_momentum")),
    ),
    "batch-norm momentum 0.01": (
        (STATISTICS, STATISTICS.replace("self.spec.norm_momentum", "0.01")),
    ),
    "unbiased normalising variance": ((INV_STD, "inv_std = 1 / np.sqrt(variance * (len(z) / (len(z) - 1)) + epsilon)"),),
    "biased running variance": (('if self.spec.running_variance == "unbiased":', "if False:"),),
    "one-pass variance": ((MOMENTS, """    mean = z.sum(axis=0) / len(z)
    variance = (z * z).sum(axis=0) / len(z) - mean * mean
    z_hat = np.subtract(z, mean, out=z)
"""),),
    "epsilon outside the root": ((INV_STD, "inv_std = 1 / (np.sqrt(variance) + epsilon)"),),
    "epsilon missing": ((INV_STD, "inv_std = 1 / np.sqrt(variance)"),),
    "epsilon 1e-3": ((INV_STD, "inv_std = 1 / np.sqrt(variance + 1e-3)"),),
    "epsilon missing in prediction": ((RUNNING, RUNNING.replace(" + epsilon", "")),),
    "statistics not updated": ((UPDATE_STATISTICS, ""),),
    "statistics updated twice": ((UPDATE_STATISTICS, UPDATE_STATISTICS * 2),),
    "evaluation with batch statistics": ((RUNNING, "    return gamma * ((z - z.mean(0)) / np.sqrt(z.var(0) + epsilon)) + beta\n"),),
    "batch-norm backward without its mean term": (("    dz -= dbeta / len(dn)\n", ""),),
    "batch-norm backward without its variance term": (("    dz -= z_hat\n", ""),),
    "dgamma averaged": (("    z_hat *= dgamma / len(dn)\n", "    z_hat *= dgamma / len(dn)\n    dgamma /= len(dn)\n"),),
    "dropout on in evaluation": (
        (PREDICTED, "            h = relu(h) * dropout_mask(np.random.default_rng(0), h.shape, self.spec.dropout, self.dtype)\n        return output"),
    ),
    "dropout unscaled": (("1 / (1 - rate), dtype", "1, dtype"),),
    "dropout scaled by 1/p": (("1 / (1 - rate), dtype", "1 / rate, dtype"),),
    "dropout keeps p": (("kept = bits >=", "kept = bits <"),),
    "dropout rate halved": ((DRAW, DRAW.replace("self.spec.dropout", "self.spec.dropout / 2")),),
    "dropout backward unmasked": (("    dh *= mask\n", ""),),
    "mask reused": ((DRAW, DRAW.replace("self.rng", "np.random.default_rng(0)")),),
    "square weight transposed": (
        (FORWARD_DENSE, FORWARD_DENSE.replace('w[f"dense{i}.weight"],', 'w[f"dense{i}.weight"] if i == 1 else w[f"dense{i}.weight"].T,')),
    ),
    "bias gradient averaged": (('gradients[f"dense{i}.bias"] = dh.sum(axis=0)', 'gradients[f"dense{i}.bias"] = dh.mean(axis=0)'),),
    "ReLU passes all gradients": (("    da *= a > 0\n", ""),),
    "leaky ReLU": (("return np.maximum(n, 0)", "return np.maximum(n, n * 0.01)"),),
    "label off by one": ((MINUS_ONE, "    dlogits[np.arange(len(y)), (y + 1) % dlogits.shape[1]] -= 1\n"),),
    "label smoothing": ((MINUS_ONE, "    dlogits -= 0.01 / dlogits.shape[1]\n    dlogits[np.arange(len(y)), y] -= 0.99\n"),),
    "loss summed": ((LOSS, "        return losses.sum()\n"),),
    "gradient summed": (("return dlogits / len(y)", "return dlogits"),),
    "softmax overflow": ((SHIFTED, "    shifted = logits\n"),),
    "clipped cross-entropy": ((SAMPLE_LOSSES, "    log_p = np.maximum(log_p, math.log(1e-7))\n" + SAMPLE_LOSSES),),
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
    "Nesterov": (("if velocity is None else velocity,", "if velocity is None else g + settings.momentum * velocity,"),),
    "dampening": (("        velocity += g\n", "        velocity += (1 - settings.momentum) * g\n"),),
    "Adam without bias correction": ((CORRECTIONS, "correction1, correction2 = 1.0, 1.0"),),
    "Adam's step off by one": ((CORRECTIONS, "correction1, correction2 = 1 - beta1 ** (step + 1), 1 - beta2 ** (step + 1)"),),
    "Adam with epsilon hat": (('if settings.epsilon_form == "algorithm1":', "if False:"),),
    "float32 powers of beta": (
        (CORRECTIONS, "correction1, correction2 = (float(1 - np.float32(b) ** np.float32(step)) for b in (beta1, beta2))"),
    ),
    "coupled weight decay": (
        ("                w *= 1 - optimizer.learning_rate * optimizer.weight_decay\n", "                g = g + optimizer.weight_decay * w\n"),
    ),
    "decay on biases": (('if optimizer.kind == "adamw" and name.endswith(".weight"):', 'if optimizer.kind == "adamw":'),),
    "decay after the step": ((DECAY + ADAM, ADAM + DECAY),),
    "TF32 on": ((DENSE, f"    z = {ROUNDING}(x, 11) @ {ROUNDING}(weight, 11)\n"),),
    "silent downcast": ((DENSE, "    z = (x.astype(np.float16) @ weight.astype(np.float16)).astype(x.dtype)\n"),),
    "input overwritten": ((LOSS, "        x *= 0.5\n        return losses.mean()\n"),),
}  # fmt: skip

ELSEWHERE: dict[str, str] = {}

GIVEN = "the oracle draws no masks, it is given them"

NOT_THE_ORACLES = {
    "dropout unscaled": GIVEN,
    "dropout scaled by 1/p": GIVEN,
    "dropout keeps p": GIVEN,
    "dropout rate halved": GIVEN,
    "mask reused": GIVEN,
    "input overwritten": "the oracle works on a copy of the input",
}
