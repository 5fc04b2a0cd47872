"""The clocks of a GPU in the report. The records are made up: no GPU was asked."""

from benchmarks.record import DeviceClocks, Record
from benchmarks.report import markdown, results, sections
from tests.benchmarks.report import synthetic

CELL = synthetic.cell("torch")


def page(clocks: DeviceClocks | None) -> str:
    found: list[Record] = [synthetic.run([CELL], blocks=2)]
    for block in range(2):
        found += [synthetic.timing(CELL, block, 1e-3, device_clocks=clocks), synthetic.proof(CELL, block)]
    return markdown.render(sections.document(results.gather(found, [], synthetic.ENVIRONMENT)), {})


def test_the_three_clocks_are_labelled_and_stand_beside_the_ranked_time() -> None:
    text = page(DeviceClocks(latency_s=2e-3, slope_s=5e-4, events_s=4e-4))
    assert (
        "| cell | ranked: wall time, synchronised (95% interval; blocks) | latency | one call more | device events |"
        in text
    )
    (row,) = (line for line in text.splitlines() if "| 2.00 ms | 500 µs | 400 µs |" in line)
    assert row.startswith("| PyTorch, training step")


def test_no_events_is_no_number_and_no_gpu_is_no_table() -> None:
    assert "| 500 µs | – |" in page(DeviceClocks(latency_s=2e-3, slope_s=5e-4, events_s=None))
    assert "Clocks on the GPU" not in page(None)
