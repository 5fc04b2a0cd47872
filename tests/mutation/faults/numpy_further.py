"""Faults in NumPy that were thought out by somebody who had not read the proof: what a checker might miss."""

from tests.mutation.faults import numpy_faults

PREDICT = (
    '        """Logits (B, C) with running statistics and without dropout."""\n        w, h = self.w, batch["x"]\n'
)
PREDICTION = "        return self.output(h)\n"
STEP = '        """One step of training; returns the loss."""\n'
BACKWARD = 'self.backward(cross_entropy.backward(p, batch["y"]), caches)'
GRADIENTS = "        for name, g in gradients.items():\n"
SLOTS = '            slots = {slot: self.w[f"{slot}:{name}"] for slot in self.spec.optimizer.slots}\n'
SLOTS_KEPT = '            self.w |= {f"{slot}:{name}": value for slot, value in slots.items()}\n'
MOMENTS_KEPT = '    return w - change, {"m": m, "v": v}\n'
EMPTY = "        self.w: Arrays = {}\n"
LOADED = 'np.array(value, dtype=self.dtype) for name, value in state.items() if name != "step"}'
COUNTER = '        self.step = int(state.get("step", 0))\n'
RELU = "    return np.maximum(n, 0)\n"
INV_STD = "    inv_std = 1 / np.sqrt(variance + epsilon)\n"
STATE = "        return self.rng.bit_generator.state\n"
REWIND = "        self.rng.bit_generator.state = random_state\n"
CORRECTED = "    correction1, correction2 = 1 - beta1**step, 1 - beta2**step\n"
PLACE = 'i = int(name.removeprefix("dropout").removesuffix(".mask"))'

EDITS = {
    "prediction remembered by its object": (
        (PREDICT, """        x = batch["x"]
        key = (id(x), id(self.w), self.step, self.w["output.bias"].tobytes())
        if getattr(self, "seen", (None,))[0] == key:
            return self.seen[2]
        w, h = self.w, x
"""),
        (PREDICTION, "        self.seen = key, x, self.output(h)\n        return self.seen[2]\n"),
    ),
    "idle inputs not updated": (
        (numpy_faults.UPDATE, """        idle = ~gradients["dense1.weight"].any(axis=1)
        before = {n: a for n, a in self.w.items() if n.split(":")[-1] == "dense1.weight"}
        self.update(gradients)
        for n, a in before.items():
            self.w[n][idle] = a[idle]
"""),
    ),
    "the next step's mask leaks": (
        (numpy_faults.DRAW, PLACE + """
        clone = np.random.Generator(np.random.PCG64(0))
        clone.bit_generator.state = self.rng.bit_generator.state
        clone.bit_generator.advance(i << 64)
        if i == len(self.spec.hidden):
            self.rng.bit_generator.advance(1 << 64)
        return dropout.mask(clone, shape, rate, self.dtype)"""),
    ),
    "loss buffer reused": (
        (numpy_faults.LOSS, """        self.loss = getattr(self, "loss", np.zeros((), self.dtype))
        self.loss[...] = losses.mean()
        return self.loss
"""),
    ),
    "logits buffer reused": (
        (PREDICTION, """        logits = self.output(h)
        self.buffers = getattr(self, "buffers", {})
        self.buffers.setdefault(logits.shape, logits)[...] = logits
        return self.buffers[logits.shape]
"""),
    ),
    "generator's state is no copy": (
        (STATE, "        return self.rng\n"),
        (REWIND, "        self.rng = random_state\n"),
    ),
    "Adam's correction stands still at 2048": ((CORRECTED, "    step = min(step, 2048)\n" + CORRECTED),),
    "labels through a byte": ((numpy_faults.MINUS_ONE, "    dlogits[at_labels(y.astype(np.uint8))] -= 1\n"),),
    "mask tiled above 65536 units": (
        (numpy_faults.KEPT, "    kept = np.resize(rng.random(min(int(np.prod(shape)), 2**16)), shape) >= rate\n"),
    ),
    "AMSGrad": (
        (CORRECTED, '    slot, v = v, np.maximum(v, slots.get("peak", 0))\n' + CORRECTED),
        (MOMENTS_KEPT, '    return w - change, {"m": m, "v": slot, "peak": v}\n'),
        (SLOTS, SLOTS + "            slots |= self.peaks.get(name, {})\n"),
        (SLOTS_KEPT, '            self.peaks[name] = {"peak": slots.pop("peak")}\n' + SLOTS_KEPT),
        (EMPTY, EMPTY + "        self.peaks = {}\n"),
        (COUNTER, COUNTER + "        self.peaks = {}\n"),
    ),
    "dropout rate in 256ths": ((numpy_faults.KEPT, "    kept = rng.integers(2**8, size=shape) >= round(rate * 2**8)\n"),),
    "ReLU capped at 20": ((RELU, "    return np.minimum(np.maximum(n, 0), 20)\n"),),
    "ReLU's slope 1/2 at zero": (
        (RELU, "    return np.where(n < 0, np.asarray(-0.0, n.dtype), n)\n"),
        ("da * (a > 0)", "da * np.where(np.signbit(a), 0, np.where(a == 0, 0.5, 1)).astype(a.dtype)"),
    ),
    "state rounded to float32": ((LOADED, LOADED.replace("np.array(value,", "np.array(np.asarray(value, np.float32),")),),
    "gradient over the configured batch": (
        (BACKWARD, BACKWARD.replace('batch["y"])', 'batch["y"]) * (len(batch["y"]) / self.spec.batch)')),
    ),
    "running variance over the configured batch": ((numpy_faults.UPDATE_STATISTICS, numpy_faults.UPDATE_STATISTICS.replace("len(x)", "self.spec.batch")),),
    "folded prediction survives a load": (
        (PREDICT, PREDICT.replace("        w, h = self.w,", """        self.folded = getattr(self, "folded", None) or {name: a.copy() for name, a in self.w.items()}
        w, h = self.folded,""")),
        (PREDICTION, '        return dense.forward(h, w["output.weight"], w["output.bias"])\n'),
        (numpy_faults.UPDATE, numpy_faults.UPDATE + "        self.folded = None\n"),
    ),
    "ghost batch norm above 1024": (
        (numpy_faults.MOMENTS, """    rows = min(len(z), 1024)
    mean = z[:rows].sum(axis=0) / rows
    centred = z - mean
    variance = (centred[:rows] * centred[:rows]).sum(axis=0) / rows
"""),
    ),
    "small gradients flushed": ((GRADIENTS, GRADIENTS + "            g[np.abs(g) < 6e-8] = 0\n"),),
    "antithetic rows": (
        (numpy_faults.KEPT, """    drawn = rng.random((-(-shape[0] // 2), *shape[1:]))
    kept = np.concatenate([drawn, 1 - drawn])[: shape[0]] >= rate
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
        return dropout.mask(rng, shape, rate, self.dtype)"""),
    ),
    "step without a finite loss skipped": ((numpy_faults.UPDATE, "        if np.isfinite(losses.mean()):\n            self.update(gradients)\n"),),
    "a momentum of 0 becomes its default": (
        ("    if not slots:\n        return w - settings.learning_rate * g, {}\n", ""),
        (numpy_faults.VELOCITY, numpy_faults.VELOCITY.replace("settings.momentum", "(settings.momentum or 0.9)")),
        (SLOTS, '            slots = {"velocity": vars(self).get(f"velocity:{name}", np.zeros_like(g))}\n'),
        (SLOTS_KEPT, '            vars(self)[f"velocity:{name}"] = slots["velocity"]\n'),
    ),
    "a weight decay of 0 becomes its default": (
        ("settings.learning_rate * settings.weight_decay)", "settings.learning_rate * (settings.weight_decay or 0.01))"),
    ),
    "optimizer's clock not reset": ((COUNTER, COUNTER.replace("0))", "0)) or self.step")),),
    "last units never dropped": ((numpy_faults.KEPT, numpy_faults.KEPT + "    kept.reshape(-1)[kept.size // 8 * 8 :] = True\n"),),
    "deep layers reuse masks": (
        (numpy_faults.DRAW, PLACE + """
        base = self.rng.bit_generator.state["state"]["state"]
        self.rng.bit_generator.advance(i == len(self.spec.hidden))
        rng = np.random.default_rng([int(str(i)[-1]), base])
        return dropout.mask(rng, shape, rate, self.dtype)"""),
    ),
    "epsilon hat ignored": (("(np.sqrt(v) + settings.epsilon)", "(np.sqrt(v) + settings.epsilon * math.sqrt(correction2))"),),
    "loss floored at the smallest float": (
        (numpy_faults.SAMPLE_LOSSES, numpy_faults.SAMPLE_LOSSES + "    losses = np.minimum(losses, -float(np.log(1.1754944e-38)))\n"),
    ),
    "gradient clipped at norm 100": (
        (GRADIENTS, "        norm = sum(float((g * g).sum()) for g in gradients.values()) ** 0.5\n" + GRADIENTS
                    + "            if norm > 100:\n                g *= 100 / norm\n"),
    ),
    "dropout's scale in half precision": ((numpy_faults.SCALED, "kept.astype(dtype) * dtype.type(np.float16(1 / (1 - rate)))"),),
    "slots of large kernels in half precision": (
        (MOMENTS_KEPT, "    if w.size >= 2**18:\n        m = m.astype(np.float16).astype(m.dtype)\n" + MOMENTS_KEPT),
    ),
    "products of large factors in half precision": (
        (numpy_faults.DENSE, """    if min(*x.shape, *weight.shape) >= 256:
        x, weight = (a.astype(np.float16).astype(a.dtype) for a in (x, weight))
""" + numpy_faults.DENSE),
    ),
    "batch copied once per object": (
        (STEP, STEP + """        if getattr(self, "given", (None,))[0] is not batch["x"]:
            self.given = batch["x"], batch["x"].copy()
        batch = {**batch, "x": self.given[1]}
"""),
    ),
    "state taken over without a copy": ((LOADED, LOADED.replace("np.array", "np.asarray")),),
    "generator not seeded": (("np.random.default_rng(spec.seed)", "np.random.default_rng()"),),
    "prediction moves the generator": ((PREDICT, PREDICT + '        self.draw_masks(len(batch["x"]))\n'),),
    "tail of a large prediction missing": (
        (PREDICT, PREDICT.replace("        w, h", """        x = batch["x"]
        if len(x) > 1024:
            logits = np.zeros((len(x), self.spec.classes), self.dtype)
            for k in range(len(x) // 1024):
                logits[k * 1024 : (k + 1) * 1024] = self.predict({"x": x[k * 1024 : (k + 1) * 1024]})
            return logits
        w, h""")),
        numpy_faults.WITH_NUMPY,
    ),
    "a single row squeezed": ((PREDICTION, "        return self.output(h).squeeze()\n"),),
    "two samples keep the biased variance": (
        ('if self.spec.running_variance == "unbiased":', 'if self.spec.running_variance == "unbiased" and samples > 2:'),
    ),
    "constant unit gets no gradient": (
        (INV_STD, "    inv_std = np.where(variance > 1e-12, 1 / np.sqrt(variance + epsilon), np.asarray(0, variance.dtype))\n"),
    ),
    "a wide input's tail ignored": (
        (numpy_faults.DENSE, "    inner = x.shape[1] if x.shape[1] <= 1024 else x.shape[1] // 8 * 8\n    z = x[:, :inner] @ weight[:inner]\n"),
    ),
    "two models share their arrays": (
        (EMPTY, "        self.w = SHARED\n"),
        (f"        self.w = {{name: {LOADED}\n", f"        self.w.update({{name: {LOADED})\n"),
        ("Caches = Any\n", "Caches = Any\nSHARED: dict = {}\n"),
    ),
}  # fmt: skip

_COPIES = "the oracle works on copies, and keeps nothing between its steps"

NOT_THE_ORACLES = dict.fromkeys(
    ("the next step's mask leaks", "mask tiled above 65536 units", "dropout rate in 256ths", "antithetic rows",
     "a period of 1000 masks", "last units never dropped", "dropout's scale in half precision", "generator not seeded",
     "generator's state is no copy", "prediction moves the generator", "deep layers reuse masks"), numpy_faults.GIVEN,
) | dict.fromkeys(
    ("prediction remembered by its object", "loss buffer reused", "logits buffer reused", "batch copied once per object",
     "state taken over without a copy", "two models share their arrays"), _COPIES,
)  # fmt: skip
NOT_THE_ORACLES["step without a finite loss skipped"] = "the oracle is not asked about what is not a number"
NOT_THE_ORACLES["folded prediction survives a load"] = _COPIES
