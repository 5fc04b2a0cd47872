"""Mistakes that people make in batch normalisation."""

from implementations.declarations import TRAINING, Edits, Mistake

NORM = "batch_norm/batch_norm"

INV_STD = "inv_std = 1 / np.sqrt(variance + epsilon)"
PREDICTED = "gamma * ((z - mean) / np.sqrt(variance + epsilon)) + beta"
RUNNING = "    return momentum * old + (1 - momentum) * new\n"
TWICE = ((RUNNING, "    old = momentum * old + (1 - momentum) * new\n" + RUNNING),)
IN_NUMPY = """    mean = total(z) / count(z)
    centred = z - mean
    variance = total(centred * centred) / count(z)
"""
IN_CUPY = """    mean = z.mean(axis=all_but_last(z))  # one kernel; a sum and a division would be two
    centred = z - mean
    variance = (centred * centred).mean(axis=all_but_last(z))
"""
ONE_PASS = """    mean = total(z) / count(z)
    variance = total(z * z) / count(z) - mean * mean
    centred = z - mean
"""
GHOST = """    part = z[:1024]
    mean = total(part) / count(part)
    centred = z - mean
    variance = total(centred[:1024] * centred[:1024]) / count(part)
"""
IF_UNBIASED = 'if self.spec.running_variance == "unbiased":'
UNBIASED = "batch_norm.unbiased(variance, samples)"

MADE_IN_TORCH = "    return kind(width, eps=epsilon, momentum=1 - momentum)\n"
SETTINGS_IN_TORCH = "eps=epsilon, momentum=1 - momentum"
SCALED = " * self.weight + self.bias"
BY_HAND_IN_TORCH = "(z - mean) * (variance + self.eps).rsqrt() * self.weight + self.bias"
MOVED_IN_TORCH = "self.running_mean.lerp_(mean.detach(), self.momentum); self.running_var.lerp_({}, self.momentum)"

SETTINGS_IN_KERAS = "made.momentum, made.epsilon = momentum, epsilon "
EVALUATION_IN_KERAS = "            return super().call(inputs, training=False)\n"
MEAN_IN_KERAS = "        mean = ops.mean(inputs, axis=axes)\n"
VARIANCE_IN_KERAS = "        variance = ops.mean(ops.square(inputs - mean), axis=axes)\n"
MOVED_MEAN = "        self.moving_mean.assign(running(self.moving_mean, mean, self.momentum))\n"
MOVED_VARIANCE = (
    "        self.moving_variance.assign(running(self.moving_variance, unbiased(variance, samples), self.momentum))\n"
)
IN_KERAS = """        normalised = ops.batch_normalization(
            inputs, mean, variance, axis=-1, offset=self.beta, scale=self.gamma, epsilon=self.epsilon
        )
"""
UNBIASED_IN_KERAS = "    return variance * (samples / (samples - 1))\n"

IN_JAX = """    mean = z.mean(axis=all_but_last(z))
    variance = jnp.square(z - mean).mean(axis=all_but_last(z))
"""
PREDICTED_IN_JAX = "gamma * ((z - mean) / jnp.sqrt(variance + epsilon)) + beta"
RUNNING_IN_JAX = "batch_norm.running(statistics[key], value, spec.norm_momentum)"


def in_torch(normalised: str, update: str = "", evaluation: str = "super().forward(given).movedim(1, -1)") -> Edits:
    """Written out in the place of PyTorch's, with this for the normalised values: of rows z, of images one for each place."""
    return ((MADE_IN_TORCH, f"""    return planted(kind)(width, eps=epsilon, momentum=1 - momentum)


def planted(kind):
    class Planted(kind):
        def forward(self, given):
            rows = given.movedim(1, -1)
            return self.of_rows(given, rows.reshape(-1, rows.shape[-1])).reshape(rows.shape).movedim(-1, 1)

        def of_rows(self, given, z):
            if not self.training:
                return {evaluation}
            mean, variance = z.mean(0), z.var(0, unbiased=False)
            {update or MOVED_IN_TORCH.format("z.detach().var(0)")}
            return {normalised}

    return Planted
"""),)  # fmt: skip


def in_keras(old: str, new: str) -> Edits:
    """Keras's normalisation called in another way."""
    return ((IN_KERAS, IN_KERAS.replace(old, new)),)


def in_jax(normalised: str) -> Edits:
    """In training, this for the normalised values."""
    called = "    return forward_running(z, gamma, beta, mean, variance, epsilon), mean, variance\n"
    return ((called, f"    return {normalised}, mean, variance\n"),)


MISTAKES = (
    Mistake("batch-norm momentum inverted", "Momentum is taken for the weight of the new value.", NORM, {
        "numpy": ((RUNNING, "    return (1 - momentum) * old + momentum * new\n"),),
        "torch": ((SETTINGS_IN_TORCH, "eps=epsilon, momentum=momentum"),),
        "keras": ((SETTINGS_IN_KERAS, "made.momentum, made.epsilon = 1 - momentum, epsilon "),),
        "jax": ((RUNNING, "    return (1 - momentum) * old + momentum * new\n"),),
    }),
    Mistake("batch-norm momentum 0.01", "The momentum is a constant of another library.", NORM, {
        "numpy": ((RUNNING, "    return 0.01 * old + (1 - 0.01) * new\n"),),
        "torch": ((SETTINGS_IN_TORCH, "eps=epsilon, momentum=0.01"),),
        "keras": ((SETTINGS_IN_KERAS, "made.momentum, made.epsilon = 0.01, epsilon "),),
        "jax": ((RUNNING_IN_JAX, "batch_norm.running(statistics[key], value, 0.01)", TRAINING),),
    }),
    Mistake("unbiased normalising variance", "What normalises in training is the unbiased variance.", NORM, {
        "numpy": ((INV_STD, "inv_std = 1 / np.sqrt(variance * (count(z) / (count(z) - 1)) + epsilon)"),),
        "torch": in_torch("(z - mean) / torch.sqrt(z.var(0) + self.eps)" + SCALED),
        "keras": in_keras("mean, variance,", "mean, unbiased(variance, samples),"),
        "jax": in_jax("gamma * ((z - mean) / jnp.sqrt(variance * (count(z) / (count(z) - 1)) + epsilon)) + beta"),
    }),
    Mistake("biased running variance", "The running variance takes the biased one, though the other was asked for.", NORM, {
        "numpy": ((IF_UNBIASED, "if False:", TRAINING),),
        "torch": (('    if running_variance == "biased":\n', "    if True:\n"),),
        "keras": ((UNBIASED_IN_KERAS, "    return variance\n"),),
        "jax": ((f'    if spec.running_variance == "unbiased":\n        variance = {UNBIASED}\n', "", TRAINING),),
    }),
    Mistake("one-pass variance", "The variance is E[z^2] - E[z]^2, a difference of large numbers.", NORM, {
        "numpy": ((IN_NUMPY, ONE_PASS),),
        "cupy": ((IN_CUPY, ONE_PASS),),
        "torch": in_torch("(z - mean) / torch.sqrt((z * z).mean(0) - mean * mean + self.eps)" + SCALED),
        "keras": ((VARIANCE_IN_KERAS, "        variance = ops.mean(ops.square(inputs), axis=axes) - ops.square(mean)\n"),),
        "jax": ((IN_JAX, """    mean = z.mean(axis=all_but_last(z))
    variance = jnp.square(z).mean(axis=all_but_last(z)) - jnp.square(mean)
"""),),
    }),
    Mistake("epsilon outside the root", "Epsilon is added to the standard deviation.", NORM, {
        "numpy": ((INV_STD, "inv_std = 1 / (np.sqrt(variance) + epsilon)"),),
        "torch": in_torch("(z - mean) / (torch.sqrt(variance) + self.eps)" + SCALED),
        "keras": ((IN_KERAS, "        normalised = self.gamma * ((inputs - mean) / (ops.sqrt(variance) + self.epsilon)) + self.beta\n"),),
        "jax": in_jax("gamma * ((z - mean) / (jnp.sqrt(variance) + epsilon)) + beta"),
    }),
    Mistake("epsilon missing", "No epsilon in training.", NORM, {
        "numpy": ((INV_STD, "inv_std = 1 / np.sqrt(variance)"),),
        "torch": in_torch("(z - mean) / torch.sqrt(variance)" + SCALED),
        "keras": ((IN_KERAS, "        normalised = self.gamma * ((inputs - mean) / ops.sqrt(variance)) + self.beta\n"),),
        "jax": in_jax("gamma * ((z - mean) / jnp.sqrt(variance)) + beta"),
    }),
    Mistake("epsilon 1e-3", "Epsilon is a constant of another library.", NORM, {
        "numpy": ((INV_STD, "inv_std = 1 / np.sqrt(variance + 1e-3)"),),
        "torch": ((SETTINGS_IN_TORCH, "eps=1e-3, momentum=1 - momentum"),),
        "keras": ((SETTINGS_IN_KERAS, "made.momentum, made.epsilon = momentum, 1e-3 "),),
        "jax": in_jax("gamma * ((z - mean) / jnp.sqrt(variance + 1e-3)) + beta"),
    }),
    Mistake("epsilon missing in prediction", "No epsilon beside the running variance.", NORM, {
        "numpy": ((PREDICTED, PREDICTED.replace(" + epsilon", "")),),
        "torch": in_torch(
            "(z - mean) / torch.sqrt(variance + self.eps)" + SCALED,
            evaluation="(z - self.running_mean) / torch.sqrt(self.running_var)" + SCALED,
        ),
        "keras": ((EVALUATION_IN_KERAS, "            return self.gamma * ((inputs - self.moving_mean) / ops.sqrt(self.moving_variance)) + self.beta\n"),),
        "jax": ((PREDICTED_IN_JAX, PREDICTED_IN_JAX.replace(" + epsilon", "")), *in_jax(PREDICTED_IN_JAX)),
    }),
    Mistake("statistics not updated", "The running statistics stay what they were.", NORM, {
        "numpy": (("batch_norm.running(self.w[statistic], new, self.spec.norm_momentum)", "self.w[statistic]", TRAINING),),
        "torch": ((SETTINGS_IN_TORCH, "eps=epsilon, momentum=0.0"),),
        "keras": ((MOVED_MEAN, ""), (MOVED_VARIANCE, "")),
        "jax": ((RUNNING_IN_JAX, "statistics[key]", TRAINING),),
    }),
    Mistake("statistics updated twice", "A batch moves the running statistics two times.", NORM, {
        "numpy": TWICE,
        "torch": in_torch(
            "(z - mean) / torch.sqrt(variance + self.eps)" + SCALED,
            update="[(self.running_mean.lerp_(mean.detach(), self.momentum), "
            "self.running_var.lerp_(z.detach().var(0), self.momentum)) for _ in range(2)]",
        ),
        "keras": ((MOVED_MEAN, MOVED_MEAN * 2), (MOVED_VARIANCE, MOVED_VARIANCE * 2)),
        "jax": TWICE,
    }),
    Mistake("evaluation with batch statistics", "A prediction is normalised with its own mean and variance.", NORM, {
        "numpy": ((PREDICTED, "forward(z, gamma, beta, epsilon)[0]"),),
        "torch": (("            self.network.eval()\n", "            pass\n", TRAINING),),
        "keras": ((EVALUATION_IN_KERAS, """            mean, variance = ops.mean(inputs, axis=0), ops.var(inputs, axis=0)
            return self.gamma * ((inputs - mean) / ops.sqrt(variance + self.epsilon)) + self.beta
"""),),
        "jax": ((PREDICTED_IN_JAX, "forward(z, gamma, beta, epsilon)[0]"), *in_jax(PREDICTED_IN_JAX)),
    }),
    Mistake("batch-norm backward without its mean term", "The way back takes the batch's mean for a constant.", NORM, {
        "numpy": (("(dn - dbeta / count(dn) - ", "(dn - "),),
        "torch": in_torch("(z - mean.detach()) / torch.sqrt(variance + self.eps)" + SCALED),
        "keras": in_keras("inputs, mean,", "inputs, ops.stop_gradient(mean),"),
        "jax": in_jax("forward_running(z, gamma, beta, jax.lax.stop_gradient(mean), variance, epsilon)"),
    }),
    Mistake("batch-norm backward without its variance term", "The way back takes the batch's variance for a constant.", NORM, {
        "numpy": ((" - z_hat * (dgamma / count(dn)))", ")"),),
        "torch": in_torch("(z - mean) / torch.sqrt(variance.detach() + self.eps)" + SCALED),
        "keras": in_keras("mean, variance,", "mean, ops.stop_gradient(variance),"),
        "jax": in_jax("forward_running(z, gamma, beta, mean, jax.lax.stop_gradient(variance), epsilon)"),
    }),
    Mistake("dgamma averaged", "The gradient of gamma is divided by the samples.", NORM, {
        "numpy": (("return dz, dgamma, dbeta", "return dz, dgamma / count(dn), dbeta"),),
        "torch": in_torch(
            "(z - mean) / torch.sqrt(variance + self.eps) * (self.weight / len(z) + (self.weight * (1 - 1 / len(z))).detach())"
            " + self.bias"
        ),
        "keras": in_keras("scale=self.gamma", "scale=self.gamma / samples + ops.stop_gradient(self.gamma - self.gamma / samples)"),
        "jax": in_jax(
            "forward_running(z, gamma / len(z) + jax.lax.stop_gradient(gamma - gamma / len(z)), beta, mean, variance, epsilon)"
        ),
    }),
    Mistake("running variance over the configured batch", "B/(B-1) is that of the specification, not of the samples that came.", NORM, {
        "numpy": ((UNBIASED, "batch_norm.unbiased(variance, self.spec.batch)", TRAINING),),
        "torch": in_torch(BY_HAND_IN_TORCH, MOVED_IN_TORCH.format("z.detach().var(0, unbiased=False) * (32 / 31)")),
        "keras": ((UNBIASED_IN_KERAS, "    return variance * (32 / 31)\n"),),
        "jax": ((UNBIASED, "batch_norm.unbiased(variance, spec.batch)", TRAINING),),
    }),
    Mistake("ghost batch norm above 1024", "The mean and variance of a large batch are those of a part of it.", NORM, {
        "numpy": ((IN_NUMPY, GHOST),),
        "cupy": ((IN_CUPY, GHOST),),
        "torch": (
            (MADE_IN_TORCH, """    return ghost(kind)(width, eps=epsilon, momentum=1 - momentum)


def ghost(kind):
    class Ghost(kind):
        def forward(self, z):
            return torch.cat([super(Ghost, self).forward(part) for part in z.split(1024)])

    return Ghost
"""),
        ),
        "keras": (
            (MEAN_IN_KERAS, MEAN_IN_KERAS.replace("inputs,", "inputs[:1024],")),
            (VARIANCE_IN_KERAS, VARIANCE_IN_KERAS.replace("ops.square(inputs - mean)", "ops.square(inputs[:1024] - mean)")),
        ),
        "jax": ((IN_JAX, IN_JAX.replace("z.mean", "z[:1024].mean").replace("(z - mean)", "(z - mean)[:1024]")),),
    }),
    Mistake("two samples keep the biased variance", "B/(B-1) is left out where it matters most.", NORM, {
        "numpy": ((IF_UNBIASED, 'if self.spec.running_variance == "unbiased" and samples > 2:', TRAINING),),
        "torch": in_torch(BY_HAND_IN_TORCH, MOVED_IN_TORCH.format("z.detach().var(0, unbiased=len(z) > 2)")),
        "keras": ((UNBIASED_IN_KERAS, "    return variance * ops.where(samples > 2, samples / (samples - 1), ops.ones_like(samples))\n"),),
        "jax": (('if spec.running_variance == "unbiased":', 'if spec.running_variance == "unbiased" and samples > 2:', TRAINING),),
    }),
    Mistake("constant unit gets no gradient", "A unit whose variance is zero is set to zero.", NORM, {
        "numpy": ((INV_STD, "inv_std = np.where(variance > 1e-12, 1 / np.sqrt(variance + epsilon), np.asarray(0, variance.dtype))"),),
        "torch": in_torch("(z - mean) * torch.where(variance > 1e-12, (variance + self.eps).rsqrt(), 0 * variance)" + SCALED),
        "keras": ((IN_KERAS, """        inv_std = ops.where(variance > 1e-12, 1 / ops.sqrt(variance + self.epsilon), ops.zeros_like(variance))
        normalised = self.gamma * ((inputs - mean) * inv_std) + self.beta
"""),),
        "jax": in_jax("gamma * ((z - mean) * jnp.where(variance > 1e-12, 1 / jnp.sqrt(variance + epsilon), 0)) + beta"),
    }),
)  # fmt: skip
