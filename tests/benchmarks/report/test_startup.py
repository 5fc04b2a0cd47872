"""What starting costs and when it has paid, memory and energy. Made-up records whose truth is known."""

import itertools
import random
from typing import Any

import pytest

from benchmarks import wording
from benchmarks.analysis import ranking, results, startup
from benchmarks.analysis.startup import break_even
from benchmarks.records import record
from benchmarks.records.record import Cell, Energy, InstalledRecord, Peak, ProofRecord, Record, StartRecord
from tests.support import report_text
from tests.support.synthetic import MICROSECOND, cell, installed, measured, proof, resources, start, worker

NUMPY, TORCH, KERAS = cell("numpy"), cell("torch"), cell("keras-tensorflow")
SECONDS = ((NUMPY, 200), (TORCH, 100), (KERAS, 400))


def page(records: list[Record], anchor: str) -> str:
    """One section in Markdown."""
    titles = {"starting": "Compiling and starting", "resources": "Memory and energy"}
    return report_text.page(records).split(f". {titles[anchor]}\n")[1].split("\n## ")[0]


# Break-even


@pytest.mark.parametrize(
    ("first", "second", "step"),
    [
        ((1.0, 0.2), (3.0, 0.1), 21),  # after 20 steps they are level
        ((3.0, 0.1), (1.0, 0.2), 21),
        ((1.0, 0.1), (3.0, 0.2), None),
        ((1.0, 0.1), (3.0, 0.1), None),
        ((1.0, 0.2), (1.0, 0.1), 1),
        ((1.0, 0.1), (1.0, 0.1), None),
        ((0.0, 1.0), (0.5, 0.0), 1),
        ((0.0, 1e-300), (1e300, 0.0), None),
    ],
)
def test_when_the_later_one_is_ahead(first: tuple[float, float], second: tuple[float, float], step: int | None) -> None:
    assert break_even(*first, *second) == step


def test_break_even_is_what_counting_gives() -> None:
    rng = random.Random(0)
    for _ in range(200):
        start_a, start_b = sorted(rng.sample(range(100), 2))
        per_b, per_a = sorted(rng.sample(range(1, 50), 2))
        counted = next(n for n in itertools.count(1) if start_b + n * per_b < start_a + n * per_a)
        assert break_even(start_a, per_a, start_b, per_b) == counted


# Starting


def started(blocks: int = 6, **options: Any) -> list[Record]:
    """NumPy is there at once, PyTorch later but twice as fast, Keras last and slowest."""
    records = measured([(of, seconds * MICROSECOND) for of, seconds in SECONDS], blocks, noise=0.002)
    imports = {"numpy": 0.1, "torch": 2.1, "keras-tensorflow": 5.0} | options
    return [*records, *(start(name, import_s) for name, import_s in imports.items()), installed("torch", 865)]


def test_import_first_calls_and_size_stand_in_one_row() -> None:
    text = page(started(), "starting")
    (row,) = [line for line in text.splitlines() if line.startswith("| PyTorch | 2.10 s")]
    cells = [part.strip() for part in row.strip("|").split("|")]
    assert cells[1:5] == ["2.10 s", "500 ms (500 to 500 ms; 6)", "100 ms", "10.0 ms"]
    assert cells[5].endswith(" µs; 6)")
    assert cells[6] == "865 MB"
    assert "| NumPy | 100 ms | 500 ms (500 to 500 ms; 6) | 100 ms | 10.0 ms | " in text
    assert text.count("–") >= 2  # no size is known of the others


def test_times_that_were_measured_once_say_so() -> None:
    text = page(started(), "starting")
    for header in ("import, alone (once)", "first call (once)", "second call (once)", "ready after (once)"):
        assert f"| {header} |" in text
    assert "| import, beside the others (95% interval; blocks) |" in text
    assert "**Seconds since the program began, added up from starts (once) and steady times, not run, batch" in text
    assert "NumPy is ready first (measured once: 210 ms of" in text


def test_a_block_counts_once_however_many_of_its_processes_imported() -> None:
    """The null control is a second process of one framework, and its import is no block of its own."""
    control = worker(NUMPY.who, 0).model_copy(update={"import_s": 0.7})
    whole_run = results.gather([*started(), control], [], {})
    numpy = next(
        one for one in startup.starts(whole_run, ranking.comparison_groups(whole_run)[0]) if one.entry.cell == NUMPY
    )
    assert numpy.crowded is not None
    assert (numpy.crowded.value, numpy.crowded.blocks) == (0.5, 6)
    assert numpy.crowded.high > 0.5


def unproved(of: Cell) -> list[Record]:
    """The same run, in which one failed its proof in a block."""
    return [*(r for r in started() if not (isinstance(r, ProofRecord) and r.who == of.who)), proof(of, 0, error=2.0)]


def test_what_was_not_proved_equal_is_marked_and_compared_with_nobody() -> None:
    text = page(unproved(NUMPY), "starting")
    assert "| NumPy (not proved equal) | 100 ms |" in text
    assert "PyTorch is ready first" in text
    assert "against PyTorch" in text
    assert text.count("NumPy") == 2, "its row, and the note on imports"
    assert "takes no part in the comparisons" in text
    assert "takes no part in the comparisons" not in page(started(), "starting")
    whole_run = results.gather(unproved(TORCH), [], {})
    _, others = startup.overtaking(startup.starts(whole_run, ranking.comparison_groups(whole_run)[0]))
    assert [other.start.entry.cell for other in others] == [KERAS]


def test_an_own_variant_is_compared() -> None:
    stock = cell("keras-tensorflow", variant="stock")
    records = measured([(NUMPY, 2e-4), (KERAS, 4e-4), (stock, 4e-4)], noise=0.002)
    records += [start("numpy", 0.1), start("keras-tensorflow", 5.0)]
    assert "| Keras-TensorFlow (stock) | 5.11 s | never: later and slower |" in page(records, "starting")


def test_who_had_used_the_least_time_is_named_once_where_it_is_the_same() -> None:
    text = page(started(), "starting")
    assert "NumPy had used the least time after 1 step and PyTorch after 100,000 steps; since" in text
    assert "| 1 step | 10 steps |" in text
    text = page(started(torch=20.0), "starting")
    assert "NumPy had used the least time after 1 step and after 100,000 steps; since" in text
    assert "1 steps" not in text


def test_a_later_start_that_runs_no_faster_has_not_paid() -> None:
    records = measured([(NUMPY, 2e-4), (TORCH, 2e-4)], noise=0.002)
    text = page([*records, start("numpy", 0.1), start("torch", 2.1)], "starting")
    assert "| PyTorch | 2.21 s | no: tied | – |" in text
    assert "not settled" not in text


def test_the_later_but_faster_one_has_its_step_and_the_slower_one_never() -> None:
    whole_run = results.gather(started(), [], {})
    (group,) = ranking.comparison_groups(whole_run)
    first, (torch, keras) = startup.overtaking(startup.starts(whole_run, group))
    assert first is not None
    assert first.entry.cell == NUMPY
    assert first.before_steady_s == pytest.approx(0.1 + 0.1 + 0.01, rel=0.01)
    assert torch.calls == pytest.approx(2.0 / 100e-6, rel=0.02)
    assert torch.earliest is not None
    assert torch.latest is not None
    assert torch.calls is not None
    assert torch.earliest <= torch.calls <= torch.latest
    assert keras.calls is None
    text = page(started(), "starting")
    assert "NumPy is ready first" in text
    assert f"from step {torch.calls:,} on" in text
    assert "never: later and slower" in text


def test_nothing_is_claimed_that_the_times_do_not_settle() -> None:
    text = page(started(blocks=2), "starting")
    assert "not settled (inconclusive)" in text
    assert "from step" not in text


def test_calls_slower_than_steady_ones_alone_count_as_starting() -> None:
    records = measured([(NUMPY, 1.0)], blocks=1)
    whole_run = results.gather([*records, start("numpy", 3.0)], [], {})
    (one,) = startup.starts(whole_run, ranking.comparison_groups(whole_run)[0])
    assert one.before_steady_s == 3.0  # the first call took 0.1 s, less than a steady one


def test_reasons_stand_where_numbers_would() -> None:
    records: list[Record] = [r for r in started() if not isinstance(r, StartRecord | InstalledRecord)]
    assert "did not come to measuring imports" in page(records, "starting")
    records += [StartRecord(who=TORCH.who, reason="it was lost"), InstalledRecord(framework="torch", reason="editable")]
    text = page(records, "starting")
    assert "- PyTorch, import: it was lost" in text
    assert "- PyTorch, on disk: editable" in text
    assert "ready first" not in text


def test_the_middle_size_is_shown() -> None:
    timed = [(cell("numpy", batch=batch, width=width), 1e-4) for batch in (1, 32, 512) for width in (64, 128)]
    groups = ranking.comparison_groups(results.gather(measured(timed), [], {}))
    assert startup.middle(groups).axes == {"batch": 32, "width": 128}
    assert "batch 32, width 128" in page(measured(timed), "starting")


def test_without_a_training_step_there_is_a_sentence() -> None:
    records = measured([(cell("numpy", "predict"), 1e-4)])
    assert "No training step was timed" in page(records, "starting")
    assert "were not measured" in page(records, "resources")


# Memory and energy


def test_memory_is_the_peak_above_what_was_held_before_by_size() -> None:
    records = [*started(), resources(TORCH, 20), resources(NUMPY, 5), resources(cell("torch", batch=8), 1)]
    text = page(records, "resources").split("**The largest batch")[0]
    rows = [line for line in text.splitlines() if line.startswith(("| NumPy", "| PyTorch"))]
    setting = "float32, plain, 2 threads"
    assert rows == [
        f"| PyTorch | batch 8, width 128 | 1.00 MB | 50.0 MB | 51.0 MB | {setting} |",
        f"| NumPy | batch 256, width 128 | 5.00 MB | 50.0 MB | 55.0 MB | {setting} |",
        f"| PyTorch | batch 256, width 128 | 20.0 MB | 50.0 MB | 70.0 MB | {setting} |",
    ]


def test_one_reason_for_all_is_said_once_and_several_by_name() -> None:
    records = [*started(), resources(TORCH), resources(NUMPY)]
    text = page(records, "resources")
    assert text.count("There is no number for any implementation: it runs on the CPU.") == 1
    assert text.count("There is no number for any implementation: there is no counter.") == 1
    lost = resources(KERAS, host=Peak(reason="the process was lost"))
    text = page([*records, lost], "resources")
    assert "- Keras-TensorFlow (batch 256, width 128): the process was lost" in text
    assert "0 bytes" not in text


def test_energy_is_joules_per_sample_with_what_counted() -> None:
    energy = Energy(joules=5.0, samples=10_000, elapsed_s=1.1, counter="RAPL")
    text = page([*started(), resources(NUMPY, energy=energy), resources(TORCH)], "resources")
    assert "| 500 µJ | 10,000 | 1.10 s |" in text
    assert "| energy per sample | samples | counted over (once) |" in text
    assert "Counted by: RAPL (NumPy)." in text
    assert "- PyTorch (batch 256, width 128): there is no counter" in text


def test_device_memory_has_a_table_of_its_own() -> None:
    gpu = cell("torch", device="cuda:0")
    peak = Peak(before_bytes=0, peak_bytes=3_000_000_000, counter="PyTorch's allocator: bytes in tensors")
    records = [*measured([(gpu, 1e-4)]), resources(gpu, device=peak)]
    text = page(records, "resources")
    assert "| 3.00 GB | 0 bytes | 3.00 GB |" in text
    assert "Counted by: PyTorch's allocator: bytes in tensors" in text


@pytest.mark.parametrize(
    ("count", "shown"), [(0, "0 bytes"), (999, "999 bytes"), (71_399_462, "71.4 MB"), (1_537_534_553, "1.54 GB")]
)
def test_bytes_have_three_digits_and_a_unit(count: int, shown: str) -> None:
    assert wording.memory(count) == shown


def test_old_records_without_costs_are_a_report_too() -> None:
    records = started()[: -len(SECONDS) - 1]
    assert not [r for r in records if isinstance(r, record.StartRecord)]
    assert "| NumPy | – | 500 ms" in page(records, "starting")
