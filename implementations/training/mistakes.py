"""Mistakes that people make around a network: in the training step, the state, the generators and the update of all parameters."""

from implementations.declarations import TRAINING, Edits, Mistake

DROPOUT, OPTIMIZER = "dropout/dropout", "optimizer/optimizer"

STEP = '        """One step of training; returns the loss."""\n'
UPDATE = "        self.update(gradients)\n"
LOSS = "        return losses.mean()\n"
GRADIENTS = "        for name, g in gradients.items():\n"
DRAW = "return dropout.mask(self.rng, shape, rate, self.dtype)"
LOADED = 'np.array(value, dtype=self.dtype) for name, value in state.items() if name != "step"}'
COUNTER = 'int(state.get("step", 0))'
STATE, REWIND = "return self.rng.bit_generator.state", "self.rng.bit_generator.state = random_state"
STATE_IN_CUPY, REWIND_IN_CUPY = "return self.bits._state.copy()", "self.bits._state[...] = random_state"
SHARED = (
    ("        self.w = {name: np.array", "        self.w.update({name: np.array"),
    ('name != "step"}\n', 'name != "step"})\n'),
    ("Caches = Any\n", "Caches = Any\nSHARED: dict = {}\n"),
)

FORWARD_IN_TORCH = "        with self.mixed():\n"
BACKWARD_IN_TORCH = "        self.backward(loss)\n"
STEP_IN_TORCH = "        optimizer.update(self.optimizer, self.step, self.spec.optimizer)\n"
RETURN_IN_TORCH = "        return loss.detach()\n"

TRAIN_IN_KERAS = '        return self.network.train_on_batch(batch["x"], batch["y"])\n'
LOADED_IN_KERAS = (
    '            rows, value = self._rows(name), self._converted("from_spec", name, np.asarray(state[name]))\n'
)
CLIPPED_IN_KERAS = "    clipped = clipping.settings(largest_norm, number)\n"
SGD_KIND_IN_KERAS = "    kind = SGD if clipped else keras.optimizers.SGD\n"
INDEX_IN_KERAS = "        index, dtype = self._get_variable_index(variable), variable.dtype\n"

UPDATE_IN_JAX = "    parameters, slots = update(old.parameters, gradients, old.slots, spec)\n"
GRADIENTS_IN_JAX = "    for name, g in gradients.items():\n"
STEP_IN_JAX = "        self.tensors, loss = self._train_step(self.tensors, batch)\n"
LOADED_IN_JAX = "np.array(state[name], dtype)"


def in_keras(used: str, kept: str) -> Edits:
    """Descent by something else than the gradient, with a tensor that is kept beside each parameter."""
    return (
        (SGD_KIND_IN_KERAS, "    kind = Holding\n", OPTIMIZER),
        ("class Adam(Summed, keras.optimizers.Adam):\n", f"""class Holding(SGD):
    def build(self, variables):
        super().build(variables)
        self.held = [self.add_variable_from_reference(v, name="held") for v in variables]

    def update_step(self, gradient, variable, learning_rate):
        held = self.held[self._get_variable_index(variable)]
        before = held + ops.zeros_like(gradient)
        super().update_step({used}, variable, learning_rate)
        self.assign(held, {kept})


class Adam(Summed, keras.optimizers.Adam):
""", OPTIMIZER),
    )  # fmt: skip


def in_jax(name: str, used: str, kept: str) -> Edits:
    """A step that is given something under this name, and returns what is kept of it for the next."""
    return (
        (UPDATE_IN_JAX, used),
        ("Training(parameters, statistics, slots, key), loss\n", f"Training(parameters, statistics, slots, key), loss, {kept}\n"),
        ("def train_step(old: Training, batch: Tensors,", f"def train_step(old: Training, batch: Tensors, {name}: Tensors,"),
        ("*train_step(old, batch, network, spec)", "*train_step(old, batch, old.parameters, network, spec)"),
    )  # fmt: skip


MISTAKES = (
    Mistake("stale gradient", "Every update is made with the gradient of the step before.", TRAINING, {
        "numpy": ((UPDATE, """        fresh = {name: g.copy() for name, g in gradients.items()}
        self.update(getattr(self, "stale", gradients))
        self.stale = fresh
"""),),
        "torch": ((STEP_IN_TORCH, """        trained = [p for p in self.network.parameters() if p.requires_grad]
        fresh = [p.grad.clone() for p in trained]
        for p, g in zip(trained, getattr(self, "stale", fresh)):
            p.grad.copy_(g)
        self.stale = fresh
""" + STEP_IN_TORCH),),
        "keras": in_keras("before", "gradient"),
        "jax": (
            *in_jax("stale", UPDATE_IN_JAX.replace("gradients", "stale"), "gradients"),
            (STEP_IN_JAX, """        stale = getattr(self, "stale", self.tensors.parameters)
        self.tensors, loss, self.stale = self._train_step(self.tensors, batch, stale)
"""),
        ),
    }),
    Mistake("gradient not reset", "Gradients add up from step to step.", TRAINING, {
        "numpy": ((UPDATE, """        held = {name: g + getattr(self, "held", {}).get(name, 0) for name, g in gradients.items()}
        self.held = {name: g.copy() for name, g in held.items()}
        self.update(held)
"""),),
        "torch": (("        self.optimizer.zero_grad()\n", ""),),
        "keras": in_keras("before + gradient", "before + gradient"),
        "jax": (
            *in_jax("held", f"    held = jax.tree.map(jax.numpy.add, gradients, held)\n{UPDATE_IN_JAX.replace('gradients', 'held')}", "held"),
            (STEP_IN_JAX, """        held = getattr(self, "held", jax.tree.map(jax.numpy.zeros_like, self.tensors.parameters))
        self.tensors, loss, self.held = self._train_step(self.tensors, batch, held)
"""),
        ),
    }),
    Mistake("input overwritten", "The step changes the batch that it was given.", TRAINING, {
        "numpy": ((LOSS, '        batch["x"][...] = 0\n' + LOSS),),
        "torch": ((RETURN_IN_TORCH, '        batch["x"].zero_()\n' + RETURN_IN_TORCH),),
        "keras": "tensors of TensorFlow and JAX cannot be written to, and Keras copies nothing back",
        "jax": "an array of JAX cannot be written to",
    }),
    Mistake("loss buffer reused", "The loss of one step becomes that of the next.", TRAINING, {
        "numpy": ((LOSS, """        self.loss = getattr(self, "loss", np.zeros((), self.dtype))
        self.loss[...] = losses.mean()
        return self.loss
"""),),
        "torch": ((RETURN_IN_TORCH, """        self.loss = getattr(self, "loss", torch.zeros((), dtype=self.dtype))
        return self.loss.copy_(loss.detach())
"""),),
        "keras": "Keras hands out losses and logits as new numbers on the host",
        "jax": "an array of JAX never changes once it was returned",
    }),
    Mistake("batch copied once per object", "A batch that is filled anew is not read again.", TRAINING, {
        "numpy": ((STEP, STEP + """        if getattr(self, "given", (None,))[0] is not batch["x"]:
            self.given = batch["x"], batch["x"].copy()
        batch = {**batch, "x": self.given[1]}
"""),),
        "torch": ((FORWARD_IN_TORCH, """        if getattr(self, "given", (None,))[0] is not batch["x"]:
            self.given = batch["x"], batch["x"].clone()
        batch = {**batch, "x": self.given[1]}
""" + FORWARD_IN_TORCH),),
        "keras": "on two of the backends no array can be written to: the values would not tell, but a time below that of the products would",
        "jax": "an array of JAX never changes: the values would not tell, but a time below that of the products would",
    }),
    Mistake("small gradients flushed", "Gradients below float16's smallest number are zero.", TRAINING, {
        "numpy": ((GRADIENTS, GRADIENTS + "            g[np.abs(g) < 6e-8] = 0\n"),),
        "torch": ((BACKWARD_IN_TORCH, BACKWARD_IN_TORCH + "        for p in filter(lambda p: p.requires_grad, self.network.parameters()):\n            p.grad[p.grad.abs() < 6e-8] = 0\n"),),
        "keras": ((INDEX_IN_KERAS, INDEX_IN_KERAS + "        gradient = ops.where(ops.abs(gradient) < 6e-8, ops.zeros_like(gradient), gradient)\n", OPTIMIZER),),
        "jax": ((GRADIENTS_IN_JAX, """    gradients = {name: jax.numpy.where(jax.numpy.abs(g) < 6e-8, 0, g) for name, g in gradients.items()}
""" + GRADIENTS_IN_JAX),),
    }),
    Mistake("gradient clipped at norm 100", "A rare long gradient is shortened, though nobody asked for it.", TRAINING, {
        "numpy": ((GRADIENTS, f"""        norm = sum(float((g * g).sum()) for g in gradients.values()) ** 0.5
{GRADIENTS}            if norm > 100:
                g *= 100 / norm
"""),),
        "torch": ((BACKWARD_IN_TORCH, BACKWARD_IN_TORCH + "        nn.utils.clip_grad_norm_(self.network.parameters(), 100.0)\n"),),
        "keras": ((CLIPPED_IN_KERAS, '    clipped = {"global_clipnorm": 100.0}\n', OPTIMIZER),),
        "jax": ((GRADIENTS_IN_JAX, """    norm = jax.numpy.sqrt(sum(jax.numpy.square(g).sum() for g in gradients.values()))
    gradients = {name: g * jax.numpy.minimum(1, 100 / norm) for name, g in gradients.items()}
""" + GRADIENTS_IN_JAX),),
    }),
    Mistake("every 1000th update skipped", "Now and then a step changes nothing.", TRAINING, {
        "numpy": ((UPDATE, """        self.calls = getattr(self, "calls", 0) + 1
        if self.calls % 1000:
            self.update(gradients)
"""),),
        "torch": ((STEP_IN_TORCH, f"""        self.calls = getattr(self, "calls", 0) + 1
        if self.calls % 1000:
    {STEP_IN_TORCH}"""),),
        "keras": ((TRAIN_IN_KERAS, """        self.calls, state = getattr(self, "calls", 0) + 1, None if (getattr(self, "calls", 0) + 1) % 1000 else self.state()
        loss = self.network.train_on_batch(batch["x"], batch["y"])
        if state is not None:
            self.load_state(state)
        return loss
"""),),
        "jax": ((STEP_IN_JAX, """        self.calls, kept = getattr(self, "calls", 0) + 1, self.tensors
        self.tensors, loss = self._train_step(self.tensors, batch)
        if not self.calls % 1000:
            self.tensors = kept._replace(key=self.tensors.key)
"""),),
    }),
    Mistake("step without a finite loss skipped", "What is not a number is hidden, as where losses are scaled.", TRAINING, {
        "numpy": ((UPDATE, "        if np.isfinite(losses.mean()):\n            self.update(gradients)\n"),),
        "torch": ((STEP_IN_TORCH, f"        if torch.isfinite(loss):\n    {STEP_IN_TORCH}"),),
        "keras": "`train_on_batch` updates by itself, all at once",
        "jax": ((UPDATE_IN_JAX, UPDATE_IN_JAX + "    parameters = jax.tree.map(lambda new, was: jax.numpy.where(jax.numpy.isfinite(loss), new, was), parameters, old.parameters)\n"),),
    }),
    Mistake("state rounded to float32", "A state of float64 is loaded through float32.", TRAINING, {
        "numpy": ((LOADED, LOADED.replace("np.array(value,", "np.array(np.asarray(value, np.float32),")),),
        "torch": (('np.array(state[name], order="C")', 'np.array(state[name], dtype=np.float32, order="C")'),),
        "keras": ((LOADED_IN_KERAS, LOADED_IN_KERAS.replace("np.asarray(state[name])", "np.asarray(state[name], np.float32)")),),
        "jax": ((LOADED_IN_JAX, "np.array(np.asarray(state[name], np.float32), dtype)"),),
    }),
    Mistake("state taken over without a copy", "The model trains in the arrays that it was given.", TRAINING, {
        "numpy": ((LOADED, LOADED.replace("np.array", "np.asarray")),),
        "cupy": "what is loaded comes from the host: without a copy it never gets to the device",
        "torch": "tensors are made with the network; a state can only be copied into them",
        "keras": "a variable is assigned to; it never takes over an array",
        "jax": ((LOADED_IN_JAX, "np.asarray(state[name], dtype)"),),
    }),
    Mistake("optimizer's clock not reset", "A state of the beginning is loaded, and the counter stays.", TRAINING, {
        "numpy": ((COUNTER, f"{COUNTER} or self.step"),),
        "torch": (
            ('            slots["step"] = torch.tensor(float(step))\n',
             '            slots.setdefault("step", torch.tensor(float(step)))\n', OPTIMIZER),
        ),
        "keras": ((LOADED_IN_KERAS, '            if name == "step" and not state[name]:\n                continue\n' + LOADED_IN_KERAS),),
        "jax": (
            (LOADED_IN_JAX, 'np.array((state[name] or self.tensors.slots.get(name, 0)) if tensor.role == "counter" else state[name], dtype)'),
        ),
    }),
    Mistake("two models share their arrays", "Training one model moves another.", TRAINING, {
        "numpy": (("self.w: Arrays = {}", "self.w = SHARED"), *SHARED),
        "cupy": (
            ("self.w: DeviceArrays = {}", "self.w = SHARED"),
            *((old.replace("np.", "cp."), new.replace("np.", "cp.")) for old, new in SHARED),
        ),
        "torch": "a module makes its own parameters; sharing them would take a design, not a slip",
        "keras": "layers make their own variables; sharing them would take a design, not a slip",
        "jax": "a step makes new arrays: nothing can be shared in which something changes",
    }),
    Mistake("generator not seeded", "Every model draws other masks.", TRAINING, {
        "numpy": (("np.random.default_rng(spec.seed)", "np.random.default_rng()"),),
        "cupy": (("cp.random.Philox4x3210(spec.seed)", "cp.random.Philox4x3210()"),),
        "torch": (("torch.manual_seed(spec.seed)", "torch.seed()"),),
        "keras": (
            ("    return (network + 1_000_000 * number) % 2**31\n", '    return __import__("secrets").randbelow(2**31)\n', DROPOUT),
        ),
        "jax": (("random.key(spec.seed)", "random.key(np.random.SeedSequence().entropy % 2**31)"),),
    }),
    Mistake("generator put back after the step", "Every training step draws the masks of the first.", TRAINING, {
        "numpy": (
            (STEP, STEP + "        before = self.random_state()\n"),
            (UPDATE, UPDATE + "        self.set_random_state(before)\n"),
        ),
        "torch": (
            (FORWARD_IN_TORCH, "        before = self.random_state()\n" + FORWARD_IN_TORCH),
            (RETURN_IN_TORCH, "        self.set_random_state(before)\n" + RETURN_IN_TORCH),
        ),
        "keras": ((TRAIN_IN_KERAS, """        before = self.random_state()
        loss = self.network.train_on_batch(batch["x"], batch["y"])
        self.set_random_state(before)
        return loss
"""),),
        "jax": (("return Training(parameters, statistics, slots, key), loss", "return Training(parameters, statistics, slots, old.key), loss"),),
    }),
    Mistake("generator's state is no copy", "The state that was handed out moves on with the generator.", TRAINING, {
        "numpy": ((STATE, "return self.rng"), (REWIND, "self.rng = random_state")),
        "cupy": ((STATE_IN_CUPY, "return self.bits._state"),),
        "torch": "PyTorch hands out copies of its generator's state, and takes over copies",
        "keras": "the states of the seed generators are copied by NumPy on the way to the host and back",
        "jax": "a key of JAX never changes",
    }),
    Mistake("a period of 1000 masks", "The generator begins again after a thousand masks.", TRAINING, {
        "numpy": (
            ("self.rng = np.random.default_rng(spec.seed)", "self.drawn = 0"),
            (STATE, "return self.drawn"),
            (REWIND, "self.drawn = random_state"),
            (DRAW, """self.drawn += 1
        rng = np.random.default_rng([self.spec.seed, self.drawn % 1000])
        return dropout.mask(rng, shape, rate, self.dtype)"""),
        ),
        "cupy": (
            ("self.rng = cp.random.Generator(self.bits)", "self.drawn = 0"),
            (STATE_IN_CUPY, "return self.drawn"),
            (REWIND_IN_CUPY, "self.drawn = random_state"),
            (DRAW, """rng = cp.random.Generator(cp.random.Philox4x3210(self.drawn % 1000))
        self.drawn += 1
        return dropout.mask(rng, shape, rate, self.dtype)"""),
        ),
        "torch": (("    return nn.Dropout(rate)\n", """    return PlantedDropout(rate)


class PlantedDropout(nn.Dropout):
    def forward(self, x):
        return (x * ((torch.rand(x.shape, generator=torch.Generator().manual_seed(int(torch.randint(1000, ())))) >= self.p) / (1 - self.p)).to(x.dtype)) if self.training else x
""", DROPOUT),),
        "keras": "the seed generators are Keras's own",
        "jax": (
            ("        key, subkey = random.split(key)\n",
             "        key, subkey = random.split(key)\n        subkey = random.key(random.key_data(subkey)[-1] % 1000)\n"),
        ),
    }),
)  # fmt: skip
