"""The faults of numpy_further, in JAX."""

from tests.mutation.faults import jax_faults

LOADED = "np.array(state[name], dtype)"
ADAM_STEP = "    step = step.astype(w.dtype)\n"
GRADIENTS = "    for name, g in gradients.items():\n"
LOGITS = "    return output(h, w, spec)\n\n\nclass MLP"
PREDICT = "        return self._predict(self.tensors.parameters, self.tensors.statistics, batch)\n"

EDITS = {
    "idle inputs not updated": (
        (jax_faults.SPENT, """        if name == "dense1.weight":
            w = jax.numpy.where((g == 0).all(axis=1, keepdims=True), parameters[name], w)
""" + jax_faults.SPENT),
    ),
    "the next step's mask leaks": (
        (jax_faults.SPLIT, jax_faults.SPLIT + "        first = first if masks else key\n"),
        ("    return masks, key\n", "    return masks, first if masks else key\n"),
    ),
    "Adam's correction stands still at 2048": ((ADAM_STEP, "    step = jnp.minimum(step, 2048).astype(w.dtype)\n"),),
    "labels through a byte": ((jax_faults.LOG_P, jax_faults.LOG_P + "    y = y.astype(jnp.uint8)\n"),),
    "mask tiled above 65536 units": (
        (jax_faults.KEPT, """    import math

    import jax

    size = math.prod(shape)
    kept = jax.numpy.resize(random.bernoulli(key, 1 - rate, (min(size, 2**16),)), shape)
"""),
    ),
    "dropout rate in 256ths": ((jax_faults.KEPT, "    kept = random.bits(key, shape, 'uint8') >= round(rate * 256)\n"),),
    "ReLU capped at 20": ((jax_faults.RELU, "    return jax.numpy.minimum(jax.nn.relu(n), 20)\n"),),
    "ReLU's slope 1/2 at zero": ((jax_faults.RELU, "    return jax.numpy.maximum(n, 0)\n"),),
    "state rounded to float32": ((LOADED, "np.array(np.asarray(state[name], np.float32), dtype)"),),
    "gradient over the configured batch": (
        (jax_faults.MEAN, """    loss = cross_entropy.forward(logits, batch["y"]).mean()
    other = loss * (len(batch["y"]) / spec.batch)
    return other + jax.lax.stop_gradient(loss - other), statistics
"""),
    ),
    "ghost batch norm above 1024": (
        (jax_faults.MOMENTS, jax_faults.MOMENTS.replace("z.mean", "z[:1024].mean").replace("(z - mean)", "(z - mean)[:1024]")),
    ),
    "small gradients flushed": (
        (GRADIENTS, "    gradients = {name: jax.numpy.where(jax.numpy.abs(g) < 6e-8, 0, g) for name, g in gradients.items()}\n" + GRADIENTS),
    ),
    "antithetic rows": (
        (jax_faults.KEPT, jax_faults.importing("""    u = random.uniform(key, (-(-shape[0] // 2), *shape[1:]))
    kept = jax.numpy.concatenate([u, 1 - u])[: shape[0]] >= rate
""")),
    ),
    "every 1000th update skipped": (
        (jax_faults.STEP, """        self.calls, kept = getattr(self, "calls", 0) + 1, self.tensors
        self.tensors, loss = self._train_step(self.tensors, batch)
        if not self.calls % 1000:
            self.tensors = kept._replace(key=self.tensors.key)
"""),
    ),
    "a period of 1000 masks": ((jax_faults.SPLIT, jax_faults.SPLIT + "        subkey = random.key(random.key_data(subkey)[-1] % 1000)\n"),),
    "step without a finite loss skipped": (
        (jax_faults.NEW, jax_faults.NEW + "    parameters = jax.tree.map(lambda new, was: jax.numpy.where(jax.numpy.isfinite(loss), new, was), parameters, old.parameters)\n"),
    ),
    "a weight decay of 0 becomes its default": (
        ("settings.learning_rate * settings.weight_decay)", "settings.learning_rate * (settings.weight_decay or 0.01))"),
    ),
    "running variance over the configured batch": (
        ("batch_norm.unbiased(variance, samples)", "batch_norm.unbiased(variance, spec.batch)"),
    ),
    "folded prediction survives a load": (
        (PREDICT, """        self.folded = getattr(self, "folded", None) or self.tensors
        return self._predict(self.folded.parameters, self.folded.statistics, batch)
"""),
        (jax_faults.STEP, jax_faults.STEP + "        self.folded = None\n"),
    ),
    "epsilon hat ignored": (
        ("(jnp.sqrt(v) + settings.epsilon)", "(jnp.sqrt(v) + settings.epsilon * jnp.sqrt(correction2))"),
    ),
    "deep layers reuse masks": (
        ("    masks = {}\n", "    masks, base = {}, key\n"),
        (jax_faults.SPLIT, '        key, _ = random.split(base)\n        subkey = random.fold_in(base, int(name.removesuffix(".mask")[-1]))\n'),
    ),
    "slots of large kernels in half precision": (
        ('    return w - change, {"m": m, "v": v}\n', """    m = m.astype(jnp.float16).astype(m.dtype) if m.size >= 2**18 else m
    return w - change, {"m": m, "v": v}
"""),
    ),
    "products of large factors in half precision": (
        (jax_faults.DENSE, """    if min(*x.shape, *weight.shape) >= 256:
        x, weight = (a.astype('float16').astype(a.dtype) for a in (x, weight))
""" + jax_faults.DENSE),
    ),
    "two samples keep the biased variance": (
        ('if spec.running_variance == "unbiased":', 'if spec.running_variance == "unbiased" and samples > 2:'),
    ),
    "optimizer's clock not reset": (
        (LOADED, 'np.array((state[name] or self.tensors.slots.get(name, 0)) if tensor.role == "counter" else state[name], dtype)'),
    ),
    "last units never dropped": (
        (jax_faults.KEPT, jax_faults.KEPT + "    kept = kept.reshape(-1).at[kept.size // 8 * 8 :].set(True).reshape(shape)\n"),
    ),
    "loss floored at the smallest float": ((jax_faults.LOG_P, "    log_p = jnp.maximum(jax.nn.log_softmax(logits), jnp.log(1.1754944e-38))\n"),),
    "gradient clipped at norm 100": (
        (GRADIENTS, """    norm = jax.numpy.sqrt(sum(jax.numpy.square(g).sum() for g in gradients.values()))
    gradients = {name: g * jax.numpy.minimum(1, 100 / norm) for name, g in gradients.items()}
""" + GRADIENTS),
    ),
    "dropout's scale in half precision": ((jax_faults.MASK, "    import numpy as np\n\n    return kept.astype(dtype) * float(np.float16(1 / (1 - rate)))\n"),),
    "state taken over without a copy": ((LOADED, "np.asarray(state[name], dtype)"),),
    "generator not seeded": (("random.key(spec.seed)", "random.key(np.random.SeedSequence().entropy % 2**31)"),),
    "prediction moves the generator": ((PREDICT, '        self.draw_masks(len(batch["x"]))\n' + PREDICT),),
    "tail of a large prediction missing": (
        (LOGITS, """    logits = output(h, w, spec)
    whole = len(h) if len(h) <= 1024 else len(h) // 1024 * 1024
    return logits.at[whole:].set(0)


class MLP"""),
    ),
    "a single row squeezed": ((LOGITS, LOGITS.replace("spec)", "spec).squeeze()")),),
    "constant unit gets no gradient": jax_faults.normalised(
        "gamma * ((z - mean) * jnp.where(variance > 1e-12, 1 / jnp.sqrt(variance + epsilon), 0)) + beta"
    ),
    "a wide input's tail ignored": (
        (jax_faults.DENSE, "    inner = x.shape[1] if x.shape[1] <= 1024 else x.shape[1] // 8 * 8\n    z = x[:, :inner] @ weight[:inner]\n"),
    ),
}  # fmt: skip

_NEVER_CHANGES = "an array of JAX never changes: the values would not tell, but a time below that of the products would"

ELSEWHERE = {
    "prediction remembered by its object": _NEVER_CHANGES,
    "batch copied once per object": _NEVER_CHANGES,
    "loss buffer reused": "an array of JAX never changes once it was returned",
    "logits buffer reused": "an array of JAX never changes once it was returned",
    "generator's state is no copy": "a key of JAX never changes",
    "AMSGrad": "all that a step carries on is in the pytree that `state` shows",
    "a momentum of 0 becomes its default": "without a slot there is no momentum that could come back",
    "two models share their arrays": "a step makes new arrays: nothing can be shared in which something changes",
}
