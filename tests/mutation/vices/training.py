"""What is wrong with a training step, with its statistics, its dropout or the shapes that it takes."""

from tests.mutation.vices.vice import Vice

COUNTED = """
    steps = since = 0
    trained, loaded = train_step, load_state

    def load_state(self, state):
        self.since = 0
        self.loaded(state)

    def train_step(self, batch):
        self.steps, self.since = self.steps + 1, self.since + 1
        return self.trained(batch)
"""
"""Counts the steps of the object, and those since its state was loaded."""

UPDATE = "for name, g in gradients.items():"
MOMENTUM = "self.spec.optimizer.momentum * velocity + g"
INPUTS = 'layers, logits, y = self.layers(), batch["x"], batch["y"]'
UNIFORM = "self.rng.random(shape)"
LOADED = "self.w = {name: np.array(value, self.dtype) for name, value in state.items()}"
NOT_REACHED = "its calls came before that, so none of them gained anything"
NOT_ASKED = "nothing that it times is of that kind, so nothing is gained"

TRAINING = (
    Vice(
        "learns nothing from the 21st step of the object", "the update", COUNTED,
        ((UPDATE, "for name, g in gradients.items() if self.steps < 21 else ():"),),
        verify="65 samples, parameters: ", run="after the rounds, parameters: ",
    ),
    Vice(
        "learns nothing from the 2,500th step of the object", "the update", COUNTED,
        ((UPDATE, "for name, g in gradients.items() if self.steps < 2500 else ():"),),
        verify="after 3000 calls, parameters: ", why=NOT_REACHED,
    ),
    Vice(
        "momentum is forgotten from the 6th step after a load", "a product", COUNTED,
        ((MOMENTUM, f"({MOMENTUM} if self.since < 6 else g)"),),
        verify="restarted run, parameters: ", run="after the rounds, slots: velocity:",
    ),
    Vice(
        "half the learning rate from the 2,900th step of the object", "nothing", COUNTED,
        (("learning_rate * velocity", "learning_rate * velocity * (0.5 if self.steps >= 2900 else 1)"),),
        verify="after 3000 calls, ", why=NOT_REACHED,
    ),
    Vice(
        "half precision from the 15th step after a load", "half of the bytes", COUNTED,
        ((INPUTS, INPUTS.replace('batch["x"]', 'batch["x"].astype(np.float16 if self.since >= 15 else None).astype(self.dtype)')),),
        verify="after 3000 calls, ", run="after the rounds, ",
    ),
    Vice(
        "gradients added up over two steps", "every second update", """
    held = None

    def added_up(self, gradients):
        if self.held is None:
            self.held = gradients
            return ()
        both, self.held = {name: g + self.held[name] for name, g in gradients.items()}, None
        return both.items()
""", ((UPDATE, "for name, g in self.added_up(gradients):"),),
        verify="hot state, parameters: ", run="hot state, parameters: ",
    ),
    Vice(
        "element-wise clipping of gradients to [-1, 1]", "nothing", "", ((MOMENTUM, MOMENTUM.replace("+ g", "+ np.clip(g, -1, 1)")),),
        verify="large logits, ", why="the gradients of what it times are smaller, so nothing is cut",
    ),
    Vice(
        "transposed weights for the way back, made anew at every fourth step", "three of four transpositions", COUNTED + """
    def turn(self):
        self.w.turned = {name: value.T.copy() for name, value in self.w.items()}
""", (
            ("class MLP:\n", "class Weights(dict):\n    pass\n\n\nclass MLP:\n"),
            ("self.w[self.weight].T", "self.w.turned[self.weight]"),
            (LOADED, f"{LOADED.replace('= {', '= Weights({')})\n        self.turn()"),
            ("        for layer in reversed(layers):", "        if self.since % 4 == 0:\n            self.turn()\n        for layer in reversed(layers):"),
        ),
        verify="restarted run, parameters: ", why="where the rounds ended it asks for one step, and every fourth is right", chance=True,
    ),
    Vice(
        "features that are zero in the first eight samples are skipped", "columns of the first product", "",
        ((INPUTS, INPUTS.replace('batch["x"]', 'batch["x"] * np.any(batch["x"][:8], axis=0)')),), phase="epoch",
        run="after the rounds, ", why="the batches of `verify` are drawn at random, and no feature is zero in eight samples",
    ),
)  # fmt: skip

STATISTICS_AND_SHAPES = (
    Vice(
        "running statistics moved twice from the second step after a load", "nothing", COUNTED + """
    counted = train_step

    def train_step(self, batch):
        before = self.state()
        loss = self.counted(batch)
        for name, value in self.w.items():
            if "running" in name and self.since > 1:
                value += value - before[name]
        return loss
""", verify="restarted run, statistics: ", run="after the rounds, statistics: ",
    ),
    Vice(
        "training mode left on: predictions after a step use the batch's statistics, and dropout", "nothing", """
    trained, on = train_step, False

    def train_step(self, batch):
        self.on = True
        return self.trained(batch)
""", (("training=False", "training=self.on"),), phase="predict",
        verify="logits", run="hot state, logits: logits",
    ),
    Vice(
        "batch norm folded at the first prediction after a load, and not again after training", "the normalisation", """
    predicted, loaded = predict, load_state

    def load_state(self, state):
        self.folded = None
        self.loaded(state)

    def predict(self, batch):
        self.folded = self.folded or self.state()
        now, self.w = self.w, self.folded
        logits, self.w = self.predicted(batch), now
        return logits
""", phase="predict", verify="restarted run, logits: logits",
        why="nothing is trained between the predictions that it times, so their folded weights are right",
    ),
    Vice(
        "shapes fixed by the first batch: what a larger one has beyond it is not trained on", "nothing", """
    trained, rows = train_step, 0

    def train_step(self, batch):
        self.rows = self.rows or len(batch["x"])
        return self.trained({name: array[: self.rows] for name, array in batch.items()})
""", verify="65 samples, ", why=NOT_ASKED,
    ),
    Vice(
        "NaN in a batch replaced by 0", "nothing", "", ((INPUTS, INPUTS.replace('batch["x"]', 'np.nan_to_num(batch["x"])')),),
        verify="not a number, NaN in training: ", why=NOT_ASKED,
    ),
)  # fmt: skip

DROPOUT = (
    Vice(
        "a training step that puts the generator back", "nothing", """
    trained = train_step

    def train_step(self, batch):
        before = self.rng.bit_generator.state
        loss = self.trained(batch)
        self.rng.bit_generator.state = before
        return loss
""", verify="generator moves: masks of the next step", run="generator moves: masks of the next step",
    ),
    Vice(
        "the masks of a step used again in the next", "every second draw", """
    held: dict = {}

    def uniform(self, shape):
        if shape in self.held:
            return self.held.pop(shape)
        self.held[shape] = self.rng.random(shape)
        return self.held[shape]
""", ((UNIFORM, "self.uniform(shape)"),),
        verify="masks are drawn anew", run="masks are drawn anew",
    ),
    Vice(
        "one row of a mask for all samples", "nearly all draws", "",
        ((UNIFORM, "np.broadcast_to(self.rng.random(shape[1:]), shape)"),),
        verify="mask rows differ", run="mask keep rate",
    ),
    Vice(
        "a dropout rate off by 2^-12", "nothing", "", ((">= self.spec.dropout", ">= self.spec.dropout + 2**-12"),),
        why="beyond the resolution of the draws that `verify` counts: about 2^-11",
    ),
    Vice(
        "masks drawn ahead while a state is loaded", "all draws", """
    loaded, kept, put_back = load_state, random_state, set_random_state
    ahead = np.empty(0)

    def uniform(self, shape):
        if len(self.ahead) < np.prod(shape):
            self.ahead = self.rng.random(max(2**20, np.prod(shape)))
        taken, self.ahead = np.split(self.ahead, [np.prod(shape)])
        return taken.reshape(shape)

    def load_state(self, state):
        self.ahead = np.append(self.ahead, self.rng.random(max(0, 2**20 - len(self.ahead))))
        self.loaded(state)

    def random_state(self):
        return self.kept(), self.ahead

    def set_random_state(self, random_state):
        self.put_back(random_state[0])
        self.ahead = random_state[1]
""", ((UNIFORM, "self.uniform(shape)"),),
        why="no number is wrong, and what is done while a state is loaded is outside the time",
    ),
)  # fmt: skip
