"""The faults in JAX. What it does by itself on the way back is stopped or turned where it would go wrong."""

MOMENTS = """    mean = z.mean(axis=0)
    variance = jnp.square(z - mean).mean(axis=0)
"""
NORMALISED = "    return batch_norm_running(z, gamma, beta, mean, variance, epsilon), mean, variance\n"
RUNNING = "    return gamma * ((z - mean) / jnp.sqrt(variance + epsilon)) + beta\n"
UNBIASED = """    if spec.running_variance == "unbiased":
        variance = variance * (batch / (batch - 1))
"""
STATISTICS = (
    "    return {name: spec.norm_momentum * statistics[name] + (1 - spec.norm_momentum) * new[name] for name in new}\n"
)
PREDICTION = """            h = batch_norm_running(
                h,
                w[f"norm{i}.gamma"],
                w[f"norm{i}.beta"],
                statistics[f"norm{i}.running_mean"],
                statistics[f"norm{i}.running_variance"],
                spec.norm_epsilon,
            )
"""
DENSE = "    z = x @ weight\n"
BIAS = "    return z if bias is None else z + bias\n"
RELU = "    return jax.nn.relu(n)\n"
PREDICTED = "        h = relu(h)\n    return output(h, w"
MASK = "    return kept.astype(spec.dtype) / (1 - spec.dropout)\n"
KEPT = "    kept = random.bernoulli(key, 1 - spec.dropout, shape)\n"
SPLIT = "        key, subkey = random.split(key)\n"
DROPOUT = "    return a * mask\n"
SAMPLE_LOSSES = "    return -log_p[jnp.arange(len(y)), y]\n"
LOG_P = "    log_p = jax.nn.log_softmax(logits)\n"
MEAN = "    return cross_entropy(logits, y).mean(), statistics\n"
FORWARD = "        if spec.batch_norm:\n            h, mean, variance"
GRADIENTS = "    return jax.value_and_grad(loss, has_aux=True)(parameters, *rest)\n"
STEP = "        self.tensors, loss = self._train_step(self.tensors, x, y)\n"
VELOCITY = '    velocity = settings.momentum * slots["velocity"] + g\n'
MOVED = '    return w - settings.learning_rate * velocity, {"velocity": velocity}\n'
CORRECTIONS = "correction1, correction2 = one_minus_power(settings.beta1, step), one_minus_power(settings.beta2, step)"
POWER = "    return -jnp.expm1(step * math.log(beta)) if beta else 1.0\n"
DECAY = """        if settings.kind == "adamw" and name.endswith(".weight"):
            w = w * (1 - settings.learning_rate * settings.weight_decay)
"""
SPENT = "        new_parameters[name] = w\n"


def normalised(expression: str) -> tuple[tuple[str, str], ...]:
    """Batch norm in training with this for the normalised values."""
    return ((NORMALISED, f"    return {expression}, mean, variance\n"),)


def factors(rounded: str) -> tuple[tuple[str, str], ...]:
    """A matrix product of factors that are rounded like this."""
    return ((DENSE, f"    z = {rounded.format('x')} @ {rounded.format('weight')}\n"),)


EDITS = {
    "batch-norm momentum inverted": (
        (STATISTICS, STATISTICS.replace("(1 - spec.norm_momentum)", "OLD").replace("spec.norm_momentum", "(1 - spec.norm_momentum)").replace("OLD", "spec.norm_momentum")),
    ),
    "batch-norm momentum 0.01": ((STATISTICS, STATISTICS.replace("spec.norm_momentum", "0.01")),),
    "unbiased normalising variance": normalised(
        "gamma * ((z - mean) / jnp.sqrt(variance * (len(z) / (len(z) - 1)) + epsilon)) + beta"
    ),
    "biased running variance": ((UNBIASED, ""),),
    "one-pass variance": ((MOMENTS, """    mean = z.mean(axis=0)
    variance = jnp.square(z).mean(axis=0) - jnp.square(mean)
"""),),
    "epsilon outside the root": normalised("gamma * ((z - mean) / (jnp.sqrt(variance) + epsilon)) + beta"),
    "epsilon missing": normalised("gamma * ((z - mean) / jnp.sqrt(variance)) + beta"),
    "epsilon 1e-3": normalised("gamma * ((z - mean) / jnp.sqrt(variance + 1e-3)) + beta"),
    "epsilon missing in prediction": ((PREDICTION, PREDICTION.replace("spec.norm_epsilon", "0.0")),),
    "statistics not updated": ((STATISTICS, "    return {name: statistics[name] for name in new}\n"),),
    "statistics updated twice": (
        (STATISTICS, "    statistics = {name: spec.norm_momentum * statistics[name] + (1 - spec.norm_momentum) * new[name] for name in new}\n" + STATISTICS),
    ),
    "evaluation with batch statistics": (
        (PREDICTION, '            h = batch_norm(h, w[f"norm{i}.gamma"], w[f"norm{i}.beta"], spec.norm_epsilon)[0]\n'),
    ),
    "batch-norm backward without its mean term": normalised(
        "batch_norm_running(z, gamma, beta, jax.lax.stop_gradient(mean), variance, epsilon)"
    ),
    "batch-norm backward without its variance term": normalised(
        "batch_norm_running(z, gamma, beta, mean, jax.lax.stop_gradient(variance), epsilon)"
    ),
    "dgamma averaged": normalised(
        "batch_norm_running(z, gamma / len(z) + jax.lax.stop_gradient(gamma - gamma / len(z)), beta, mean, variance, epsilon)"
    ),
    "dropout on in evaluation": (
        (PREDICTED, "        h = relu(h) * dropout_mask(random.key(0), h.shape, spec)\n    return output(h, w"),
    ),
    "dropout unscaled": ((MASK, "    return kept.astype(spec.dtype)\n"),),
    "dropout scaled by 1/p": ((MASK, MASK.replace("(1 - spec.dropout)", "spec.dropout")),),
    "dropout keeps p": ((KEPT, KEPT.replace("1 - spec.dropout", "spec.dropout")),),
    "dropout rate halved": ((KEPT, KEPT.replace("spec.dropout", "spec.dropout / 2")),),
    "dropout backward unmasked": ((DROPOUT, "    return a + jax.lax.stop_gradient(a * mask - a)\n"),),
    "mask reused": ((SPLIT, "        _, subkey = random.split(random.key(0))\n"),),
    "square weight transposed": ((DENSE, "    z = x @ (weight.T if weight.shape[0] == weight.shape[1] else weight)\n"),),
    "bias gradient averaged": (
        (BIAS, "    return z if bias is None else z + bias / len(x) + jax.lax.stop_gradient(bias - bias / len(x))\n"),
    ),
    "ReLU passes all gradients": ((RELU, "    return n + jax.lax.stop_gradient(jax.nn.relu(n) - n)\n"),),
    "leaky ReLU": ((RELU, "    return jax.nn.leaky_relu(n, 0.01)\n"),),
    "label off by one": ((SAMPLE_LOSSES, SAMPLE_LOSSES.replace(", y]", ", (y + 1) % logits.shape[1]]")),),
    "label smoothing": ((SAMPLE_LOSSES, "    return -0.99 * log_p[jnp.arange(len(y)), y] - 0.01 * log_p.mean(axis=1)\n"),),
    "loss summed": ((MEAN, MEAN.replace("mean()", "sum()")),),
    "gradient summed": (
        (MEAN, "    losses = cross_entropy(logits, y)\n    return losses.sum() + jax.lax.stop_gradient(losses.mean() - losses.sum()), statistics\n"),
    ),
    "softmax overflow": ((LOG_P, "    log_p = jnp.log(jnp.exp(logits) / jnp.exp(logits).sum(axis=1, keepdims=True))\n"),),
    "clipped cross-entropy": ((LOG_P, "    log_p = jnp.log(jnp.clip(jax.nn.softmax(logits), 1e-7, 1 - 1e-7))\n"),),
    "stale gradient": (
        ("    parameters, slots = update(old.parameters, gradients, old.slots, spec.optimizer)\n"
         "    return Training(parameters, statistics, slots, key), loss\n",
         "    parameters, slots = update(old.parameters, stale, old.slots, spec.optimizer)\n"
         "    return Training(parameters, statistics, slots, key), loss, gradients\n"),
        ("def train_step(old: Training, x: Array, y: Array, spec: MLPSpec)", "def train_step(old: Training, x: Array, y: Array, stale: Tensors, spec: MLPSpec)"),
        (STEP, "        stale = getattr(self, \"stale\", self.tensors.parameters)\n"
               "        self.tensors, loss, self.stale = self._train_step(self.tensors, x, y, stale)\n"),
    ),
    "gradient not reset": (
        ("    parameters, slots = update(old.parameters, gradients, old.slots, spec.optimizer)\n"
         "    return Training(parameters, statistics, slots, key), loss\n",
         "    held = jax.tree.map(jnp.add, gradients, held)\n"
         "    parameters, slots = update(old.parameters, held, old.slots, spec.optimizer)\n"
         "    return Training(parameters, statistics, slots, key), loss, held\n"),
        ("def train_step(old: Training, x: Array, y: Array, spec: MLPSpec)", "def train_step(old: Training, x: Array, y: Array, held: Tensors, spec: MLPSpec)"),
        (STEP, "        held = getattr(self, \"held\", jax.tree.map(jnp.zeros_like, self.tensors.parameters))\n"
               "        self.tensors, loss, self.held = self._train_step(self.tensors, x, y, held)\n"),
    ),
    "Nesterov": ((MOVED, MOVED.replace("* velocity,", "* (g + settings.momentum * velocity),")),),
    "dampening": ((VELOCITY, VELOCITY.replace("+ g", "+ (1 - settings.momentum) * g")),),
    "Adam without bias correction": ((CORRECTIONS, "correction1, correction2 = jnp.ones_like(step), jnp.ones_like(step)"),),
    "Adam's step off by one": ((CORRECTIONS, CORRECTIONS.replace("step)", "step + 1)")),),
    "Adam with epsilon hat": (('if settings.epsilon_form == "algorithm1":', "if False:"),),
    "float32 powers of beta": ((POWER, "    return (1 - jnp.float32(beta) ** step.astype(jnp.float32)).astype(step.dtype)\n"),),
    "coupled weight decay": ((DECAY, DECAY.replace("w = w * (1 - settings.learning_rate * settings.weight_decay)", "g = g + settings.weight_decay * w")),),
    "decay on biases": ((DECAY, DECAY.replace(' and name.endswith(".weight")', "")),),
    "decay after the step": (
        (DECAY, ""),
        (SPENT, DECAY + SPENT),
    ),
    "TF32 on": factors("jax.lax.reduce_precision({0}, 8, 10)"),
    "silent downcast": ((DENSE, "    z = (x.astype(jnp.bfloat16) @ weight.astype(jnp.bfloat16)).astype(x.dtype)\n"),),
}  # fmt: skip

ELSEWHERE = {"input overwritten": "an array of JAX cannot be written to"}
