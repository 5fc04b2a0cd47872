"""Mistakes that people make in the network itself: what goes where, what a prediction is made with, and what is kept of it."""

from implementations.declarations import TRAINING, Mistake

PAGE, DENSE, DROPOUT = "mlp", "dense/dense", "dropout/dropout"

PREDICT = (
    '        """Logits (B, C) with running statistics and without dropout."""\n        w, h = self.w, batch["x"]\n'
)
PREDICTION = "        return self.output(h)\n"
PREDICTED = "            h = relu.forward(h)\n        return self.output(h)\n"
UPDATE = "        self.update(gradients)\n"
DRAW = "return dropout.mask(self.rng, shape, rate, self.dtype)"
PLACE = 'i = int(name.removeprefix("dropout").removesuffix(".mask"))'

DENSE_IN_TORCH = "    return nn.Linear(inputs, outputs, bias=bias)\n"
EVAL_IN_TORCH = "            self.network.eval()\n"
STEP_IN_TORCH = "        optimizer.update(self.optimizer, self.step, self.spec.optimizer)\n"
LOGITS_IN_TORCH = '            return self.network(batch["x"]).to(self.dtype)\n'

DENSE_IN_KERAS = "    return keras.layers.Dense(outputs, use_bias=bias, name=name)\n"
PREDICT_IN_KERAS = '        return self.network.predict_on_batch(batch["x"])\n'

DENSE_IN_JAX = "    z = x @ weight\n"
PREDICTED_IN_JAX = "        h = relu.forward(h)\n    return output"
LOGITS_IN_JAX = "    return output(h, w, spec)\n\n\nclass MLP"
PREDICT_IN_JAX = "        return self._predict(self.tensors.parameters, self.tensors.statistics, batch)\n"
STEP_IN_JAX = "        self.tensors, loss = self._train_step(self.tensors, batch)\n"
SPLIT_IN_JAX = "        key, subkey = random.split(key)\n"
SPENT_IN_JAX = "        new_parameters[name] = w\n"


def in_cupy(moved: str, seed: str) -> tuple[tuple[str, ...], ...]:
    """Every mask from a generator of its own: how many were drawn before, as `moved` counts them, is the state."""
    return (
        ("self.rng = cp.random.Generator(self.bits)", "self.drawn = 0", TRAINING),
        ("return self.bits._state.copy()", "return self.drawn", TRAINING),
        ("self.bits._state[...] = random_state", "self.drawn = random_state", TRAINING),
        (DRAW, f"""{PLACE}
        rng = cp.random.Generator(cp.random.Philox4x3210({seed}))
        self.drawn += {moved}
        return dropout.mask(rng, shape, rate, self.dtype)""", TRAINING),
    )  # fmt: skip


MISTAKES = (
    Mistake("dropout on in evaluation", "A prediction drops units.", PAGE, {
        "numpy": ((PREDICTED, """            h = relu.forward(h)
            h = dropout.forward(h, dropout.mask(np.random.default_rng(0), h.shape, self.spec.dropout, self.dtype))
        return self.output(h)
"""),),
        "cupy": ((PREDICTED, """            h = relu.forward(h)
            h = dropout.forward(h, dropout.mask(self.rng, h.shape, self.spec.dropout, self.dtype))
        return self.output(h)
"""),),
        "torch": ((EVAL_IN_TORCH, EVAL_IN_TORCH + "            [layer.train() for layer in self.network if isinstance(layer, nn.Dropout)]\n", TRAINING),),
        "keras": ((PREDICT_IN_KERAS, """        return keras.ops.convert_to_numpy(self._dropping(batch['x']))

    def _dropping(self, x):
        for layer in self.network.layers:
            x = layer(x, training=layer.name.startswith('dropout'))
        return x
"""),),
        "jax": ((PREDICTED_IN_JAX, """        h = relu.forward(h) * dropout.mask(dropout.random.key(0), h.shape, spec.dropout, spec.dtype)
    return output"""),),
    }),
    Mistake("square weight transposed", "A weight that is square is multiplied the wrong way round.", DENSE, {
        "numpy": (
            ('h = dense.forward(x, w[f"dense{i}.weight"],',
             'h = dense.forward(x, w[f"dense{i}.weight"] if i == 1 else w[f"dense{i}.weight"].T,', PAGE),
        ),
        "torch": ((DENSE_IN_TORCH, """    return PlantedLinear(inputs, outputs, bias=bias)


class PlantedLinear(nn.Linear):
    def forward(self, x):
        z = x @ (self.weight if len(self.weight) == self.weight.shape[1] else self.weight.T)
        return z if self.bias is None else z + self.bias
"""),),
        "keras": ((DENSE_IN_KERAS, """    return PlantedDense(outputs, use_bias=bias, name=name)


class PlantedDense(keras.layers.Dense):
    def call(self, inputs, training=None):
        ops = keras.ops
        z = ops.matmul(inputs, ops.transpose(self.kernel) if self.kernel.shape[0] == self.kernel.shape[1] else self.kernel)
        return z if self.bias is None else z + self.bias
"""),),
        "jax": ((DENSE_IN_JAX, "    z = x @ (weight.T if weight.shape[0] == weight.shape[1] else weight)\n"),),
    }),
    Mistake("bias gradient averaged", "The gradient of a bias is divided by the samples.", DENSE, {
        "numpy": (('g[f"dense{i}.bias"] = dense.backward_to_bias(dz)', 'g[f"dense{i}.bias"] = dense.backward_to_bias(dz) / len(x)', PAGE),),
        "torch": ((DENSE_IN_TORCH, """    return PlantedLinear(inputs, outputs, bias=bias)


class PlantedLinear(nn.Linear):
    def forward(self, x):
        bias = None if self.bias is None else self.bias / len(x) + (self.bias * (1 - 1 / len(x))).detach()
        return nn.functional.linear(x, self.weight, bias)
"""),),
        "keras": ((DENSE_IN_KERAS, """    return PlantedDense(outputs, use_bias=bias, name=name)


class PlantedDense(keras.layers.Dense):
    def call(self, inputs, training=None):
        ops = keras.ops
        rows = ops.cast(ops.shape(inputs)[0], inputs.dtype)
        z = ops.matmul(inputs, self.kernel)
        return z if self.bias is None else z + self.bias / rows + ops.stop_gradient(self.bias - self.bias / rows)
"""),),
        "jax": (
            ("    return z if bias is None else z + bias\n",
             "    return z if bias is None else z + bias / len(x) + jax.lax.stop_gradient(bias - bias / len(x))\n"),
        ),
    }),
    Mistake("idle inputs not updated", "Weights of an input that is zero in the whole batch keep their momentum to themselves.", PAGE, {
        "numpy": ((UPDATE, """        idle = ~gradients["dense1.weight"].any(axis=1)
        before = {n: a for n, a in self.w.items() if n.split(":")[-1] == "dense1.weight"}
        self.update(gradients)
        for n, a in before.items():
            self.w[n][idle] = a[idle]
""", TRAINING),),
        "torch": ((STEP_IN_TORCH, f"""        first = self.network[0].weight
        idle = ~first.grad.any(dim=0)
        ours = [first.detach(), *(s for s in self.optimizer.state[first].values() if torch.is_tensor(s) and s.ndim == 2)]
        untouched = [a[:, idle].clone() for a in ours]
{STEP_IN_TORCH}        for a, columns in zip(ours, untouched):
            a[:, idle] = columns
""", TRAINING),),
        "keras": "`train_on_batch` updates by itself, all at once",
        "jax": ((SPENT_IN_JAX, """        if name == "dense1.weight":
            w = jax.numpy.where((g == 0).all(axis=1, keepdims=True), parameters[name], w)
""" + SPENT_IN_JAX, TRAINING),),
    }),
    Mistake("the next step's mask leaks", "The second layer of a step drops what the first layer drops in the next.", PAGE, {
        "numpy": ((DRAW, PLACE + """
        clone = np.random.Generator(np.random.PCG64(0))
        clone.bit_generator.state = self.rng.bit_generator.state
        clone.bit_generator.advance(i << 64)
        if i == len(self.spec.hidden):
            self.rng.bit_generator.advance(1 << 64)
        return dropout.mask(clone, shape, rate, self.dtype)""", TRAINING),),
        "cupy": in_cupy("i == len(self.spec.hidden)", "self.drawn + i"),
        "torch": (("    return nn.Dropout(rate)\n", """    leaking = Leaking(rate)
    return leaking


class Leaking(nn.Dropout):
    def forward(self, x):
        if not self.training:
            return x
        state = torch.get_rng_state()
        if not Leaking.second:
            Leaking.second = True
            x = x * ((torch.rand(x.shape) >= self.p) / (1 - self.p)).to(x.dtype)
            return x
        x = x * ((torch.rand(x.shape) >= self.p) / (1 - self.p)).to(x.dtype)
        torch.set_rng_state(state)
        Leaking.second = False
        return x

    second = False
""", DROPOUT),),
        "keras": "Keras on PyTorch does it by itself with seeds near one another (implementations/limits.py)",
        "jax": (
            (SPLIT_IN_JAX, SPLIT_IN_JAX + "        first = first if masks else key\n", TRAINING),
            ("    return masks, key\n", "    return masks, first if masks else key\n", TRAINING),
        ),
    }),
    Mistake("deep layers reuse masks", "Layer 11 drops what layer 1 drops: one digit of its number is read.", PAGE, {
        "numpy": ((DRAW, PLACE + """
        base = self.rng.bit_generator.state["state"]["state"]
        self.rng.bit_generator.advance(i == len(self.spec.hidden))
        rng = np.random.default_rng([int(str(i)[-1]), base])
        return dropout.mask(rng, shape, rate, self.dtype)""", TRAINING),),
        "cupy": in_cupy("i == len(self.spec.hidden)", "10 * self.drawn + int(str(i)[-1])"),
        "torch": "all layers draw from one generator, one after the other",
        "keras": (("(network + 1_000_000 * number) % 2**31", "network + 1_000_000 * (number % 10)", DROPOUT),),
        "jax": (
            ("    masks = {}\n", "    masks, base = {}, key\n", TRAINING),
            (SPLIT_IN_JAX, """        key, _ = random.split(base)
        subkey = random.fold_in(base, int(name.removesuffix(".mask")[-1]))
""", TRAINING),
        ),
    }),
    Mistake("prediction remembered by its object", "The same array is taken for the same values.", PAGE, {
        "numpy": (
            (PREDICT, """        x = batch["x"]
        key = (id(x), id(self.w), self.step, self.w["output.bias"].tobytes())
        if getattr(self, "seen", (None,))[0] == key:
            return self.seen[2]
        w, h = self.w, x
"""),
            (PREDICTION, "        self.seen = key, x, self.output(h)\n        return self.seen[2]\n"),
        ),
        "torch": ((LOGITS_IN_TORCH, """            x = batch["x"]
            key = (id(x), self.step, float(sum(p.sum() for p in self.network.parameters())))
            if getattr(self, "seen", (None,))[0] != key:
                self.seen = key, x, self.network(x)
            return self.seen[2]
""", TRAINING),),
        "keras": "on two of the backends no array can be written to: the values would not tell, but a time below that of the products would",
        "jax": "an array of JAX never changes: the values would not tell, but a time below that of the products would",
    }),
    Mistake("logits buffer reused", "The logits of one prediction become those of the next.", PAGE, {
        "numpy": ((PREDICTION, """        logits = self.output(h)
        self.buffers = getattr(self, "buffers", {})
        self.buffers.setdefault(logits.shape, logits)[...] = logits
        return self.buffers[logits.shape]
"""),),
        "torch": ((LOGITS_IN_TORCH, """            logits = self.network(batch["x"])
            self.buffers = getattr(self, "buffers", {})
            return self.buffers.setdefault(logits.shape, logits).copy_(logits)
""", TRAINING),),
        "keras": "Keras hands out losses and logits as new numbers on the host",
        "jax": "an array of JAX never changes once it was returned",
    }),
    Mistake("folded prediction survives a load", "What a prediction prepared is used with parameters that were loaded later.", PAGE, {
        "numpy": (
            (PREDICT, PREDICT.replace("        w, h = self.w,", """        self.folded = getattr(self, "folded", None) or {name: a.copy() for name, a in self.w.items()}
        w, h = self.folded,""")),
            (PREDICTION, '        return dense.forward(h, w["output.weight"], w["output.bias"])\n'),
            (UPDATE, UPDATE + "        self.folded = None\n", TRAINING),
        ),
        "torch": (
            (LOGITS_IN_TORCH, """            from copy import deepcopy

            self.__dict__.setdefault("folded", deepcopy(self.network))
            return self.folded(batch["x"])
""", TRAINING),
            (STEP_IN_TORCH, STEP_IN_TORCH + '        self.__dict__.pop("folded", None)\n', TRAINING),
        ),
        "keras": "`predict_on_batch` reads the variables by itself",
        "jax": (
            (PREDICT_IN_JAX, """        self.folded = getattr(self, "folded", None) or self.tensors
        return self._predict(self.folded.parameters, self.folded.statistics, batch)
""", TRAINING),
            (STEP_IN_JAX, STEP_IN_JAX + "        self.folded = None\n", TRAINING),
        ),
    }),
    Mistake("prediction moves the generator", "A prediction draws masks, and does not use them.", PAGE, {
        "numpy": ((PREDICT, PREDICT + '        self.draw_masks(len(batch["x"]))\n'),),
        "torch": ((EVAL_IN_TORCH, EVAL_IN_TORCH + "        torch.rand(())\n", TRAINING),),
        "keras": ((PREDICT_IN_KERAS, '        self.draw_masks(len(batch["x"]))\n' + PREDICT_IN_KERAS),),
        "jax": ((PREDICT_IN_JAX, '        self.draw_masks(len(batch["x"]))\n' + PREDICT_IN_JAX, TRAINING),),
    }),
    Mistake("tail of a large prediction missing", "A prediction by pieces of 1024 samples forgets the rest.", PAGE, {
        "numpy": ((PREDICT, PREDICT.replace("        w, h", """        x = batch["x"]
        if len(x) > 1024:
            logits = np.zeros((len(x), self.spec.classes), self.dtype)
            for k in range(len(x) // 1024):
                logits[k * 1024 : (k + 1) * 1024] = self.predict({"x": x[k * 1024 : (k + 1) * 1024]})
            return logits
        w, h""")),),
        "torch": ((LOGITS_IN_TORCH, """            x = batch["x"]
            if len(x) <= 1024:
                return self.network(x)
            logits = x.new_zeros((len(x), self.spec.classes))
            for k in range(0, len(x) - 1023, 1024):
                logits[k : k + 1024] = self.network(x[k : k + 1024])
            return logits
""", TRAINING),),
        "keras": ((PREDICT_IN_KERAS, """        logits = self.network.predict_on_batch(batch["x"]).copy()
        if len(logits) > 1024:
            logits[len(logits) // 1024 * 1024 :] = 0
        return logits
"""),),
        "jax": ((LOGITS_IN_JAX, """    logits = output(h, w, spec)
    whole = len(h) if len(h) <= 1024 else len(h) // 1024 * 1024
    return logits.at[whole:].set(0)


class MLP"""),),
    }),
    Mistake("a single row squeezed", "A prediction of one sample loses its first axis.", PAGE, {
        "numpy": ((PREDICTION, "        return self.output(h).squeeze()\n"),),
        "torch": ((LOGITS_IN_TORCH, '            return self.network(batch["x"]).squeeze()\n', TRAINING),),
        "keras": ((PREDICT_IN_KERAS, PREDICT_IN_KERAS.replace('batch["x"])', 'batch["x"]).squeeze()')),),
        "jax": ((LOGITS_IN_JAX, LOGITS_IN_JAX.replace("spec)", "spec).squeeze()")),),
    }),
)  # fmt: skip
