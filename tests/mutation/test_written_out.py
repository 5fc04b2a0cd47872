"""What is noticed of a mistake is the mistake: written out without one, attention is as good as the framework's own call."""

from tests.support import shared_process

ASKED = """
from implementations.declarations import Mistake
from implementations.layers.attention.written_out import written_out
from tests.mutation import planting

planting.prepare("torch", "float32")
nothing = Mistake("nothing", "", "attention/attention", written_out())
print(planting.noticed("torch", nothing, {"attention_dropout": 0.5}, "float32", everything=True, model="transformer", most=planting.BUT_ITS_LIFE)[0])
"""


def test_written_out_without_a_mistake_nothing_is_noticed() -> None:
    done = shared_process.python("-c", ASKED)
    assert done.stdout == "[]\n", done.stderr[-3000:]
