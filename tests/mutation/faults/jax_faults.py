"""The faults in JAX. What it does by itself on the way back is stopped or turned where it would go wrong."""

MOMENTS = """    mean = z.mean(axis=0)
    variance = jnp.square(z - mean).mean(axis=0)
"""
NORMALISED = "    return forward_running(z, gamma, beta, mean, variance, epsilon), mean, variance\n"
UNBIASED = """    if spec.running_variance == "unbiased":
        variance = batch_norm.unbiased(variance, samples)
"""
RUNNING = "    return momentum * old + (1 - momentum) * new\n"
STATISTICS = "batch_norm.running(statistics[key], value, spec.norm_momentum)"
PREDICTION = "            h = batch_norm.forward_running(h, gamma, beta, mean, variance, spec.norm_epsilon)\n"
DENSE = "    z = x @ weight\n"
BIAS = "    return z if bias is None else z + bias\n"
RELU = "    return jax.nn.relu(n)\n"
PREDICTED = "        h = relu.forward(h)\n    return output"
MASK = "    return kept.astype(dtype) / (1 - rate)\n"
KEPT = "    kept = random.bernoulli(key, 1 - rate, shape)\n"
SPLIT = "        key, subkey = random.split(key)\n"
DROPOUT = "    return a * mask\n"
SAMPLE_LOSSES = "    return -log_p[(*jnp.indices(y.shape), y)]\n"
LOG_P = "    log_p = jax.nn.log_softmax(logits)\n"
MEAN = '    return cross_entropy.forward(logits, batch["y"]).mean(), statistics\n'
NEW = "    parameters, slots = update(old.parameters, gradients, old.slots, spec)\n"
RETURNED = "    return Training(parameters, statistics, slots, key), loss\n"
TRAIN_STEP = "def train_step(old: Training, batch: Tensors, network: Network, spec: Any)"
STEP = "        self.tensors, loss = self._train_step(self.tensors, batch)\n"
VELOCITY = '    velocity = settings.momentum * slots["velocity"] + g\n'
MOVED = '    return w - settings.learning_rate * velocity, {"velocity": velocity}\n'
CORRECTIONS = "correction1, correction2 = one_minus_power(beta1, step), one_minus_power(beta2, step)"
POWER = "    return -jnp.expm1(step * math.log(beta)) if beta else 1.0\n"
DECAY = """    if settings.kind == "adamw" and decays:
        w = w * (1 - settings.learning_rate * settings.weight_decay)
"""
ADAM = "    return adam(w, g, slots, step, settings)\n"
SPENT = "        new_parameters[name] = w\n"


def importing(text: str) -> str:
    """The text for a file that does not import all of JAX."""
    return text.replace("jax.", '__import__("jax").')


def normalised(expression: str) -> tuple[tuple[str, str], ...]:
    """Batch norm in training with this for the normalised values."""
    return ((NORMALISED, f"    return {importing(expression)}, mean, variance\n"),)


def factors(rounded: str) -> tuple[tuple[str, str], ...]:
    """A matrix product of factors that are rounded like this."""
    return ((DENSE, importing(f"    z = {rounded.format('x')} @ {rounded.format('weight')}\n")),)


EDITS = {
    "batch-norm momentum inverted": (
        (RUNNING, "    return (1 - momentum) * old + momentum * new\n"),
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
    "statistics not updated": ((STATISTICS, "statistics[key]"),),
    "statistics updated twice": (
        (RUNNING, "    old = momentum * old + (1 - momentum) * new\n" + RUNNING),
    ),
    "evaluation with batch statistics": (
        (PREDICTION, "            h = batch_norm.forward(h, gamma, beta, spec.norm_epsilon)[0]\n"),
    ),
    "batch-norm backward without its mean term": normalised(
        "forward_running(z, gamma, beta, jax.lax.stop_gradient(mean), variance, epsilon)"
    ),
    "batch-norm backward without its variance term": normalised(
        "forward_running(z, gamma, beta, mean, jax.lax.stop_gradient(variance), epsilon)"
    ),
    "dgamma averaged": normalised(
        "forward_running(z, gamma / len(z) + jax.lax.stop_gradient(gamma - gamma / len(z)), beta, mean, variance, epsilon)"
    ),
    "dropout on in evaluation": (
        (PREDICTED, "        h = relu.forward(h) * dropout.mask(dropout.random.key(0), h.shape, spec.dropout, spec.dtype)\n    return output"),
    ),
    "dropout unscaled": ((MASK, "    return kept.astype(dtype)\n"),),
    "dropout scaled by 1/p": ((MASK, MASK.replace("(1 - rate)", "rate")),),
    "dropout keeps p": ((KEPT, KEPT.replace("1 - rate", "rate")),),
    "dropout rate halved": ((KEPT, KEPT.replace("rate", "rate / 2")),),
    "dropout backward unmasked": ((DROPOUT, importing("    return a + jax.lax.stop_gradient(a * mask - a)\n")),),
    "mask reused": ((SPLIT, "        _, subkey = random.split(random.key(0))\n"),),
    "square weight transposed": ((DENSE, "    z = x @ (weight.T if weight.shape[0] == weight.shape[1] else weight)\n"),),
    "bias gradient averaged": (
        (BIAS, importing("    return z if bias is None else z + bias / len(x) + jax.lax.stop_gradient(bias - bias / len(x))\n")),
    ),
    "ReLU passes all gradients": ((RELU, "    return n + jax.lax.stop_gradient(jax.nn.relu(n) - n)\n"),),
    "leaky ReLU": ((RELU, "    return jax.nn.leaky_relu(n, 0.01)\n"),),
    "label off by one": ((SAMPLE_LOSSES, SAMPLE_LOSSES.replace(", y)]", ", (y + 1) % logits.shape[1])]")),),
    "label smoothing": ((SAMPLE_LOSSES, "    return -0.99 * log_p[(*jnp.indices(y.shape), y)] - 0.01 * log_p.mean(axis=1)\n"),),
    "loss summed": ((MEAN, MEAN.replace("mean()", "sum()")),),
    "gradient summed": (
        (MEAN, "    losses = cross_entropy.forward(logits, batch[\"y\"])\n    return losses.sum() + jax.lax.stop_gradient(losses.mean() - losses.sum()), statistics\n"),
    ),
    "softmax overflow": ((LOG_P, "    log_p = jnp.log(jnp.exp(logits) / jnp.exp(logits).sum(axis=1, keepdims=True))\n"),),
    "clipped cross-entropy": ((LOG_P, "    log_p = jnp.log(jnp.clip(jax.nn.softmax(logits), 1e-7, 1 - 1e-7))\n"),),
    "stale gradient": (
        (NEW, NEW.replace("gradients", "stale")),
        (RETURNED, RETURNED.replace("loss", "loss, gradients")),
        (TRAIN_STEP, TRAIN_STEP.replace("batch: Tensors,", "batch: Tensors, stale: Tensors,")),
        (STEP, """        stale = getattr(self, "stale", self.tensors.parameters)
        self.tensors, loss, self.stale = self._train_step(self.tensors, batch, stale)
"""),
    ),
    "gradient not reset": (
        (NEW, "    held = jax.tree.map(jax.numpy.add, gradients, held)\n" + NEW.replace("gradients", "held")),
        (RETURNED, RETURNED.replace("loss", "loss, held")),
        (TRAIN_STEP, TRAIN_STEP.replace("batch: Tensors,", "batch: Tensors, held: Tensors,")),
        (STEP, """        held = getattr(self, "held", jax.tree.map(jax.numpy.zeros_like, self.tensors.parameters))
        self.tensors, loss, self.held = self._train_step(self.tensors, batch, held)
"""),
    ),
    "Nesterov": ((MOVED, MOVED.replace("* velocity,", "* (g + settings.momentum * velocity),")),),
    "dampening": ((VELOCITY, VELOCITY.replace("+ g", "+ (1 - settings.momentum) * g")),),
    "Adam without bias correction": ((CORRECTIONS, "correction1, correction2 = jnp.ones_like(step), jnp.ones_like(step)"),),
    "Adam's step off by one": ((CORRECTIONS, CORRECTIONS.replace("step)", "step + 1)")),),
    "Adam with epsilon hat": (('if settings.epsilon_form == "algorithm1":', "if False:"),),
    "float32 powers of beta": ((POWER, "    return (1 - jnp.float32(beta) ** step.astype(jnp.float32)).astype(step.dtype)\n"),),
    "coupled weight decay": ((DECAY, DECAY.replace("w = w * (1 - settings.learning_rate * settings.weight_decay)", "g = g + settings.weight_decay * w")),),
    "decay on biases": ((DECAY, DECAY.replace(" and decays", "")),),
    "decay after the step": (
        (DECAY, ""),
        (ADAM, "    w, slots = adam(w, g, slots, step, settings)\n" + DECAY + "    return w, slots\n"),
    ),
    "TF32 on": factors("jax.lax.reduce_precision({0}, 8, 10)"),
    "silent downcast": ((DENSE, "    z = (x.astype('bfloat16') @ weight.astype('bfloat16')).astype(x.dtype)\n"),),
}  # fmt: skip

ELSEWHERE = {"input overwritten": "an array of JAX cannot be written to"}
