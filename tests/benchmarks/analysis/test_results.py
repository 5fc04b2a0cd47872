"""Which record of several speaks for a block."""

from benchmarks.records.record import BlockRecord
from benchmarks.records.resource_records import Interference
from tests.support import synthetic
from tests.support.report_text import gathered


def test_a_block_of_which_a_part_was_repeated_is_as_disturbed_as_most_of_it_was() -> None:
    disturbed = Interference(cores=2, usable=2, stolen_s=0.0, others_s=40.0, throttled_s=None)
    whole = [BlockRecord(block=k, wall_s=60.0, interference=disturbed) for k in range(2)]
    again = BlockRecord(block=0, wall_s=5.0, interference=disturbed.model_copy(update={"others_s": 0.0}))
    blocks = gathered([*synthetic.quick(), *whole, again]).blocks
    assert [(block.block, block.wall_s, block.others_share) for block in blocks] == [(0, 60.0, 1 / 3), (1, 60.0, 1 / 3)]
