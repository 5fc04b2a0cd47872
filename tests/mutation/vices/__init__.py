"""Vices of plug-ins: the honest outsider (`tests/support/outsider`) with one change of its text, by which a time could be wrong.

Some are mistakes that people make, some are tricks.
"""

from tests.mutation.vices.results import CLOCK, RESULTS
from tests.mutation.vices.training import DROPOUT, STATISTICS_AND_SHAPES, TRAINING
from tests.mutation.vices.vice import Vice

HONEST = Vice("none: the honest outsider", "nothing", why="there is nothing to tell")
VICES = (HONEST, *RESULTS, *TRAINING, *STATISTICS_AND_SHAPES, *DROPOUT, *CLOCK)
