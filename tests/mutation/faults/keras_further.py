"""The faults of numpy_further, in Keras."""

from tests.mutation.faults import keras_faults

SEED = "    seed = (seed + 1_000_000 * number) % 2**31\n"
LOADED = '            value = self._converted("from_spec", name, np.asarray(state[name]))\n'
SCALED = " / (1 - self.rate)"
UPDATE_STEP = "    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:\n"
MOVED_V = "        self.assign(v, v * self.beta_2 + ops.square(gradient) * (one - self.beta_2))\n"

EDITS = {
    "Adam's correction stands still at 2048": ((keras_faults.STEP, "        step = ops.cast(ops.minimum(self.iterations + 1, 2048), dtype)\n"),),
    "labels through a byte": keras_faults.loss(keras_faults.MEAN_OF_LOSSES.replace("label", "ops.one_hot(y % 256, logits.shape[-1], dtype=logits.dtype)")),
    "mask tiled above 65536 units": keras_faults.dropped(
        "inputs * ops.cast(ops.concatenate([drawn[:256]] * (inputs.shape[0] // 256), axis=0) >= self.rate, inputs.dtype)"
        f"{SCALED} if (inputs.shape[0] or 0) > 256 and inputs.shape[0] % 256 == 0 else inputs * {keras_faults.KEEP}{SCALED}"
    ),
    "dropout rate in 256ths": keras_faults.dropped(f"inputs * ops.cast(drawn >= round(self.rate * 256) / 256, inputs.dtype){SCALED}"),
    "ReLU capped at 20": ((keras_faults.RELU, "    return keras.layers.ReLU(max_value=20.0, name=name)\n"),),
    "ReLU's slope 1/2 at zero": keras_faults.layer(
        keras_faults.RELU, "ReLU", "return (inputs + ops.abs(inputs)) / 2", "PlantedReLU(name=name)"
    ),
    "state rounded to float32": ((LOADED, LOADED.replace("np.asarray(state[name])", "np.asarray(state[name], np.float32)")),),
    "gradient over the configured batch": keras_faults.loss(
        f"{keras_faults.MEAN_OF_LOSSES} * (ops.cast(ops.shape(logits)[0], logits.dtype) / 32) + ops.stop_gradient({keras_faults.MEAN_OF_LOSSES}"
        f" - {keras_faults.MEAN_OF_LOSSES} * (ops.cast(ops.shape(logits)[0], logits.dtype) / 32))"
    ),
    "ghost batch norm above 1024": (
        (keras_faults.MEAN, keras_faults.MEAN.replace("inputs,", "inputs[:1024],")),
        (keras_faults.VARIANCE, keras_faults.VARIANCE.replace("ops.square(inputs - mean)", "ops.square(inputs[:1024] - mean)")),
    ),
    "small gradients flushed": (
        (keras_faults.INDEX, keras_faults.INDEX + "        gradient = ops.where(ops.abs(gradient) < 6e-8, ops.zeros_like(gradient), gradient)\n"),
    ),
    "antithetic rows": keras_faults.dropped(
        "inputs * ops.cast(ops.concatenate([drawn[: (inputs.shape[0] + 1) // 2], 1 - drawn[: (inputs.shape[0] + 1) // 2]], axis=0)"
        f"[: inputs.shape[0]] >= self.rate, inputs.dtype){SCALED}"
    ),
    "every 1000th update skipped": (
        (keras_faults.TRAIN, """        self.calls, state = getattr(self, "calls", 0) + 1, None if (getattr(self, "calls", 0) + 1) % 1000 else self.state()
        loss = self.network.train_on_batch(batch["x"], batch["y"])
        if state is not None:
            self.load_state(state)
        return loss
"""),
    ),
    "a momentum of 0 becomes its default": ((keras_faults.SGD, keras_faults.SGD.replace("settings.momentum)", "settings.momentum or 0.9)")),),
    "a weight decay of 0 becomes its default": (
        (keras_faults.DECAY, keras_faults.DECAY.replace("settings.weight_decay", "settings.weight_decay or 0.01")),
    ),
    "running variance over the configured batch": (
        (keras_faults.UNBIASED, "    return variance * (32 / 31)\n"),
    ),
    "AMSGrad": (
        (UPDATE_STEP, """    def build(self, variables):
        super().build(variables)
        self.largest = [self.add_variable_from_reference(v, name="largest") for v in variables]

""" + UPDATE_STEP),
        ("        change = (m / correction1) / (ops.sqrt(v / correction2)",
         "        self.assign(self.largest[index], ops.maximum(self.largest[index], v))\n"
         "        change = (m / correction1) / (ops.sqrt(self.largest[index] / correction2)"),
    ),
    "slots of large kernels in half precision": (
        (MOVED_V, "        if math.prod(variable.shape) >= 2**18:\n"
                  "            self.assign(m, ops.cast(ops.cast(m, 'float16'), dtype))\n" + MOVED_V),
    ),
    "epsilon hat ignored": (
        (keras_faults.STOCK, "    kind = Adam\n"),
    ),
    "products of large factors in half precision": keras_faults.dense(
        "inner = [ops.cast(ops.cast(a, 'bfloat16'), a.dtype) if self.kernel.shape[0] >= 256 else a for a in (inputs, self.kernel)]\n"
        "        z = ops.matmul(*inner)\n"
        "        return z if self.bias is None else z + self.bias"
    ),
    "two samples keep the biased variance": (
        (keras_faults.UNBIASED, "    return variance * ops.where(samples > 2, samples / (samples - 1), ops.ones_like(samples))\n"),
    ),
    "deep layers reuse masks": ((SEED, "    seed = seed + 1_000_000 * (number % 10)\n"),),
    "optimizer's clock not reset": (
        (LOADED, "            if name == \"step\" and not state[name]:\n                continue\n" + LOADED),
    ),
    "last units never dropped": keras_faults.dropped(
        "inputs * ops.cast(ops.logical_or(drawn >= self.rate, ops.reshape(ops.arange(inputs.shape[0] * inputs.shape[1]), drawn.shape)"
        f" >= inputs.shape[0] * inputs.shape[1] // 8 * 8), inputs.dtype){SCALED}"
    ),
    "loss floored at the smallest float": keras_faults.loss(
        "-ops.mean(ops.maximum(ops.sum(label * ops.log_softmax(logits), axis=-1), -87.336544))"
    ),
    "gradient clipped at norm 100": ((keras_faults.SGD, keras_faults.SGD[:-2] + ", global_clipnorm=100.0)\n"),),
    "dropout's scale in half precision": keras_faults.dropped(f"inputs * {keras_faults.KEEP} * ops.cast(ops.cast(1 / (1 - self.rate), 'float16'), inputs.dtype)"),
    "generator not seeded": ((SEED, '    seed = __import__("secrets").randbelow(2**31)\n'),),
    "prediction moves the generator": ((keras_faults.PREDICT, '        self.draw_masks(len(batch["x"]))\n' + keras_faults.PREDICT),),
    "tail of a large prediction missing": (
        (keras_faults.PREDICT, """        logits = self.network.predict_on_batch(batch["x"]).copy()
        if len(logits) > 1024:
            logits[len(logits) // 1024 * 1024 :] = 0
        return logits
"""),
    ),
    "a single row squeezed": ((keras_faults.PREDICT, '        return self.network.predict_on_batch(batch["x"]).squeeze()\n'),),
    "constant unit gets no gradient": (
        (keras_faults.NORMALISED, """        inv_std = ops.where(variance > 1e-12, 1 / ops.sqrt(variance + self.epsilon), ops.zeros_like(variance))
        normalised = self.gamma * ((inputs - mean) * inv_std) + self.beta
"""),
    ),
    "a wide input's tail ignored": keras_faults.dense(
        "inner = inputs.shape[1] if inputs.shape[1] <= 1024 else inputs.shape[1] // 8 * 8\n"
        "        z = ops.matmul(inputs[:, :inner], self.kernel[:inner])\n"
        "        return z if self.bias is None else z + self.bias"
    ),
}  # fmt: skip

_HOST = "Keras hands out losses and logits as new numbers on the host"
_OBJECTS = "on two of the backends no array can be written to: the values would not tell, but a time below that of the products would"

ELSEWHERE = {
    "prediction remembered by its object": _OBJECTS,
    "batch copied once per object": _OBJECTS,
    "loss buffer reused": _HOST,
    "logits buffer reused": _HOST,
    "generator's state is no copy": "the states of the seed generators are copied by NumPy on the way to the host and back",
    "state taken over without a copy": "a variable is assigned to; it never takes over an array",
    "two models share their arrays": "layers make their own variables; sharing them would take a design, not a slip",
    "idle inputs not updated": "`train_on_batch` updates by itself, all at once",
    "step without a finite loss skipped": "`train_on_batch` updates by itself, all at once",
    "the next step's mask leaks": "Keras on PyTorch does it by itself with seeds near one another (implementations/limits.py)",
    "folded prediction survives a load": "`predict_on_batch` reads the variables by itself",
    "a period of 1000 masks": "the seed generators are Keras's own",
}
