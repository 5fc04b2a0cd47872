"""What starting costs and when it has paid, memory and energy. Made-up records whose truth is known."""

import itertools
import random
import re
from typing import Any

import pytest

from benchmarks.analysis import ranking, results, startup
from benchmarks.analysis.startup import break_even
from benchmarks.records import record
from benchmarks.records.record import Cell, InstalledRecord, ProofRecord, Record, StartRecord
from benchmarks.report import dataframe
from tests.support import report_text
from tests.support.synthetic import MICROSECOND, cell, installed, measured, proof, start

NUMPY, TORCH, KERAS = cell("numpy"), cell("torch"), cell("keras-tensorflow")
SECONDS = ((NUMPY, 200), (TORCH, 100), (KERAS, 400))


def page(records: list[Record], anchor: str) -> str:
    """One section in Markdown."""
    titles = {"starting": "Compiling and starting", "resources": "Memory and energy"}
    return report_text.page(records).split(f". {titles[anchor]}\n")[1].split("\n## ")[0]


def summary(records: list[Record]) -> str:
    """What stands open of the section on starting."""
    sections = report_text.document(records).sections
    return next(section.summary for section in sections if section.anchor == "starting")


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
    (row,) = [line for line in text.splitlines() if line.startswith("| PyTorch | 2.10 s | 100 ms")]
    cells = [part.strip() for part in row.strip("|").split("|")]
    assert cells[1:4] == ["2.10 s", "100 ms", "10.0 ms"]
    assert re.fullmatch(r"\S+ µs \(\S+ to \S+\)", cells[4])
    assert cells[5] == "865 MB"
    (numpy,) = [line for line in text.splitlines() if line.startswith("| NumPy | 100 ms | 100 ms | 10.0 ms | ")]
    assert numpy.endswith(" | – |"), "no size is known of it"


def test_the_table_for_programs_has_what_starting_costs() -> None:
    whole_run = results.gather(started(), [], {})
    rows = dataframe.cells(whole_run, ranking.comparison_groups(whole_run)).set_index("framework")
    assert rows.import_s.to_dict() == {"numpy": 0.1, "torch": 2.1, "keras-tensorflow": 5.0}
    assert rows.loc[["torch"], ["first_call_s", "second_call_s", "installed_bytes"]].to_numpy().tolist() == [
        [0.1, 0.01, 865_000_000]
    ]
    assert rows.installed_bytes.isna().to_dict() == {"numpy": True, "torch": False, "keras-tensorflow": True}


def test_times_that_were_measured_once_say_so() -> None:
    text = page(started(), "starting")
    for header in ("import (once)", "first call (once)", "second call (once)", "ready after (once)"):
        assert f"| {header} |" in text
    assert "| steady call (95% interval, 6 blocks) |" in text
    assert "since starts happened once, that is no verdict" in text


def test_the_answer_is_who_is_ready_first() -> None:
    where = "batch 256, width 128 (float32, 2 threads) (once)"
    assert summary(started()) == f"NumPy is ready first: 210 ms until its training steps are steady, {where}."
    assert (
        summary([r for r in started() if not isinstance(r, StartRecord)])
        == "What importing costs was not measured, so nothing is said of who starts fastest."
    )


def unproved(of: Cell) -> list[Record]:
    """The same run, in which one failed its proof in a block."""
    return [*(r for r in started() if not (isinstance(r, ProofRecord) and r.who == of.who)), proof(of, 0, error=2.0)]


def test_what_was_not_proved_equal_is_marked_and_compared_with_nobody() -> None:
    text = page(unproved(NUMPY), "starting")
    assert "| NumPy (not proved equal) | 100 ms |" in text
    assert "PyTorch is ready first" in text
    assert "against PyTorch" in text
    assert text.count("NumPy") == 1, "in its row alone"
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
    assert "not settled" in text
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


def test_without_a_training_step_there_are_no_such_sections() -> None:
    sections = report_text.document(measured([(cell("numpy", "predict"), 1e-4)])).sections
    assert not {"starting", "resources"} & {section.anchor for section in sections}


def test_old_records_without_costs_are_a_report_too() -> None:
    records = started()[: -len(SECONDS) - 1]
    assert not [r for r in records if isinstance(r, record.StartRecord)]
    assert "| NumPy | – | 100 ms | 10.0 ms |" in page(records, "starting")
