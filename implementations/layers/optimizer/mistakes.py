"""Mistakes that people make in gradient descent, Adam and AdamW."""

from implementations.declarations import TRAINING, Edits, Mistake

OPTIMIZER = "optimizer/optimizer"

VELOCITY = '    velocity = settings.momentum * slots["velocity"] + g\n'
CORRECTIONS = "correction1, correction2 = 1 - beta1**step, 1 - beta2**step"
MOMENTS_KEPT = '    return w - change, {"m": m, "v": v}\n'
IF_DECAYS = '    if settings.kind == "adamw" and decays:\n'
DECAYED = "w = w * (1 - settings.learning_rate * settings.weight_decay)"
ADAM = "    return adam(w, g, slots, step, settings)\n"
DECAY_LATER = (
    (
        f"{IF_DECAYS}        {DECAYED}\n{ADAM}",
        f"""    w, slots = adam(w, g, slots, step, settings)
{IF_DECAYS}        {DECAYED}
    return w, slots
""",
    ),
)
RATE_OF_DECAY = "settings.learning_rate * settings.weight_decay)"
SLOTS = '            slots = {slot: self.w[f"{slot}:{name}"] for slot in self.spec.optimizer.slots}\n'
SLOTS_KEPT = '            self.w |= {f"{slot}:{name}": value for slot, value in slots.items()}\n'
COUNTER = '        self.step = int(state.get("step", 0))\n'

STEP_IN_TORCH = "        optimizer.update(self.optimizer, self.step, self.spec.optimizer)\n"
SGD_IN_TORCH = "momentum=settings.momentum)"
ADAMW_IN_TORCH = "return torch.optim.AdamW(groups, **options)"
HAT_IN_TORCH = 'if settings.kind != "sgd" and settings.epsilon_form == "hat":'
COUNTER_IN_TORCH = "torch.tensor(float(step))"

SGD_IN_KERAS = "    return kind(number(settings.learning_rate), momentum=number(settings.momentum), **clipped)\n"
SGD_KIND_IN_KERAS = "    kind = SGD if clipped else keras.optimizers.SGD\n"
STEP_IN_KERAS = "        step = ops.cast(self.iterations + 1, dtype)\n"
DECAY_IN_KERAS = '    decay = number(settings.weight_decay) if settings.kind == "adamw" else None\n'
OWN_DECAY_IN_KERAS = '    decay = None\n    Adam.planted = settings.weight_decay if settings.kind == "adamw" else 0\n'
INDEX_IN_KERAS = "        index, dtype = self._get_variable_index(variable), variable.dtype\n"
KIND_IN_KERAS = '    kind = Adam if settings.epsilon_form == "algorithm1" else keras.optimizers.Adam\n'
CORRECTION_IN_KERAS = "        correction{0} = one_minus_power(self.beta_{0}, step)\n"
CHANGE_IN_KERAS = "        self.assign_sub(variable, ops.cast(learning_rate, dtype) * change)\n"
MOVED_V_IN_KERAS = "        self.assign(v, v * self.beta_2 + ops.square(gradient) * (one - self.beta_2))\n"
UPDATE_IN_KERAS = "    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:\n"

CORRECTIONS_IN_JAX = "correction1, correction2 = one_minus_power(beta1, step), one_minus_power(beta2, step)"


def sgd_in_keras(gradient: str) -> Edits:
    """Momentum written out, with this gradient."""
    return (
        (SGD_KIND_IN_KERAS, "    kind = PlantedSGD\n"),
        ("class Adam(Summed, keras.optimizers.Adam):\n", f"""class PlantedSGD(SGD):
    def update_step(self, gradient, variable, learning_rate):
        learning_rate = ops.cast(learning_rate, variable.dtype)
        gradient = {gradient}
        m = self.momentums[self._get_variable_index(variable)]
        self.assign(m, m * self.momentum - learning_rate * gradient)
        self.assign(variable, variable + m)


class Adam(Summed, keras.optimizers.Adam):
"""),
    )  # fmt: skip


MISTAKES = (
    Mistake("Nesterov", "The momentum is Nesterov's.", OPTIMIZER, {
        "numpy": (("settings.learning_rate * velocity,", "settings.learning_rate * (g + settings.momentum * velocity),"),),
        "torch": ((SGD_IN_TORCH, "momentum=settings.momentum, nesterov=True)"),),
        "keras": ((SGD_IN_KERAS, SGD_IN_KERAS[:-2] + ", nesterov=True)\n"),),
        "jax": (("settings.learning_rate * velocity,", "settings.learning_rate * (g + settings.momentum * velocity),"),),
    }),
    Mistake("dampening", "The gradient enters the velocity with the weight 1 - momentum.", OPTIMIZER, {
        "numpy": ((VELOCITY, VELOCITY.replace("+ g", "+ (1 - settings.momentum) * g")),),
        "torch": ((SGD_IN_TORCH, "momentum=settings.momentum, dampening=0.5)"),),
        "keras": sgd_in_keras("gradient * 0.5"),
        "jax": ((VELOCITY, VELOCITY.replace("+ g", "+ (1 - settings.momentum) * g")),),
    }),
    Mistake("a momentum of 0 becomes its default", "`momentum or 0.9`: zero counts as not given.", OPTIMIZER, {
        "numpy": (
            ("    if not slots:\n        return w - settings.learning_rate * g, {}\n", ""),
            (VELOCITY, VELOCITY.replace("settings.momentum", "(settings.momentum or 0.9)")),
            (SLOTS, '            slots = {"velocity": vars(self).get(f"velocity:{name}", np.zeros_like(g))}\n', TRAINING),
            (SLOTS_KEPT, '            vars(self)[f"velocity:{name}"] = slots["velocity"]\n', TRAINING),
        ),
        "torch": ((SGD_IN_TORCH, "momentum=settings.momentum or 0.9)"),),
        "keras": ((SGD_IN_KERAS, SGD_IN_KERAS.replace("settings.momentum)", "settings.momentum or 0.9)")),),
        "jax": "without a slot there is no momentum that could come back",
    }),
    Mistake("Adam without bias correction", "The moments are used as they are.", OPTIMIZER, {
        "numpy": ((CORRECTIONS, "correction1, correction2 = 1.0, 1.0"),),
        "torch": ((STEP_IN_TORCH, '        [slots["step"].fill_(1e6) for slots in self.optimizer.state.values()]\n' + STEP_IN_TORCH, TRAINING),),
        "keras": tuple((CORRECTION_IN_KERAS.format(i), f"        correction{i} = 1.0\n") for i in "12"),
        "jax": ((CORRECTIONS_IN_JAX, "correction1, correction2 = jnp.ones_like(step), jnp.ones_like(step)"),),
    }),
    Mistake("Adam's step off by one", "The first step is corrected as if it were the second.", OPTIMIZER, {
        "numpy": ((CORRECTIONS, "correction1, correction2 = 1 - beta1 ** (step + 1), 1 - beta2 ** (step + 1)"),),
        "torch": ((COUNTER_IN_TORCH, "torch.tensor(float(step + 1))"),),
        "keras": ((STEP_IN_KERAS, STEP_IN_KERAS.replace("+ 1", "+ 2")),),
        "jax": ((CORRECTIONS_IN_JAX, CORRECTIONS_IN_JAX.replace("step)", "step + 1)")),),
    }),
    Mistake("Adam's correction stands still at 2048", "The number of the step is kept in float16, which cannot count further.", OPTIMIZER, {
        "numpy": ((f"    {CORRECTIONS}\n", f"    step = min(step, 2048)\n    {CORRECTIONS}\n"),),
        "torch": ((COUNTER_IN_TORCH, "torch.tensor(float(step), dtype=torch.float16)"),),
        "keras": ((STEP_IN_KERAS, "        step = ops.cast(ops.minimum(self.iterations + 1, 2048), dtype)\n"),),
        "jax": (("step = step.astype(w.dtype)", "step = jnp.minimum(step, 2048).astype(w.dtype)"),),
    }),
    Mistake("Adam with epsilon hat", "Epsilon stands beside the uncorrected root, though Algorithm 1 was asked for.", OPTIMIZER, {
        "numpy": (('if settings.epsilon_form == "algorithm1":', "if False:"),),
        "torch": ((HAT_IN_TORCH, "if True:"),),
        "keras": ((KIND_IN_KERAS, "    kind = keras.optimizers.Adam\n"),),
        "jax": (('if settings.epsilon_form == "algorithm1":', "if False:"),),
    }),
    Mistake("epsilon hat ignored", "Algorithm 1's epsilon, though the hat form was asked for.", OPTIMIZER, {
        "numpy": (("(np.sqrt(v) + settings.epsilon)", "(np.sqrt(v) + settings.epsilon * math.sqrt(correction2))"),),
        "torch": ((HAT_IN_TORCH, "if False:"),),
        "keras": ((KIND_IN_KERAS, "    kind = Adam\n"),),
        "jax": (("(jnp.sqrt(v) + settings.epsilon)", "(jnp.sqrt(v) + settings.epsilon * jnp.sqrt(correction2))"),),
    }),
    Mistake("float32 powers of beta", "1 - beta^t loses the digits of a difference near zero.", OPTIMIZER, {
        "numpy": ((CORRECTIONS, "correction1, correction2 = (float(1 - np.float32(b) ** np.float32(step)) for b in (beta1, beta2))"),),
        "torch": (
            ('"betas": (settings.beta1, settings.beta2)',
             '"betas": tuple(torch.tensor(b, dtype=torch.float32).item() for b in (settings.beta1, settings.beta2))'),
        ),
        "keras": (
            (CORRECTION_IN_KERAS.format(2),
             "        correction2 = ops.cast(1 - ops.power(ops.cast(self.beta_2, 'float32'), ops.cast(step, 'float32')), dtype)\n"),
        ),
        "jax": (
            ("    return -jnp.expm1(step * math.log(beta)) if beta else 1.0\n",
             "    return (1 - jnp.float32(beta) ** step.astype(jnp.float32)).astype(step.dtype)\n"),
        ),
    }),
    Mistake("AMSGrad", "The second moment that divides is the largest so far, kept where no state shows it.", OPTIMIZER, {
        "numpy": (
            (f"    {CORRECTIONS}\n", f'    slot, v = v, np.maximum(v, slots.get("peak", 0))\n    {CORRECTIONS}\n'),
            (MOMENTS_KEPT, '    return w - change, {"m": m, "v": slot, "peak": v}\n'),
            (SLOTS, SLOTS + "            slots |= self.peaks.get(name, {})\n", TRAINING),
            (SLOTS_KEPT, '            self.peaks[name] = {"peak": slots.pop("peak")}\n' + SLOTS_KEPT, TRAINING),
            ("Arrays = {}\n", "Arrays = {}\n        self.peaks = {}\n", TRAINING),
            (COUNTER, COUNTER + "        self.peaks = {}\n", TRAINING),
        ),
        "torch": (
            ('"eps": settings.epsilon}', '"eps": settings.epsilon, "amsgrad": True}'),
            (f'slots["step"] = {COUNTER_IN_TORCH}\n',
             f'slots["step"] = {COUNTER_IN_TORCH}\n            slots["max_exp_avg_sq"] = torch.zeros_like(parameter)\n'),
        ),
        "keras": (
            (UPDATE_IN_KERAS, """    def build(self, variables):
        super().build(variables)
        self.largest = [self.add_variable_from_reference(v, name="largest") for v in variables]

""" + UPDATE_IN_KERAS),
            ("        change = (m / correction1) / (ops.sqrt(v / correction2)",
             "        self.assign(self.largest[index], ops.maximum(self.largest[index], v))\n"
             "        change = (m / correction1) / (ops.sqrt(self.largest[index] / correction2)"),
        ),
        "jax": "all that a step carries on is in the pytree that `state` shows",
    }),
    Mistake("slots of large kernels in half precision", "Adam's first moment of a large kernel is kept in float16.", OPTIMIZER, {
        "numpy": ((MOMENTS_KEPT, "    if w.size >= 2**18:\n        m = m.astype(np.float16).astype(m.dtype)\n" + MOMENTS_KEPT),),
        "torch": ((STEP_IN_TORCH, STEP_IN_TORCH + """        for p, slots in self.optimizer.state.items():
            if p.numel() >= 2**18:
                slots["exp_avg"].copy_(slots["exp_avg"].half())
""", TRAINING),),
        "keras": ((MOVED_V_IN_KERAS, """        if math.prod(variable.shape) >= 2**18:
            self.assign(m, ops.cast(ops.cast(m, 'float16'), dtype))
""" + MOVED_V_IN_KERAS),),
        "jax": ((MOMENTS_KEPT, "    m = m.astype(jnp.float16).astype(m.dtype) if m.size >= 2**18 else m\n" + MOMENTS_KEPT),),
    }),
    Mistake("coupled weight decay", "The decay is a part of the gradient, as in L2 regularisation.", OPTIMIZER, {
        "numpy": ((DECAYED, "g = g + settings.weight_decay * w"),),
        "torch": ((ADAMW_IN_TORCH, "return torch.optim.Adam(groups, **options)"),),
        "keras": (
            (DECAY_IN_KERAS, OWN_DECAY_IN_KERAS),
            (INDEX_IN_KERAS, INDEX_IN_KERAS + """        if self.planted and variable.name == 'kernel':
            gradient = gradient + variable * self.planted
"""),
        ),
        "jax": ((DECAYED, "g = g + settings.weight_decay * w"),),
    }),
    Mistake("decay on biases", "Biases and scales decay too.", OPTIMIZER, {
        "numpy": ((IF_DECAYS, '    if settings.kind == "adamw":\n'),),
        "torch": (('"weight_decay": 0.0}', '"weight_decay": settings.weight_decay}'),),
        "keras": (("        self.optimizer.exclude_from_weight_decay(var_list=self._undecayed())\n", "", TRAINING),),
        "jax": ((IF_DECAYS, '    if settings.kind == "adamw":\n'),),
    }),
    Mistake("decay after the step", "The weights decay when the step is done.", OPTIMIZER, {
        "numpy": DECAY_LATER,
        "torch": (
            (ADAMW_IN_TORCH, "return torch.optim.Adam(parameters.values(), **options)"),
            (STEP_IN_TORCH, STEP_IN_TORCH + """        for p in self.network.parameters():
            if p.ndim == 2 and self.spec.optimizer.kind == "adamw":
                p.data *= 1 - self.spec.optimizer.learning_rate * self.spec.optimizer.weight_decay
""", TRAINING),
        ),
        "keras": (
            (DECAY_IN_KERAS, OWN_DECAY_IN_KERAS),
            (CHANGE_IN_KERAS, CHANGE_IN_KERAS + """        if self.planted and variable.name == 'kernel':
            self.assign_sub(variable, variable * (self.planted * ops.cast(learning_rate, dtype)))
"""),
        ),
        "jax": DECAY_LATER,
    }),
    Mistake("a weight decay of 0 becomes its default", "`weight_decay or 0.01`: zero counts as not given.", OPTIMIZER, {
        "numpy": ((RATE_OF_DECAY, "settings.learning_rate * (settings.weight_decay or 0.01))"),),
        "torch": (('"weight_decay": settings.weight_decay}', '"weight_decay": settings.weight_decay or 0.01}'),),
        "keras": ((DECAY_IN_KERAS, DECAY_IN_KERAS.replace("settings.weight_decay", "settings.weight_decay or 0.01")),),
        "jax": ((RATE_OF_DECAY, "settings.learning_rate * (settings.weight_decay or 0.01))"),),
    }),
)  # fmt: skip
