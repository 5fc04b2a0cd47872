"""The clocks of a GPU in the report. The records are made up: no GPU was asked."""

from benchmarks.records.record import DeviceClocks, Record
from tests.support import report_text, synthetic

CELL = synthetic.cell("torch")


def page(*clocks: DeviceClocks | None) -> str:
    """One block for each."""
    found: list[Record] = [synthetic.run([CELL], blocks=len(clocks))]
    for block, of in enumerate(clocks):
        found += [synthetic.timing(CELL, block, 1e-3, device_clocks=of), synthetic.proof(CELL, block)]
    return report_text.page(found)


def row(text: str) -> list[str]:
    (table,) = [part for part in text.split("\n\n") if part.startswith("| cell | ranked: wall time")]
    return table.splitlines()[2].strip("| ").split(" | ")


def test_the_three_clocks_are_labelled_and_stand_beside_the_ranked_time() -> None:
    text = page(*[DeviceClocks(latency_s=2e-3, slope_s=5e-4, events_s=4e-4)] * 2)
    sure = "(95% interval, 2 blocks)"
    columns = ("ranked: wall time, synchronised", "latency", "one call more", "device events")
    assert f"| cell | {' | '.join(f'{column} {sure}' for column in columns)} |" in text
    assert row(text)[0].startswith("PyTorch, training step")
    assert row(text)[2:] == ["2.00 ms (2.00 to 2.00)", "500 µs (500 to 500)", "400 µs (400 to 400)"]


def test_a_difference_that_noise_brought_below_zero_has_a_count_and_no_interval() -> None:
    clocks = [
        DeviceClocks(latency_s=2e-3, slope_s=slope, events_s=events) for slope, events in ((-1e-6, 4e-4), (5e-6, None))
    ]
    assert row(page(*clocks))[3:] == ["2.00 µs (–; 2)", "400 µs (–; 1)"]


def test_no_events_is_no_number_and_no_gpu_is_no_table() -> None:
    assert row(page(DeviceClocks(latency_s=2e-3, slope_s=5e-4, events_s=None)))[4] == "–"
    assert "clocks on the GPU" not in page(None)
