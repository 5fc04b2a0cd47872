"""Memory and energy: the peak above what was held before, joules per sample, and the reasons for what was not counted."""

import pytest

from benchmarks import wording
from benchmarks.analysis import ranking
from benchmarks.records.record import Energy, Peak, Record
from benchmarks.report import dataframe
from tests.support import report_text
from tests.support.synthetic import cell, measured, resources

NUMPY, TORCH, KERAS = cell("numpy"), cell("torch"), cell("keras-tensorflow")
TIMED = measured([(of, 1e-4) for of in (NUMPY, TORCH, KERAS)])


def section(records: list[Record]) -> str:
    return report_text.section(records, "Memory and energy")


def test_memory_is_the_peak_above_what_was_held_before_at_the_size_where_most_were_counted() -> None:
    records = [*TIMED, resources(TORCH, 20), resources(NUMPY, 5), resources(cell("torch", batch=8), 1)]
    text = section(records)
    rows = [line for line in text.splitlines() if line.startswith(("| NumPy", "| PyTorch"))]
    assert rows == ["| NumPy | 5.00 MB | 50.0 MB |", "| PyTorch | 20.0 MB | 50.0 MB |"]
    assert "**Host memory of a training process, batch 256, width 128 (float32, plain, 2 threads)**" in text


def test_one_reason_for_all_is_said_once_and_several_by_name() -> None:
    records = [*TIMED, resources(TORCH), resources(NUMPY)]
    text = section(records)
    none = "there is no number for any implementation"
    assert text.count(f"Device memory of a training process: {none}, it runs on the CPU.") == 1
    assert text.count(f"Energy of training, idle included: {none}, there is no counter.") == 1
    lost = resources(KERAS, host=Peak(reason="the process was lost"))
    text = section([*records, lost])
    assert "- Keras-TensorFlow (batch 256, width 128): the process was lost" in text
    assert "0 bytes" not in text


def test_energy_is_joules_per_sample_with_what_counted() -> None:
    energy = Energy(joules=5.0, samples=10_000, elapsed_s=1.1, counter="RAPL")
    text = section([*TIMED, resources(NUMPY, energy=energy), resources(TORCH)])
    assert "| 500 µJ | 10,000 | 1.10 s |" in text
    assert "| energy per sample | samples | counted over (once) |" in text
    assert "Counted by: RAPL (NumPy)." in text
    assert "- PyTorch (batch 256, width 128): there is no counter" in text


def test_device_memory_has_a_table_of_its_own() -> None:
    gpu = cell("torch", device="cuda:0")
    peak = Peak(before_bytes=0, peak_bytes=3_000_000_000, counter="PyTorch's allocator: bytes in tensors")
    records = [*measured([(gpu, 1e-4)]), resources(gpu, device=peak)]
    text = section(records)
    assert "| 3.00 GB | 0 bytes |" in text
    assert "Counted by: PyTorch's allocator: bytes in tensors" in text


@pytest.mark.parametrize(
    ("count", "shown"), [(0, "0 bytes"), (999, "999 bytes"), (71_399_462, "71.4 MB"), (1_537_534_553, "1.54 GB")]
)
def test_bytes_have_three_digits_and_a_unit(count: int, shown: str) -> None:
    assert wording.memory(count) == shown


def test_the_answer_compares_at_one_size() -> None:
    records = [*TIMED, resources(TORCH, 20), resources(NUMPY, 5), resources(cell("jax", batch=8), 1)]
    said = "Host memory that training takes at batch 256, width 128, above what was held before: NumPy 5.00 MB to PyTorch 20.0 MB. Energy could not be counted here."
    assert said in section(records)
    lost = resources(NUMPY, host=Peak(reason="the process was lost"))
    assert "Memory was not counted; energy could not be counted here." in section([*TIMED, lost])


def test_the_table_for_programs_has_what_was_held_the_peaks_and_the_energy() -> None:
    energy = Energy(joules=5.0, samples=10_000, elapsed_s=1.1, counter="RAPL")
    whole_run = report_text.gathered([*TIMED, resources(TORCH, 20, energy=energy)])
    rows = dataframe.cells(whole_run, ranking.comparison_groups(whole_run)).set_index("framework")
    columns = ["host_before_bytes", "host_peak_bytes", "joules_per_sample"]
    assert rows.loc[["torch"], columns].to_numpy().tolist() == [[50_000_000, 70_000_000, 5e-4]]
    assert rows.loc[["numpy"], columns].isna().to_numpy().all()
    assert rows.device_peak_bytes.isna().all()
