"""The truth of a comparison is its number of units, so they must all be done."""

import pytest

from benchmarks.selfcheck import units


@pytest.mark.parametrize("workload", units.WORKLOADS)
def test_a_call_does_exactly_its_units(workload: str, monkeypatch: pytest.MonkeyPatch) -> None:
    done = 0

    def counting() -> units.Unit:
        def unit() -> None:
            nonlocal done
            done += 1

        return unit

    monkeypatch.setattr(units, f"_{workload}", counting)
    counts = []
    for side in units.SIDES:
        done = 0
        units.call(workload, 6, side)()
        counts.append(done)
    assert counts == [200, 206]
    assert counts[1] / counts[0] == units.true_ratio(6)


@pytest.mark.parametrize("workload", units.WORKLOADS)
def test_every_workload_runs(workload: str) -> None:
    units.call(workload, 0, units.REFERENCE)()


def test_both_sides_of_a_comparison_share_a_heat() -> None:
    cells = units.cells()
    assert len(cells) == 2 * len(units.WORKLOADS) * len(units.EXTRAS)
    assert len({cell.comparison_group for cell in cells}) == len(cells) / 2
