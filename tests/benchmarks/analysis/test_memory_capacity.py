"""The largest batch that would fit: an estimate where the peaks lie on a line, and else a reason."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import pytest

from benchmarks.analysis import memory_capacity, ranking
from benchmarks.records import record
from benchmarks.records.record import Peak, ResourceRecord
from benchmarks.report import dataframe
from tests.support import report_text
from tests.support.synthetic import ENVIRONMENT, cell, measured, resources

BEFORE, FIXED, PER_SAMPLE = 50_000_000, 5_000_000, 10_000
LINE = {batch: FIXED + PER_SAMPLE * batch for batch in (32, 128, 512)}
GPUS = {"gpus": ["NVIDIA A, 535.104, 16384 MiB", "NVIDIA B, 535.104, 81920 MiB"]}


def peaks(above: Mapping[int, int], framework: str = "numpy", where: str = "host", **who: Any) -> list[ResourceRecord]:
    """One record per batch, with so many bytes above those before."""
    return [
        resources(cell(framework, batch=batch, **who)).model_copy(
            update={where: Peak(before_bytes=BEFORE, peak_bytes=BEFORE + count, counter="a counter")}
        )
        for batch, count in above.items()
    ]


def test_the_line_is_followed_to_the_machine_s_memory() -> None:
    (one,) = memory_capacity.host(peaks(LINE), {"memory_bytes": 8_000_000_000})
    assert one.axes == {"width": 128}
    assert (8_000_000_000 - BEFORE - FIXED) / PER_SAMPLE == 794_500
    assert one.batch == 700_000
    assert not one.reason


def test_two_batches_make_a_line_too() -> None:
    (one,) = memory_capacity.host(peaks({32: LINE[32], 512: LINE[512]}), {"memory_bytes": 8_000_000_000})
    assert one.batch == 700_000


def test_it_is_not_below_what_was_measured() -> None:
    (one,) = memory_capacity.host(peaks(LINE), {"memory_bytes": BEFORE + FIXED + 590 * PER_SAMPLE})
    assert one.batch == 512  # and not 500


@pytest.mark.parametrize(
    ("above", "facts", "reason"),
    [
        ({32: 5_320_000}, ENVIRONMENT, "measured at one batch only"),
        (LINE, {}, "how much memory there is was not written down"),
        (LINE, {"memory_bytes": "much"}, "how much memory there is was not written down"),
        ({32: 95_900_000, 128: 83_900_000, 512: 92_100_000}, ENVIRONMENT, "does not grow with the batch beyond noise"),
        ({32: 80_000_000, 512: 99_000_000}, ENVIRONMENT, "does not grow with the batch beyond noise"),
        ({32: 0, 512: 0}, ENVIRONMENT, "does not grow with the batch beyond noise"),
        ({32: 5_000_000, 128: 6_000_000, 512: 20_000_000}, ENVIRONMENT, "do not lie on a line"),
        ({32: 6_000_000, 128: 5_000_000, 512: 20_000_000}, ENVIRONMENT, "do not lie on a line"),
    ],
)
def test_where_nothing_can_be_said_there_is_a_reason(above: Any, facts: Any, reason: str) -> None:
    (one,) = memory_capacity.host(peaks(above), facts)
    assert one.batch is None
    assert reason in one.reason


def test_each_gpu_has_its_own_memory_and_the_host_says_nothing_of_them() -> None:
    records = [*peaks(LINE, "torch", "device", device="cuda:0"), *peaks(LINE, "torch", "device", device="cuda:1")]
    assert [one.batch for one in memory_capacity.device(records, GPUS)] == [1_000_000, 8_000_000]
    assert memory_capacity.host(records, ENVIRONMENT | GPUS) == []


@pytest.mark.parametrize(
    "gpus", [[], ["NVIDIA A"], ["NVIDIA A, 535.104, [N/A]"], "none", ["NVIDIA A, 535.104, 16 GiB"]]
)
def test_a_gpu_whose_memory_is_not_known(gpus: Any) -> None:
    (one,) = memory_capacity.device(peaks(LINE, "torch", "device", device="cuda:0"), {"gpus": gpus})
    assert "not written down" in one.reason


def test_a_hole_is_no_point_of_the_line() -> None:
    lost = resources(cell("numpy", batch=2048), host=Peak(reason="the process was lost"))
    (one,) = memory_capacity.host([*peaks(LINE), lost], {"memory_bytes": BEFORE + FIXED + 590 * PER_SAMPLE})
    assert one.batch == 512, "and not 2048"
    assert memory_capacity.host([lost], ENVIRONMENT) == []


def table(records: list[ResourceRecord], facts: Mapping[str, Any] = ENVIRONMENT) -> pd.DataFrame:
    """The table for programs, by framework and batch."""
    cells = [record.Cell(who=of.who, phase="train_step", axes=of.axes) for of in records]
    whole_run = report_text.gathered([*measured([(of, 1e-4) for of in cells], blocks=1), *records], facts)
    rows = dataframe.cells(whole_run, ranking.comparison_groups(whole_run))
    return rows.set_index(["framework", "axis_batch"])


def test_the_table_for_programs_has_it_at_every_batch_or_the_reason() -> None:
    rows = table([*peaks(LINE), *peaks({32: 95_900_000, 128: 83_900_000}, "jax")])
    assert rows.largest_batch["numpy"].to_dict() == dict.fromkeys(LINE, 800_000)
    assert rows.no_largest_batch["numpy"].isna().all()
    assert rows.largest_batch["jax"].isna().all()
    noise = "the peak does not grow with the batch beyond noise"
    assert rows.no_largest_batch["jax"].to_dict() == dict.fromkeys((32, 128), noise)


def test_the_table_for_programs_has_that_of_a_gpu() -> None:
    rows = table(peaks(LINE, "torch", "device", device="cuda:1"), ENVIRONMENT | GPUS)
    assert rows.largest_batch["torch"].to_dict() == dict.fromkeys(LINE, 8_000_000)


def test_what_was_measured_at_one_batch_only_has_none() -> None:
    rows = table(peaks({256: 9_000_000}))
    assert rows.largest_batch.isna().all()
    assert rows.no_largest_batch.tolist() == ["measured at one batch only"]


def test_it_is_called_an_estimate() -> None:
    assert "an estimate, and no such batch was run" in dataframe.MEANINGS["largest_batch"]
