"""A run of two networks, made up: the MLP of the quick run, and a CNN beside it."""

from benchmarks.records import records_file
from benchmarks.records.record import Record
from tests.support import synthetic
from tests.support.synthetic import MICROSECOND, cell


def records() -> list[Record]:
    mlp = synthetic.quick()
    cells = [cell(name, batch=batch, model="cnn") for batch in (8, 64) for name in ("numpy", "torch")]
    timed = [(of, (100 if of.who.framework == "torch" else 300) * MICROSECOND) for of in cells]
    cnn = synthetic.measured(timed, model="cnn", size={"batch": 64, "width": 128})
    run, other = records_file.run_of(mlp), records_file.run_of(cnn)
    both = {"networks": [*run.networks, *other.networks], "cells": [*run.cells, *other.cells]}
    learned = [synthetic.learning(name, model="cnn") for name in ("numpy", "torch")]
    watched = [synthetic.profile(of, block) for of in cells for block in range(6)]
    costs = [synthetic.start(of.who.framework, model="cnn") for of in cells]
    return [run.model_copy(update=both), *mlp[1:], *cnn[1:], *learned, *watched, *costs]
