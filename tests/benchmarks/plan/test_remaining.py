"""Which costs a run has still to measure, from its records."""

from benchmarks.plan import remaining
from benchmarks.records.record import InstalledRecord, Record, StartRecord
from tests.support import synthetic
from tests.support.synthetic import cell, resources

BIG, SMALL = cell("numpy", batch=256), cell("numpy", batch=32)
PREDICTION, FLOOR, TORCH = cell("numpy", "predict"), cell("numpy", "products"), cell("torch")
CELLS = [BIG, SMALL, PREDICTION, FLOOR, TORCH]


def test_only_what_was_timed_is_missing_and_small_comes_first() -> None:
    floor = synthetic.timing(FLOOR, 0, 1e-3, ranked=False)
    timed: list[Record] = [synthetic.timing(of, 0, 1e-3) for of in (BIG, SMALL, PREDICTION)]
    copy = synthetic.timing(TORCH, 0, 1e-3, control=True)
    assert remaining.costs(CELLS, [floor, copy]) == {}
    assert remaining.costs(CELLS, [*timed, floor, copy]) == {BIG.who: [SMALL, BIG]}


def test_what_is_known_is_not_missing_hole_or_not() -> None:
    timed: list[Record] = [synthetic.timing(of, 0, 1e-3) for of in (BIG, SMALL)]
    lost = StartRecord(who=BIG.who, reason="lost")
    installed = InstalledRecord(framework="numpy", reason="no list")
    assert remaining.costs(CELLS, [*timed, lost, installed, resources(SMALL)]) == {BIG.who: [BIG]}
    assert remaining.costs(CELLS, [*timed, resources(BIG), resources(SMALL), lost]) == {BIG.who: []}
    assert remaining.costs(CELLS, [*timed, resources(BIG), resources(SMALL), lost, installed]) == {}
