"""The faults in Keras, in `keras.ops`, so that each is the same on all three backends.

Where Keras does the step by itself, the fault takes its place.
"""

DENSE = "    return keras.layers.Dense(outputs, use_bias=bias, name=name)\n"
SETTINGS = "    made.momentum, made.epsilon = momentum, epsilon  # Keras made Python's floats of them\n"
EVALUATION = "            return super().call(inputs, training=False)\n"
MEAN = "        mean = ops.mean(inputs, axis=axes)\n"
VARIANCE = "        variance = ops.mean(ops.square(inputs - mean), axis=axes)\n"
MOVED_MEAN = "        self.moving_mean.assign(running(self.moving_mean, mean, self.momentum))\n"
MOVED_VARIANCE = (
    "        self.moving_variance.assign(running(self.moving_variance, unbiased(variance, samples), self.momentum))\n"
)
NORMALISED = """        normalised = ops.batch_normalization(
            inputs, mean, variance, axis=-1, offset=self.beta, scale=self.gamma, epsilon=self.epsilon
        )
"""
UNBIASED = "    return variance * (samples / (samples - 1))\n"
RELU = "    return keras.layers.ReLU(name=name)\n"
DROPOUT = "    return keras.layers.Dropout(rate, seed=seed, name=name)\n"
LOSS = "    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)\n"
SGD = "    return keras.optimizers.SGD(number(settings.learning_rate), momentum=number(settings.momentum))\n"
STOCK = '    kind = Adam if settings.epsilon_form == "algorithm1" else keras.optimizers.Adam\n'
STEP = "        step = ops.cast(self.iterations + 1, dtype)\n"
CORRECTION1 = "        correction1 = one_minus_power(self.beta_1, step)\n"
CORRECTION2 = "        correction2 = one_minus_power(self.beta_2, step)\n"
CHANGE = "        self.assign_sub(variable, ops.cast(learning_rate, dtype) * change)\n"
DECAY = '    decay = number(settings.weight_decay) if settings.kind == "adamw" else None\n'
INDEX = "        index, dtype = self._get_variable_index(variable), variable.dtype\n"
EXCLUDED = "        self.optimizer.exclude_from_weight_decay(var_list=self._undecayed())\n"
TRAIN = '        return self.network.train_on_batch(batch["x"], batch["y"])\n'
PREDICT = '        return self.network.predict_on_batch(batch["x"])\n'

Edits = tuple[tuple[str, str], ...]


def layer(old: str, base: str, call: str, made: str) -> Edits:
    """A layer with another forward pass in the place of Keras's."""
    return (
        (old, f"    return {made}\n\n\nclass Planted{base}(keras.layers.{base}):\n"
              f"    def call(self, inputs, training=None):\n        ops = keras.ops\n        {call}\n"),
    )  # fmt: skip


def dense(call: str) -> Edits:
    """A dense layer written out."""
    return layer(DENSE, "Dense", call, "PlantedDense(outputs, use_bias=bias, name=name)")


def holding(used: str, kept: str) -> Edits:
    """Descent by something else than the gradient, with a tensor that is kept beside each parameter."""
    return ((SGD, '''    return Holding(number(settings.learning_rate), momentum=number(settings.momentum))
'''), ("class Adam(keras.optimizers.Adam):\n", f'''class Holding(keras.optimizers.SGD):
    def build(self, variables):
        super().build(variables)
        self.held = [self.add_variable_from_reference(v, name="held") for v in variables]

    def update_step(self, gradient, variable, learning_rate):
        held = self.held[self._get_variable_index(variable)]
        before = held + ops.zeros_like(gradient)
        super().update_step({used}, variable, learning_rate)
        self.assign(held, {kept})


class Adam(keras.optimizers.Adam):
'''))  # fmt: skip


def dropped(masked: str) -> Edits:
    """Dropout written out, for training."""
    call = (
        "if not training or inputs.shape[0] is None:\n            return inputs\n"
        "        drawn = keras.random.uniform(ops.shape(inputs), seed=self.seed_generator, dtype='float32')\n"
        f"        return {masked}"
    )
    return layer(DROPOUT, "Dropout", call, "PlantedDropout(rate, seed=seed, name=name)")


def loss(of_logits: str) -> Edits:
    """The mean of this over the batch; `label` is one-hot."""
    return (
        (LOSS, "    ops = keras.ops\n\n    def planted(y, logits):\n"
               "        y = ops.reshape(ops.cast(y, 'int32'), (-1,))\n"
               "        label = ops.one_hot(y, logits.shape[-1], dtype=logits.dtype)\n"
               f"        return {of_logits}\n\n    return planted\n"),
    )  # fmt: skip


def slots(m: str = "gradient", step: str = "") -> Edits:
    """Momentum written out, with this gradient or this last line."""
    step = step or "self.assign(variable, variable + m)"
    return (
        (SGD, SGD.replace("keras.optimizers.SGD(", "PlantedSGD(")),
        ("class Adam(keras.optimizers.Adam):\n", f'''class PlantedSGD(keras.optimizers.SGD):
    def update_step(self, gradient, variable, learning_rate):
        learning_rate = ops.cast(learning_rate, variable.dtype)
        gradient = {m}
        m = self.momentums[self._get_variable_index(variable)]
        self.assign(m, m * self.momentum - learning_rate * gradient)
        {step}


class Adam(keras.optimizers.Adam):
'''),
    )  # fmt: skip


KEEP = "ops.cast(drawn >= self.rate, inputs.dtype)"
SUM_OF_LOSSES = "-ops.sum(label * ops.log_softmax(logits))"
MEAN_OF_LOSSES = "-ops.mean(ops.sum(label * ops.log_softmax(logits), axis=-1))"
EDITS: dict[str, Edits] = {
    "batch-norm momentum inverted": ((SETTINGS, SETTINGS.replace("= momentum", "= 1 - momentum")),),
    "batch-norm momentum 0.01": ((SETTINGS, SETTINGS.replace("= momentum", "= 0.01")),),
    "unbiased normalising variance": ((NORMALISED, NORMALISED.replace("mean, variance,", "mean, unbiased(variance, samples),")),),
    "biased running variance": ((UNBIASED, "    return variance\n"),),
    "one-pass variance": ((VARIANCE, "        variance = ops.mean(ops.square(inputs), axis=axes) - ops.square(mean)\n"),),
    "epsilon outside the root": (
        (NORMALISED, "        normalised = self.gamma * ((inputs - mean) / (ops.sqrt(variance) + self.epsilon)) + self.beta\n"),
    ),
    "epsilon missing": ((NORMALISED, "        normalised = self.gamma * ((inputs - mean) / ops.sqrt(variance)) + self.beta\n"),),
    "epsilon 1e-3": ((SETTINGS, SETTINGS.replace(", epsilon ", ", 1e-3 ")),),
    "epsilon missing in prediction": (
        (EVALUATION, "            return self.gamma * ((inputs - self.moving_mean) / ops.sqrt(self.moving_variance)) + self.beta\n"),
    ),
    "statistics not updated": ((MOVED_MEAN, ""), (MOVED_VARIANCE, "")),
    "statistics updated twice": ((MOVED_MEAN, MOVED_MEAN * 2), (MOVED_VARIANCE, MOVED_VARIANCE * 2)),
    "evaluation with batch statistics": (
        (EVALUATION, """            mean, variance = ops.mean(inputs, axis=0), ops.var(inputs, axis=0)
            return self.gamma * ((inputs - mean) / ops.sqrt(variance + self.epsilon)) + self.beta
"""),
    ),
    "batch-norm backward without its mean term": ((NORMALISED, NORMALISED.replace("inputs, mean,", "inputs, ops.stop_gradient(mean),")),),
    "batch-norm backward without its variance term": ((NORMALISED, NORMALISED.replace("mean, variance,", "mean, ops.stop_gradient(variance),")),),
    "dgamma averaged": (
        (NORMALISED, NORMALISED.replace("scale=self.gamma", "scale=self.gamma / samples + ops.stop_gradient(self.gamma - self.gamma / samples)")),
    ),
    "dropout on in evaluation": (
        (PREDICT, "        return keras.ops.convert_to_numpy(self._dropping(batch['x']))\n\n"
                  "    def _dropping(self, x):\n"
                  "        for layer in self.network.layers:\n"
                  "            x = layer(x, training=layer.name.startswith('dropout'))\n"
                  "        return x\n"),
    ),
    "dropout unscaled": dropped(f"inputs * {KEEP}"),
    "dropout scaled by 1/p": dropped(f"inputs * {KEEP} / self.rate"),
    "dropout keeps p": dropped("inputs * ops.cast(drawn < self.rate, inputs.dtype) / (1 - self.rate)"),
    "dropout rate halved": ((DROPOUT, DROPOUT.replace("rate", "rate / 2")),),
    "dropout backward unmasked": dropped(f"inputs + ops.stop_gradient(inputs * {KEEP} / (1 - self.rate) - inputs)"),
    "mask reused": dropped(
        "inputs * ops.cast(keras.random.uniform(ops.shape(inputs), seed=7) >= self.rate, inputs.dtype) / (1 - self.rate)"
    ),
    "square weight transposed": dense(
        "z = ops.matmul(inputs, ops.transpose(self.kernel) if self.kernel.shape[0] == self.kernel.shape[1] else self.kernel)\n"
        "        return z if self.bias is None else z + self.bias"
    ),
    "bias gradient averaged": dense(
        "rows = ops.cast(ops.shape(inputs)[0], inputs.dtype)\n"
        "        z = ops.matmul(inputs, self.kernel)\n"
        "        return z if self.bias is None else z + self.bias / rows + ops.stop_gradient(self.bias - self.bias / rows)"
    ),
    "ReLU passes all gradients": layer(
        RELU, "ReLU", "return inputs + ops.stop_gradient(ops.relu(inputs) - inputs)", "PlantedReLU(name=name)"
    ),
    "leaky ReLU": ((RELU, "    return keras.layers.ReLU(negative_slope=0.01, name=name)\n"),),
    "label off by one": loss(MEAN_OF_LOSSES.replace("label", "ops.roll(label, 1, axis=-1)")),
    "label smoothing": loss(MEAN_OF_LOSSES.replace("label", "(0.99 * label + 0.01 / logits.shape[-1])")),
    "loss summed": loss(SUM_OF_LOSSES),
    "gradient summed": loss(f"{SUM_OF_LOSSES} + ops.stop_gradient({MEAN_OF_LOSSES} - {SUM_OF_LOSSES})"),
    "softmax overflow": loss("-ops.mean(ops.log(ops.sum(label * ops.exp(logits), -1) / ops.sum(ops.exp(logits), -1)))"),
    "clipped cross-entropy": loss("-ops.mean(ops.log(ops.clip(ops.sum(label * ops.softmax(logits), -1), 1e-7, 1 - 1e-7)))"),
    "stale gradient": holding("before", "gradient"),
    "gradient not reset": holding("before + gradient", "before + gradient"),
    "Nesterov": ((SGD, SGD[:-2] + ", nesterov=True)\n"),),
    "dampening": slots(m="gradient * 0.5"),
    "Adam without bias correction": ((CORRECTION1, "        correction1 = 1.0\n"), (CORRECTION2, "        correction2 = 1.0\n")),
    "Adam's step off by one": ((STEP, STEP.replace("+ 1", "+ 2")),),
    "Adam with epsilon hat": ((STOCK, "    kind = keras.optimizers.Adam\n"),),
    "float32 powers of beta": (
        (CORRECTION2, "        correction2 = ops.cast(1 - ops.power(ops.cast(self.beta_2, 'float32'), ops.cast(step, 'float32')), dtype)\n"),
    ),
    "coupled weight decay": (
        (DECAY, "    decay = None\n    Adam.planted = settings.weight_decay if settings.kind == \"adamw\" else 0\n"),
        (INDEX, INDEX + "        if self.planted and variable.name == 'kernel':\n            gradient = gradient + variable * self.planted\n"),
    ),
    "decay on biases": ((EXCLUDED, ""),),
    "decay after the step": (
        (DECAY, "    decay = None\n    Adam.planted = settings.weight_decay if settings.kind == \"adamw\" else 0\n"),
        (CHANGE, CHANGE + "        if self.planted and variable.name == 'kernel':\n"
                          "            self.assign_sub(variable, variable * (self.planted * ops.cast(learning_rate, dtype)))\n"),
    ),
    "silent downcast": dense(
        "z = ops.cast(ops.matmul(ops.cast(inputs, 'float16'), ops.cast(self.kernel, 'float16')), inputs.dtype)\n"
        "        return z if self.bias is None else z + self.bias"
    ),
    "TF32 on": dense(
        "split = 4097.0\n"
        "        halves = [ops.cast(a, 'float32') for a in (inputs, self.kernel)]\n"
        "        coarse = [split * a - (split * a - a) for a in halves]\n"
        "        z = ops.cast(ops.matmul(*coarse), inputs.dtype)\n"
        "        return z if self.bias is None else z + self.bias"
    ),
}  # fmt: skip

ELSEWHERE = {
    "input overwritten": "tensors of TensorFlow and JAX cannot be written to, and Keras copies nothing back",
}
