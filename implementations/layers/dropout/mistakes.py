"""Mistakes that people make in dropout."""

from implementations.declarations import TRAINING, Edits, Mistake

DROPOUT = "dropout/dropout"

SCALED = "kept.astype(dtype) / dtype.type(1 - rate)"
DRAWN = "dropout.mask(self.rng, shape, rate, self.dtype)"
LOADED, COUNTED, MADE = (
    '        self.step = int(state.get("step", 0))\n',
    "        self.step += 1\n",
    "        self.step = 0\n",
)
IN_CUPY = "rng.random(shape, dtype=cp.float32)"
IN_TORCH = "    return nn.Dropout(rate)\n"
IN_KERAS = "    return keras.layers.Dropout(rate, seed=seed, name=name)\n"
KEPT_IN_KERAS, SCALED_IN_KERAS = "ops.cast(drawn >= self.rate, inputs.dtype)", " / (1 - self.rate)"
IN_TORCHS_STEP = "        optimizer.update(self.optimizer, self.step, self.spec.optimizer)\n"
TRAINED_IN_KERAS = '        return self.network.train_on_batch(batch["x"], batch["y"])\n'
LOADED_IN_KERAS = "            variable.assign(whole)\n"
COMPILED_IN_JAX = "        self._choices = jax.jit(partial(choices, network=self.network, spec=spec))\n"
TRAINED_IN_JAX = "        self.tensors, loss = self._train_step(self.tensors, batch)\n"
LOADED_IN_JAX = '        self.tensors = Training(by_role["parameter"], by_role["statistic"], slots, self.tensors.key)\n'
IN_JAX = "random.bernoulli(key, 1 - rate, shape)"
SCALED_IN_JAX = "    return kept.astype(dtype) / (1 - rate)\n"


def in_torch(forward: str) -> Edits:
    """Written out in the place of PyTorch's, for training."""
    return ((IN_TORCH, f"""    return PlantedDropout(rate)


class PlantedDropout(nn.Dropout):
    def forward(self, x):
        return ({forward}) if self.training else x
"""),)  # fmt: skip


def in_keras(masked: str) -> Edits:
    """Written out in the place of Keras's, for training."""
    return ((IN_KERAS, f"""    return PlantedDropout(rate, seed=seed, name=name)


class PlantedDropout(keras.layers.Dropout):
    def call(self, inputs, training=None):
        ops = keras.ops
        if not training or inputs.shape[0] is None:
            return inputs
        drawn = keras.random.uniform(ops.shape(inputs), seed=self.seed_generator, dtype='float32')
        return {masked}
"""),)  # fmt: skip


MISTAKES = (
    Mistake("dropout unscaled", "What is kept is not scaled up.", DROPOUT, {
        "numpy": ((SCALED, "kept.astype(dtype)"),),
        "torch": in_torch("x * (torch.rand_like(x) >= self.p)"),
        "keras": in_keras(f"inputs * {KEPT_IN_KERAS}"),
        "jax": ((SCALED_IN_JAX, "    return kept.astype(dtype)\n"),),
    }),
    Mistake("dropout scaled by 1/p", "What is kept is divided by the share that is dropped.", DROPOUT, {
        "numpy": ((SCALED, "kept.astype(dtype) / dtype.type(rate)"),),
        "torch": in_torch("x * (torch.rand_like(x) >= self.p) / self.p"),
        "keras": in_keras(f"inputs * {KEPT_IN_KERAS} / self.rate"),
        "jax": ((SCALED_IN_JAX, "    return kept.astype(dtype) / rate\n"),),
    }),
    Mistake("dropout keeps p", "What should be dropped is kept, and the other way round.", DROPOUT, {
        "numpy": ((") >= rate", ") < rate"),),
        "torch": in_torch("x * (torch.rand_like(x) < self.p) / (1 - self.p)"),
        "keras": in_keras("inputs * ops.cast(drawn < self.rate, inputs.dtype) / (1 - self.rate)"),
        "jax": ((IN_JAX, "random.bernoulli(key, rate, shape)"),),
    }),
    Mistake("dropout rate halved", "Half as much is dropped as was asked for.", DROPOUT, {
        "numpy": ((DRAWN, "dropout.mask(self.rng, shape, rate / 2, self.dtype)", TRAINING),),
        "torch": ((IN_TORCH, "    return nn.Dropout(rate / 2)\n"),),
        "keras": ((IN_KERAS, "    return keras.layers.Dropout(rate / 2, seed=seed, name=name)\n"),),
        "jax": ((IN_JAX, "random.bernoulli(key, 1 - rate / 2, shape)"),),
    }),
    Mistake("dropout backward unmasked", "What was dropped gets a gradient nonetheless.", DROPOUT, {
        "numpy": (("    return dh * mask\n", "    return dh\n"),),
        "torch": in_torch("x + (nn.functional.dropout(x.detach(), self.p) - x.detach())"),
        "keras": in_keras(f"inputs + ops.stop_gradient(inputs * {KEPT_IN_KERAS} / (1 - self.rate) - inputs)"),
        "jax": (("    return a * mask\n", "    return a + jax.lax.stop_gradient(a * mask - a)\n"),),
    }),
    Mistake("mask reused", "Every step drops the same units.", DROPOUT, {
        "numpy": ((DRAWN, "dropout.mask(np.random.default_rng(0), shape, rate, self.dtype)", TRAINING),),
        "cupy": ((f"return {DRAWN}", f"self.bits._state[...] = 1\n        return {DRAWN}", TRAINING),),
        "torch": in_torch("(torch.manual_seed(0), nn.functional.dropout(x, self.p))[1]"),
        "keras": in_keras("inputs * ops.cast(keras.random.uniform(ops.shape(inputs), seed=7) >= self.rate, inputs.dtype) / (1 - self.rate)"),
        "jax": (("key, subkey = random.split(key)", "_, subkey = random.split(random.key(0))", TRAINING),),
    }),
    Mistake("dropout ends", "After 30 steps nothing is dropped any more.", DROPOUT, {
        "numpy": (
            (MADE, f"{MADE}        self.since = 0\n", TRAINING),
            (LOADED, f"{LOADED}        self.since = 0\n", TRAINING),
            (COUNTED, f"{COUNTED}        self.since += 1\n", TRAINING),
            (DRAWN, DRAWN.replace("rate,", "rate if self.since < 30 else 0.0,"), TRAINING),
        ),
        "torch": (
            (LOADED, f"{LOADED}        self.since = -1\n        self.age()\n", TRAINING),
            (IN_TORCHS_STEP, f"{IN_TORCHS_STEP}        self.age()\n", TRAINING),
            ("    def mixed(self)", """    def age(self):
        self.since += 1
        for module in self.network.modules():
            if isinstance(module, nn.Dropout):
                module.p = self.spec.dropout if self.since < 30 else 0.0

    def mixed(self)""", TRAINING),
        ),
        "keras": (
            (IN_KERAS, """    return PlantedDropout(rate, seed=seed, name=name)


class PlantedDropout(keras.layers.Dropout):
    def build(self, shape):
        super().build(shape)
        self.since = self.add_weight(shape=(), initializer="zeros", trainable=False, name="since")

    def call(self, inputs, training=None):
        dropped = super().call(inputs, training=training)
        return keras.ops.where(self.since < 30, dropped, inputs)
"""),
            (TRAINED_IN_KERAS, f"""        loss = {TRAINED_IN_KERAS.strip().removeprefix("return ")}
        for layer in self.dropouts.values():
            layer.since.assign_add(1)
        return loss
""", TRAINING),
            (LOADED_IN_KERAS, LOADED_IN_KERAS + """        for layer in self.dropouts.values():
            layer.since.assign(0)
""", TRAINING),
        ),
        "jax": (
            ("        self.spec = spec\n", "        self.spec, self.since = spec, 0\n", TRAINING),
            (COMPILED_IN_JAX, COMPILED_IN_JAX + """        late = spec.changed(dropout=1e-9)
        self.compiled = [
            (self._train_step, self._draw_masks),
            (jax.jit(partial(train_step, network=self.network, spec=late)), jax.jit(partial(draw_masks, spec=late), static_argnames="batch")),
        ]
""", TRAINING),
            (TRAINED_IN_JAX, TRAINED_IN_JAX + "        self.since += 1\n        self._train_step, self._draw_masks = self.compiled[self.since >= 30]\n", TRAINING),
            (LOADED_IN_JAX, LOADED_IN_JAX + "        self.since = 0\n        self._train_step, self._draw_masks = self.compiled[0]\n", TRAINING),
        ),
    }),
    Mistake("mask tiled above 65536 units", "A large mask repeats itself.", DROPOUT, {
        "numpy": (("rng.random(shape)", "np.resize(rng.random(min(int(np.prod(shape)), 2**16)), shape)"),),
        "cupy": ((IN_CUPY, "cp.resize(rng.random(min(int(cp.prod(shape)), 2**16)), shape)"),),
        "torch": in_torch("x * (torch.rand(min(x.numel(), 2**16)).repeat(-(-x.numel() // 2**16))[: x.numel()].view(x.shape) >= self.p) / (1 - self.p)"),
        "keras": in_keras(
            "inputs * ops.cast(ops.concatenate([drawn[:256]] * (inputs.shape[0] // 256), axis=0) >= self.rate, inputs.dtype)"
            f"{SCALED_IN_KERAS} if (inputs.shape[0] or 0) > 256 and inputs.shape[0] % 256 == 0 else inputs * {KEPT_IN_KERAS}{SCALED_IN_KERAS}"
        ),
        "jax": ((f"    kept = {IN_JAX}\n", """    size = math.prod(shape)
    kept = jax.numpy.resize(random.bernoulli(key, 1 - rate, (min(size, 2**16),)), shape)
"""),),
    }),
    Mistake("dropout rate in 256ths", "One byte of chance per unit: the rate is rounded to 1/256.", DROPOUT, {
        "numpy": (("rng.random(shape) >= rate", "rng.integers(2**8, size=shape) >= round(rate * 2**8)"),),
        "cupy": ((f"{IN_CUPY} >= rate", "(rng.random(shape) * 2**8).astype(int) >= round(rate * 2**8)"),),
        "torch": in_torch("x * (torch.randint(256, x.shape, dtype=torch.uint8) >= round(self.p * 256)) / (1 - self.p)"),
        "keras": in_keras(f"inputs * ops.cast(drawn >= round(self.rate * 256) / 256, inputs.dtype){SCALED_IN_KERAS}"),
        "jax": ((IN_JAX, "random.bits(key, shape, 'uint8') >= round(rate * 256)"),),
    }),
    Mistake("antithetic rows", "The second half of a batch drops what the first half keeps.", DROPOUT, {
        "numpy": (("    kept = rng.random(shape) >= rate\n", """    drawn = rng.random((-(-shape[0] // 2), *shape[1:]))
    kept = np.concatenate([drawn, 1 - drawn])[: shape[0]] >= rate
"""),),
        "cupy": ((f"    kept = {IN_CUPY} >= rate\n", """    drawn = rng.random((-(-shape[0] // 2), *shape[1:]))
    kept = cp.concatenate([drawn, 1 - drawn])[: shape[0]] >= rate
"""),),
        "torch": in_torch("x * ((lambda u: torch.cat([u, 1 - u])[: len(x)] >= self.p)(torch.rand((-(-len(x) // 2), *x.shape[1:])))) / (1 - self.p)"),
        "keras": in_keras(
            "inputs * ops.cast(ops.concatenate([drawn[: (inputs.shape[0] + 1) // 2], 1 - drawn[: (inputs.shape[0] + 1) // 2]], axis=0)"
            f"[: inputs.shape[0]] >= self.rate, inputs.dtype){SCALED_IN_KERAS}"
        ),
        "jax": ((f"    kept = {IN_JAX}\n", """    u = random.uniform(key, (-(-shape[0] // 2), *shape[1:]))
    kept = jax.numpy.concatenate([u, 1 - u])[: shape[0]] >= rate
"""),),
    }),
    Mistake("last units never dropped", "What is left over when units are drawn by eights is always kept.", DROPOUT, {
        "numpy": ((") >= rate\n", ") >= rate\n    kept.reshape(-1)[kept.size // 8 * 8 :] = True\n"),),
        "torch": in_torch("x * ((torch.rand_like(x) >= self.p) | (torch.arange(x.numel()).view(x.shape) >= x.numel() // 8 * 8)) / (1 - self.p)"),
        "keras": in_keras(
            "inputs * ops.cast(ops.logical_or(drawn >= self.rate, ops.reshape(ops.arange(math.prod(inputs.shape)), drawn.shape)"
            f" >= math.prod(inputs.shape) // 8 * 8), inputs.dtype){SCALED_IN_KERAS}"
        ),
        "jax": ((f"{IN_JAX}\n", f"{IN_JAX}\n    kept = kept.reshape(-1).at[kept.size // 8 * 8 :].set(True).reshape(shape)\n"),),
    }),
    Mistake("dropout's scale in half precision", "1/(1-rate) is rounded to float16.", DROPOUT, {
        "numpy": ((SCALED, "kept.astype(dtype) * dtype.type(np.float16(1 / (1 - rate)))"),),
        "torch": in_torch("x * (torch.rand_like(x) >= self.p) * torch.tensor(1 / (1 - self.p), dtype=torch.float16).item()"),
        "keras": in_keras(f"inputs * {KEPT_IN_KERAS} * ops.cast(ops.cast(1 / (1 - self.rate), 'float16'), inputs.dtype)"),
        "jax": ((SCALED_IN_JAX, "    return kept.astype(dtype) * float(np.float16(1 / (1 - rate)))\n"),),
    }),
)  # fmt: skip
