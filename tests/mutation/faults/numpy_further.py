"""Faults in NumPy that were thought out by somebody who had not read the proof: what a checker might miss."""

from tests.mutation.faults import numpy_faults

PREDICT = '        """Logits (B, C) with running statistics and without dropout."""\n        w, h = self.w, x\n'
PREDICTION = '        return output(h, w["output.weight"], w["output.bias"])\n\n    def state'
STEP = '        """One step of training on x (B, D), y (B,); returns the loss."""\n'
GRADIENTS = "        for name, g in gradients.items():\n"
LOADED = 'np.array(value, dtype=self.dtype) for name, value in state.items() if name != "step"}'
COUNTER = '        self.step = int(state.get("step", 0))\n'
BITS = "    bits = rng.integers(2**64, size=-(-units // 4), dtype=np.uint64).view(np.uint16)[:units].reshape(shape)\n"
KEPT = "    kept = bits >= int(rate * 2**16 + rng.random())\n"
RELU = "    return np.maximum(n, 0)\n"
INV_STD = "    inv_std = 1 / np.sqrt(variance + epsilon)\n"
STATE = "        return self.rng.bit_generator.state\n"
REWIND = "        self.rng.bit_generator.state = random_state\n"
CORRECTED = "    correction1, correction2 = 1 - beta1**step, 1 - beta2**step\n"

EDITS = {
    "prediction remembered by its object": (
        (PREDICT, """        key = (id(x), id(self.w), self.step, self.w["output.bias"].tobytes())
        if getattr(self, "seen", (None,))[0] == key:
            return self.seen[2]
        w, h = self.w, x
"""),
        (PREDICTION, '        self.seen = key, x, output(h, w["output.weight"], w["output.bias"])\n        return self.seen[2]\n\n    def state'),
    ),
    "idle inputs not updated": (
        (numpy_faults.UPDATE, """        idle = ~gradients["dense1.weight"].any(axis=1)
        ours = [a for n, a in self.w.items() if n.split(":")[-1] == "dense1.weight"]
        untouched = [a[idle].copy() for a in ours]
        self.update(gradients)
        for a, rows in zip(ours, untouched):
            a[idle] = rows
"""),
    ),
    "the next step's mask leaks": (
        (numpy_faults.DRAW, """clone = np.random.Generator(np.random.PCG64(0))
        clone.bit_generator.state = self.rng.bit_generator.state
        clone.bit_generator.advance(i << 64)
        if i == len(self.spec.hidden):
            self.rng.bit_generator.advance(1 << 64)
        return dropout_mask(clone, shape, self.spec.dropout, self.dtype)"""),
    ),
    "loss buffer reused": (
        (numpy_faults.LOSS, """        self.loss = getattr(self, "loss", np.zeros((), self.dtype))
        self.loss[...] = losses.mean()
        return self.loss
"""),
    ),
    "logits buffer reused": (
        (PREDICTION, """        logits = output(h, w["output.weight"], w["output.bias"])
        self.buffers = getattr(self, "buffers", {})
        self.buffers.setdefault(logits.shape, logits)[...] = logits
        return self.buffers[logits.shape]

    def state"""),
    ),
    "generator's state is no copy": (
        (STATE, "        return self.rng\n"),
        (REWIND, "        self.rng = random_state\n"),
    ),
    "Adam's correction stands still at 2048": ((CORRECTED, "    step = min(step, 2048)\n" + CORRECTED),),
    "labels through a byte": ((numpy_faults.MINUS_ONE, "    dlogits[np.arange(len(y)), y.astype(np.uint8)] -= 1\n"),),
    "mask tiled above 65536 units": (
        (BITS, """    block = min(units, 2**16)
    bits = rng.integers(2**64, size=-(-block // 4), dtype=np.uint64).view(np.uint16)[:block]
    bits = np.resize(bits, shape)
"""),
    ),
    "AMSGrad": (
        (CORRECTED, "    peak = PEAKS[id(v)] = np.maximum(v, PEAKS.get(id(v), 0))\n    v = peak\n" + CORRECTED),
        ("Array = np.ndarray\n", "Array = np.ndarray\nPEAKS: dict = {}\n"),
        (COUNTER, COUNTER + "        PEAKS.clear()\n"),
    ),
    "dropout rate in 256ths": (
        (BITS, "    bits = rng.integers(2**64, size=-(-units // 8), dtype=np.uint64).view(np.uint8)[:units].reshape(shape)\n"),
        (KEPT, "    kept = bits >= round(rate * 2**8)\n"),
    ),
    "ReLU capped at 20": ((RELU, "    return np.minimum(np.maximum(n, 0), 20)\n"),),
    "ReLU's slope 1/2 at zero": (
        (RELU, "    return np.where(n < 0, np.asarray(-0.0, n.dtype), n)\n"),
        ("    da *= a > 0\n", "    da *= np.where(np.signbit(a), 0, np.where(a == 0, 0.5, 1)).astype(a.dtype)\n"),
    ),
    "state rounded to float32": ((LOADED, LOADED.replace("np.array(value,", "np.array(np.asarray(value, np.float32),")),),
    "gradient over the configured batch": (
        ("self.backward(cross_entropy_backward(log_p, y), cache)", "self.backward(cross_entropy_backward(log_p, y) * (len(y) / self.spec.batch), cache)"),
    ),
    "running variance over the configured batch": ((numpy_faults.UPDATE_STATISTICS, numpy_faults.UPDATE_STATISTICS.replace("len(x)", "self.spec.batch")),),
    "folded prediction survives a load": (
        (PREDICT, PREDICT.replace("        w, h = self.w, x\n", """        self.folded = getattr(self, "folded", None) or {name: a.copy() for name, a in self.w.items()}
        w, h = self.folded, x
""")),
        (numpy_faults.UPDATE, numpy_faults.UPDATE + "        self.folded = None\n"),
    ),
    "ghost batch norm above 1024": (
        (numpy_faults.MOMENTS, """    rows = min(len(z), 1024)
    mean = z[:rows].sum(axis=0) / rows
    z_hat = np.subtract(z, mean, out=z)
    variance = np.einsum("bh,bh->h", z_hat[:rows], z_hat[:rows]) / rows
"""),
    ),
    "small gradients flushed": ((GRADIENTS, GRADIENTS + "            g[np.abs(g) < 6e-8] = 0\n"),),
    "antithetic rows": (
        (BITS, """    half = (-(-shape[0] // 2), *shape[1:])
    units = math.prod(half)
    bits = rng.integers(2**64, size=-(-units // 4), dtype=np.uint64).view(np.uint16)[:units].reshape(half)
    bits = np.concatenate([bits, ~bits])[: shape[0]]
"""),
    ),
    "every 1000th update skipped": (
        (numpy_faults.UPDATE, """        self.calls = getattr(self, "calls", 0) + 1
        if self.calls % 1000:
            self.update(gradients)
"""),
    ),
    "a period of 1000 masks": (
        ("self.rng = np.random.default_rng(spec.seed)", "self.drawn = 0"),
        (STATE, "        return self.drawn\n"),
        (REWIND, "        self.drawn = random_state\n"),
        (numpy_faults.DRAW, """self.drawn += 1
        rng = np.random.default_rng([self.spec.seed, self.drawn % 1000])
        return dropout_mask(rng, shape, self.spec.dropout, self.dtype)"""),
    ),
    "step without a finite loss skipped": ((numpy_faults.UPDATE, "        if np.isfinite(losses.mean()):\n            self.update(gradients)\n"),),
    "a momentum of 0 becomes its default": (
        ("        velocity *= settings.momentum\n", "        velocity *= settings.momentum or 0.9\n"),
        ('self.w.get(f"velocity:{name}"), optimizer)', 'vars(self).setdefault(f"velocity:{name}", np.zeros_like(w)), optimizer)'),
    ),
    "a weight decay of 0 becomes its default": (
        ("optimizer.learning_rate * optimizer.weight_decay\n", "optimizer.learning_rate * (optimizer.weight_decay or 0.01)\n"),
    ),
    "optimizer's clock not reset": ((COUNTER, COUNTER.replace("0))", "0)) or self.step")),),
    "last units never dropped": ((KEPT, KEPT + "    kept.reshape(-1)[units // 8 * 8 :] = True\n"),),
    "deep layers reuse masks": (
        (numpy_faults.DRAW, """base = self.rng.bit_generator.state["state"]["state"]
        self.rng.bit_generator.advance(i == len(self.spec.hidden))
        rng = np.random.default_rng([int(str(i)[-1]), base])
        return dropout_mask(rng, shape, self.spec.dropout, self.dtype)"""),
    ),
    "epsilon hat ignored": (("(np.sqrt(v) + settings.epsilon)", "(np.sqrt(v) + settings.epsilon * math.sqrt(correction2))"),),
    "loss floored at the smallest float": (
        (numpy_faults.SAMPLE_LOSSES, "    return -np.maximum(log_p[np.arange(len(y)), y], math.log(1.1754944e-38)), log_p\n"),
    ),
    "gradient clipped at norm 100": (
        (GRADIENTS, "        norm = math.sqrt(sum(float((g * g).sum()) for g in gradients.values()))\n" + GRADIENTS
                    + "            if norm > 100:\n                g *= 100 / norm\n"),
    ),
    "dropout's scale in half precision": (("np.multiply(kept, 1 / (1 - rate), dtype", "np.multiply(kept, float(np.float16(1 / (1 - rate))), dtype"),),
    "slots of large kernels in half precision": (
        (numpy_faults.ADAM, numpy_faults.ADAM + """            if w.size >= 2**18:
                self.w[f"m:{name}"][...] = self.w[f"m:{name}"].astype(np.float16)
"""),
    ),
    "products of large factors in half precision": (
        (numpy_faults.DENSE, """    if min(*x.shape, *weight.shape) >= 256:
        x, weight = (a.astype(np.float16).astype(a.dtype) for a in (x, weight))
""" + numpy_faults.DENSE),
    ),
    "batch copied once per object": (
        (STEP, STEP + """        if getattr(self, "given", (None,))[0] is not x:
            self.given = x, x.copy()
        x = self.given[1]
"""),
    ),
    "state taken over without a copy": ((LOADED, LOADED.replace("np.array", "np.asarray")),),
    "generator not seeded": (("np.random.default_rng(spec.seed)", "np.random.default_rng()"),),
    "prediction moves the generator": ((PREDICT, PREDICT + "        self.draw_masks(len(x))\n"),),
    "tail of a large prediction missing": (
        (PREDICT, PREDICT.replace("        w, h", """        if len(x) > 1024:
            logits = np.zeros((len(x), self.spec.classes), self.dtype)
            for k in range(len(x) // 1024):
                logits[k * 1024 : (k + 1) * 1024] = self.predict(x[k * 1024 : (k + 1) * 1024])
            return logits
        w, h""")),
    ),
    "a single row squeezed": ((PREDICTION, PREDICTION.replace('w["output.bias"])', 'w["output.bias"]).squeeze()')),),
    "two samples keep the biased variance": (
        ('if self.spec.running_variance == "unbiased":', 'if self.spec.running_variance == "unbiased" and batch > 2:'),
    ),
    "constant unit gets no gradient": (
        (INV_STD, "    inv_std = np.where(variance > 1e-12, 1 / np.sqrt(variance + epsilon), np.asarray(0, variance.dtype))\n"),
    ),
    "a wide input's tail ignored": (
        (numpy_faults.DENSE, "    inner = x.shape[1] if x.shape[1] <= 1024 else x.shape[1] // 8 * 8\n    z = x[:, :inner] @ weight[:inner]\n"),
    ),
    "two models share their arrays": (
        ("        self.w: Arrays = {}\n", "        self.w = SHARED\n"),
        (f"        self.w = {{name: {LOADED}\n", f"        self.w.update({{name: {LOADED})\n"),
        ("Array = np.ndarray\n", "Array = np.ndarray\nSHARED: dict = {}\n"),
    ),
}  # fmt: skip

_COPIES = "the oracle works on copies, and keeps nothing between its steps"

NOT_THE_ORACLES = dict.fromkeys(
    ("the next step's mask leaks", "mask tiled above 65536 units", "dropout rate in 256ths", "antithetic rows",
     "a period of 1000 masks", "last units never dropped", "dropout's scale in half precision", "generator not seeded",
     "generator's state is no copy", "prediction moves the generator", "deep layers reuse masks"), numpy_faults.GIVEN,
) | dict.fromkeys(
    ("prediction remembered by its object", "loss buffer reused", "logits buffer reused", "batch copied once per object",
     "state taken over without a copy", "AMSGrad", "optimizer's clock not reset",
     "two models share their arrays"), _COPIES,
)  # fmt: skip
NOT_THE_ORACLES["step without a finite loss skipped"] = "the oracle is not asked about what is not a number"
NOT_THE_ORACLES["folded prediction survives a load"] = _COPIES
