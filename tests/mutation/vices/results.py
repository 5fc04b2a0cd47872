"""What is wrong with what a call gives back, with when it is computed, and with the clock around it."""

from tests.mutation.vices.vice import Vice

LOSS = "return -np.mean(log_p[np.arange(len(y)), y])"

REMEMBERS = """
    predicted, trained, loaded = predict, train_step, load_state
    known: dict = {{}}

    def predict(self, batch):
        key = {key}
        if key not in self.known:
            self.known[key] = self.predicted(batch)
        return self.known[key].copy()

    def train_step(self, batch):
        self.known = {{}}
        return self.trained(batch)

    def load_state(self, state):
        self.known = {{}}
        self.loaded(state)
"""
BY_IDENTITY, BY_CONTENT = (REMEMBERS.format(key=key) for key in ('id(batch["x"])', 'batch["x"][:2].tobytes()'))
REMEMBERED = "on a batch that it has not seen before: results are remembered"
NO_CLOCK = "`verify` has no clock, and no number is wrong"

RESULTS = (
    Vice(
        "a promise, computed when it is copied", "the whole prediction", """
    computed = predict

    def predict(self, batch):
        return lambda: self.computed(batch)
""", adapter=(("np.asarray(tensor)", "np.asarray(tensor() if callable(tensor) else tensor)"),),
        phase="predict", verify="manners, results stay: logits", run="the clock stopped before the work had begun",
    ),
    Vice(
        "a `synchronise` that forgets to wait", "nearly the whole prediction", """
    lane, room = ThreadPoolExecutor(1), Semaphore(64)
    predicted, trained, loaded, copied = predict, train_step, load_state, state

    def predict(self, batch):
        self.room.acquire()
        prediction = self.lane.submit(self.predicted, batch)
        prediction.add_done_callback(lambda done: self.room.release())
        return prediction

    def train_step(self, batch):
        return self.lane.submit(self.trained, batch).result()

    def load_state(self, state):
        self.lane.submit(self.loaded, state).result()

    def state(self):
        return self.lane.submit(self.copied).result()
""", model=(("import numpy as np\n", "from concurrent.futures import ThreadPoolExecutor\nfrom threading import Semaphore\n\nimport numpy as np\n"),),
        adapter=(("np.asarray(tensor)", 'np.asarray(tensor.result() if hasattr(tensor, "result") else tensor)'),),
        phase="predict", run="the clock stopped before the work",
        why=NO_CLOCK,
    ),
    Vice(
        "predictions remembered by the identity of the batch", "nearly the whole prediction", BY_IDENTITY, phase="predict",
        verify="manners, sees what is there: logits", run=REMEMBERED,
    ),
    Vice(
        "the same, on arrays that cannot be written to", "nearly the whole prediction", BY_IDENTITY, phase="predict",
        adapter=(
            ('return np.array(array, order="C")', 'made = np.array(array, order="C")\n    made.flags.writeable = False\n    return made'),
        ),
        run=REMEMBERED, why=NO_CLOCK,
    ),
    Vice(
        "predictions remembered by the content of the batch", "nearly the whole prediction", BY_CONTENT, phase="predict",
        run=REMEMBERED, why=NO_CLOCK,
    ),
    Vice(
        "the loss of a batch remembered until the next load", "the loss's mean", """
    loaded = load_state

    def load_state(self, state):
        self.losses = {}
        self.loaded(state)
""", model=((LOSS, 'key = batch["x"][:2].tobytes()\n        if key not in self.losses:\n            '
             f'{LOSS.replace("return", "self.losses[key] =")}\n        return self.losses[key]'),),
        verify="restarted run, loss: loss", run="after the rounds, loss: loss",
    ),
    Vice(
        "the same, by the identity of the batch", "the loss's mean", """
    loaded = load_state

    def load_state(self, state):
        self.losses = []
        self.loaded(state)

    def remembered(self, batch, log_p, y):
        for x, loss in self.losses:
            if x is batch["x"]:
                return loss
        self.losses.append((batch["x"], -np.mean(log_p[np.arange(len(y)), y])))
        return self.losses[-1][1]
""", model=((LOSS, "return self.remembered(batch, log_p, y)"),),
        run="after the rounds, loss: loss", why="each step that `verify` judges has a new copy of its batch",
    ),
    Vice(
        "a whole training remembered, from a state that was loaded before", "nearly the whole step, without dropout", """
    trained, loaded = train_step, load_state
    path, known = 0, {}

    def load_state(self, state):
        self.path = hash(tuple(value.tobytes() for value in state.values()))
        self.loaded(state)

    def train_step(self, batch):
        self.path = hash((self.path, len(batch["x"]), batch["x"][:2].tobytes()))
        if self.path not in self.known:
            self.known[self.path] = self.trained(batch), self.w
        loss, w = self.known[self.path]
        self.w = {name: value.copy() for name, value in w.items()}
        return loss
""", spec={"dropout": 0.0}, run=REMEMBERED, why=NO_CLOCK,
    ),
    Vice(
        "an `epoch` of its own that does nothing", "nothing", """
    def epoch(self, data):
        return []
""", phase="epoch", why="it is never called: the loop over the data is the harness's own",
    ),
)  # fmt: skip

CLOCK = (
    Vice(
        "a clock that runs at half its speed", "half of every time", "",
        adapter=(
            ("import numpy as np\n", "import time\n\nimport numpy as np\n"),
            ('NAME = "outsider"\n', 'NAME, TRUE = "outsider", time.perf_counter\n\n\ndef perf_counter():\n    return TRUE() / 2\n'),
            ('"""Nothing to set."""', "time.perf_counter = perf_counter"),
        ),
        why="code in the process can change its clock; nobody does that by mistake", alone=True,
    ),
    Vice(
        "more cores than were asked for", "the other cores' work", "",
        adapter=(
            ("import numpy as np\n", "import os\n\nimport numpy as np\nimport threadpoolctl\n"),
            ('"""Nothing to set."""', "os.sched_setaffinity(0, range(os.cpu_count()))\n    threadpoolctl.threadpool_limits(os.cpu_count())"),
        ),
        why="a process can undo what it was bound to; the processor time beside each time shows it", alone=True,
    ),
    Vice(
        "a step that does nothing while it is timed", "the whole step", """
    trained, last = train_step, None

    def train_step(self, batch):
        if self.last is None or sys._getframe(2).f_code.co_name != "timed_round":
            self.last = self.trained(batch)
        return self.last
""", (("import numpy as np\n", "import sys\n\nimport numpy as np\n"),),
        run="the time is impossible",
        why=NO_CLOCK,
    ),
)  # fmt: skip
