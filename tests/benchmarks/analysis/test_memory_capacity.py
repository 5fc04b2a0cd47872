"""The largest batch that would fit: an estimate where the peaks lie on a line, and else a reason."""

from collections.abc import Mapping
from typing import Any

import pytest

from benchmarks.analysis import memory_capacity
from benchmarks.records.record import Peak, Record, ResourceRecord
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


def page(records: list[ResourceRecord], facts: Mapping[str, Any] = ENVIRONMENT) -> str:
    """The section in Markdown."""
    every: list[Record] = [*measured([(cell("numpy"), 1e-4)]), *records]
    return report_text.page(every, facts).split(". Memory and energy\n")[1].split("\n## ")[0]


def test_the_line_is_followed_to_the_machine_s_memory() -> None:
    (one,) = memory_capacity.host(peaks(LINE), {"memory_bytes": 8_000_000_000})
    assert one.axes == {"width": 128}
    assert one.measured == (32, 128, 512)
    assert one.per_sample_bytes == pytest.approx(PER_SAMPLE)
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
    assert one.per_sample_bytes is None
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
    (one,) = memory_capacity.host([*peaks(LINE), lost], ENVIRONMENT)
    assert one.measured == (32, 128, 512)
    assert memory_capacity.host([lost], ENVIRONMENT) == []


def test_the_page_says_that_it_is_an_estimate() -> None:
    text = page([*peaks(LINE), *peaks({32: 95_900_000, 128: 83_900_000}, "jax")])
    setting = "float32, plain, 2 threads"
    assert "**The largest batch that would fit into the machine's memory of 8.59 GB: extrapolated, not run**" in text
    assert f"| NumPy | width 128 | about 800,000 | 10.0 kB | 32, 128 and 512 | {setting} |" in text
    assert (
        "| JAX | width 128 | cannot be said: the peak does not grow with the batch beyond noise | – | 32 and 128 |"
        in text
    )
    assert "no such batch was run" in text


def test_the_page_of_a_gpu() -> None:
    text = page(peaks(LINE, "torch", "device", device="cuda:1"), ENVIRONMENT | GPUS)
    assert text.count("extrapolated, not run") == 1
    assert "would fit into the GPU's memory" in text
    assert "| about 8,000,000 | 10.0 kB |" in text


def test_one_batch_is_said_in_a_sentence() -> None:
    text = page(peaks({256: 9_000_000}))
    assert "cannot be estimated: every peak was measured at one batch only" in text
    assert "extrapolated" not in text
