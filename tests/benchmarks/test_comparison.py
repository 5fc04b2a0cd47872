"""Comparing two results folders: every verdict, every refusal, every exit code, on records made up for it."""

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.stats
from click.testing import CliRunner, Result

from benchmarks import record, statistics
from benchmarks.__main__ import main
from benchmarks.comparison import SEVERITY, fraction
from benchmarks.record import Cell, Record
from benchmarks.statistics import compare_unpaired
from tests.benchmarks.report import synthetic
from tests.benchmarks.report.synthetic import MICROSECOND, cell, measured

MACHINE: dict[str, Any] = {
    "cpu": "AMD EPYC 7B13",
    "cores": 2,
    "usable_cores": 2,
    "memory_bytes": 8 * 2**30,
    "gpus": ["NVIDIA H200, 570.86.10, 143771 MiB"],
    "os": "Linux 6.1",
    "python": "3.11.7",
    "governor": "performance",
}
NUMPY, TORCH, KERAS = cell("numpy"), cell("torch"), cell("keras-tensorflow")
STOCK = cell("keras-tensorflow", variant="stock")
US_100 = 100 * MICROSECOND


def controls(of: Cell, factor: float = 1.0, blocks: int = 6) -> list[Record]:
    """A null control whose second copy takes `factor` times as long."""
    found: list[Record] = []
    for block in range(blocks):
        first = synthetic.timing(of, block, US_100, noise=0.001)
        rounds = [factor * seconds for seconds in first.elapsed_s]
        found.append(first.model_copy(update={"elapsed_s": rounds, "control": True}))
    return found


def quiet(*cells: tuple[Cell, float], blocks: int = 6, noise: float = 0.001, **options: Any) -> list[Record]:
    """A run without noise worth speaking of, NumPy at 100 µs and its null control in it."""
    return [*measured([(NUMPY, US_100), *cells], blocks, noise, **options), *controls(NUMPY, 1.0, blocks)]


def without(records: Sequence[Record], of: Cell) -> list[Record]:
    """The same run, but that cell has no time."""
    return [item for item in records if item.kind != "timing" or item.cell != of]


def unequal(of: Cell, block: int = 0) -> Record:
    return record.OutcomeRecord(cell=of, block=block, status="unequal", reason="gradients differ")


class Folders:
    """Two results folders and the command on them."""

    def __init__(self, path: Path) -> None:
        self.a, self.b = path / "a", path / "b"

    def save(
        self, a: Sequence[Record], b: Sequence[Record], machine: dict[str, Any] | None = None, **changes: Any
    ) -> None:
        """`changes` are of B's machine."""
        machine = MACHINE if machine is None else machine
        synthetic.save(self.a, a, machine)
        synthetic.save(self.b, b, machine | changes)

    def compare(self, *options: str) -> Result:
        return CliRunner().invoke(main, ["compare", str(self.a), str(self.b), *options])

    def found(self, *options: str, code: int = 0) -> dict[str, Any]:
        """What `--json` says, which must agree with the exit code, and with itself without `--json`."""
        result = self.compare("--json", *options)
        assert result.exit_code == code, result.output
        found = json.loads(result.stdout)
        assert found["exit_code"] == code
        plain = self.compare(*options)
        assert (plain.exit_code, plain.stdout.splitlines()[0]) == (code, found["summary"])
        assert bool(found["failures"]) == (code != 0)
        return found

    def rows(self, *options: str, code: int = 0) -> dict[str, dict[str, Any]]:
        return {row["id"]: row for row in self.found(*options, code=code)["cells"]}


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(tmp_path)


# The interval


@pytest.mark.parametrize("sizes", [(6, 6), (2, 9), (12, 7)])
def test_the_interval_is_welchs_as_scipy_has_it(sizes: tuple[int, int]) -> None:
    rng = np.random.default_rng(sizes)
    ours, theirs = rng.lognormal(0.3, 0.2, sizes[0]), rng.lognormal(0, 0.02, sizes[1])
    found = compare_unpaired(list(ours), list(theirs))
    test = scipy.stats.ttest_ind(np.log(ours), np.log(theirs), equal_var=False)
    interval = test.confidence_interval(0.95)
    assert found.ratio.value == pytest.approx(np.exp(np.log(ours).mean() - np.log(theirs).mean()), rel=1e-12)
    assert (found.ratio.low, found.ratio.high) == pytest.approx(tuple(np.exp(interval)), rel=1e-10)
    assert found.p_value == pytest.approx(test.pvalue, rel=1e-9)
    assert found.detected == (test.pvalue < 0.05)
    assert found.ratio.blocks == min(sizes)


def test_the_interval_by_hand() -> None:
    e = math.e
    found = compare_unpaired([e, e**2, e**3], [1.0, 1.0, 1.0])  # mean 2, error 1/sqrt(3), freedom 2
    half = 4.302652729749464 / math.sqrt(3)
    assert found.ratio.low == pytest.approx(math.exp(2 - half), rel=1e-12)
    assert found.ratio.high == pytest.approx(math.exp(2 + half), rel=1e-12)


def test_the_unpaired_interval_covers_the_truth_95_times_in_100() -> None:
    rng, runs, truth = np.random.default_rng(5), 4000, 1.07
    ours = truth * np.exp(rng.normal(0, 0.05, (runs, 6)))
    theirs = np.exp(rng.normal(0, 0.01, (runs, 9)))
    found = [compare_unpaired(list(a), list(b)).ratio for a, b in zip(ours, theirs, strict=True)]
    assert 0.94 <= np.mean([ratio.low <= truth <= ratio.high for ratio in found]) <= 0.96


def test_no_pairing_the_order_of_the_blocks_says_nothing() -> None:
    drift = [1.0, 1.5, 2.5, 0.7, 4.0, 1.2]
    slower = [1.1 * d for d in drift]
    assert compare_unpaired(slower, drift).verdict == "inconclusive"
    backwards = compare_unpaired(slower[::-1], drift)
    assert backwards.ratio.low == pytest.approx(compare_unpaired(slower, drift).ratio.low, rel=1e-12)


def test_equal_blocks_have_an_interval_of_no_width_and_one_block_has_none() -> None:
    same, other = compare_unpaired([1.0] * 6, [1.0] * 6), compare_unpaired([2.0] * 6, [1.0] * 6)
    assert (same.ratio.low, same.ratio.high, same.p_value, same.verdict) == (1.0, 1.0, 1.0, "tied")
    assert (other.ratio.value, other.p_value, other.verdict) == (pytest.approx(2.0), 0.0, "slower")
    one = compare_unpaired([2.0], [1.0] * 9)
    assert (one.ratio.low, one.ratio.high, one.verdict, one.detected) == (0.0, math.inf, "inconclusive", False)
    assert (one.p_value, one.detectable) == (1.0, math.inf)
    with pytest.raises(ValueError, match="no block"):
        compare_unpaired([], [1.0])


@pytest.mark.parametrize("sizes", [(5, 6), (6, 5), (5, 12)])
def test_a_verdict_needs_six_blocks_on_either_side(sizes: tuple[int, int]) -> None:
    times = [1.0 + 1e-4 * k for k in range(12)]
    doubled = [2 * seconds for seconds in times]
    assert compare_unpaired(doubled[: sizes[0]], times[: sizes[1]]).verdict == "inconclusive"
    assert compare_unpaired(doubled[:6], times[:6]).verdict == "slower"


def test_what_can_be_detected_is_found_about_8_times_in_10() -> None:
    rng, runs = np.random.default_rng(6), 1000
    true = statistics.compare_unpaired([1.02, 1 / 1.02] * 4, [1.02, 1 / 1.02] * 4).detectable
    noise = np.log(1.02) * math.sqrt(8 / 7)
    ours, theirs = (1 + true) * np.exp(rng.normal(0, noise, (runs, 8))), np.exp(rng.normal(0, noise, (runs, 8)))
    found = [compare_unpaired(list(a), list(b)).detected for a, b in zip(ours, theirs, strict=True)]
    assert 0.75 <= np.mean(found) <= 0.87


# Verdicts and exit codes


@pytest.mark.parametrize(
    ("factor", "verdict", "code"),
    [(1.25, "slower", 5), (0.8, "faster", 0), (1.0, "tied", 0), (1.03, "inconclusive", 0)],
)
def test_verdicts_against_the_margin(folders: Folders, factor: float, verdict: str, code: int) -> None:
    folders.save(quiet((TORCH, US_100), noise=0.004), quiet((TORCH, factor * US_100), noise=0.004))
    row = folders.rows(code=code)[TORCH.id]
    assert (row["verdict"], row["counts"], row["fails"]) == (verdict, True, code == 5)
    assert row["comparison"]["ratio"]["value"] == pytest.approx(factor, rel=0.01)


def test_the_margin_is_what_the_user_says(folders: Folders) -> None:
    folders.save(quiet((TORCH, US_100)), quiet((TORCH, 1.1 * US_100)))
    assert folders.rows(code=5)[TORCH.id]["verdict"] == "slower"
    assert folders.rows("--margin", "20%")[TORCH.id]["verdict"] == "tied"
    assert "(margin 20%)" in folders.compare("--margin", "20%").stdout.splitlines()[0]


@pytest.mark.parametrize("text", ["3", "0.03", "x%", "-3%", "100%", "nan%", "%", ""])
def test_a_margin_that_is_no_percentage_is_refused(folders: Folders, text: str) -> None:
    folders.save(quiet(), quiet())
    found = folders.compare("--margin", text)
    assert (found.exit_code, found.stdout) == (2, "")
    assert "such as 3%" in found.stderr
    assert fraction(" 2.5% ") == 0.025


def test_a_regression_hidden_by_few_blocks_is_inconclusive(folders: Folders) -> None:
    folders.save(quiet((TORCH, US_100)), quiet((TORCH, 2 * US_100), blocks=5))
    row = folders.rows()[TORCH.id]
    assert (row["verdict"], row["comparison"]["ratio"]["blocks"]) == ("inconclusive", 5)
    assert row["comparison"]["ratio"]["low"] > 1.9


def test_one_block_leaves_null_for_the_ends_of_the_interval(folders: Folders) -> None:
    folders.save(quiet((TORCH, US_100)), quiet((TORCH, 2 * US_100), blocks=1))
    row = folders.rows()[TORCH.id]
    assert (row["verdict"], row["comparison"]["ratio"]["high"], row["B"]["seconds"]["high"]) == (
        "inconclusive", None, None,
    )  # fmt: skip


def test_a_cell_without_a_time_in_b_is_missing_with_its_reason(folders: Folders) -> None:
    failed = record.OutcomeRecord(cell=TORCH, block=0, status="failed", reason="out of memory")
    both = quiet((TORCH, US_100))
    folders.save(both, [*without(both, TORCH), failed])
    row = folders.rows(code=5)[TORCH.id]
    assert (row["verdict"], row["comparison"], row["note"]) == ("missing", None, "B: out of memory")


def test_a_cell_that_b_did_not_plan_is_missing_and_one_of_b_alone_is_new(folders: Folders) -> None:
    folders.save(quiet((TORCH, US_100)), quiet((STOCK, US_100)))
    rows = folders.rows(code=5)
    assert {name: row["verdict"] for name, row in rows.items()} == {
        TORCH.id: "missing", STOCK.id: "new", NUMPY.id: "tied",
    }  # fmt: skip
    assert (rows[TORCH.id]["note"], rows[STOCK.id]["note"]) == ("not planned in B", "not planned in A")
    assert (rows[TORCH.id]["B"], rows[STOCK.id]["A"]) == (None, None)
    folders.save(quiet(), quiet((STOCK, US_100)))
    assert folders.rows()[STOCK.id]["fails"] is False


def test_a_cell_that_neither_run_measured_is_no_row(folders: Folders) -> None:
    both = without(quiet((TORCH, US_100)), TORCH)
    folders.save(both, both)
    assert folders.rows().keys() == {NUMPY.id}


def failed_proof(records: list[Record]) -> list[Record]:
    return [*records, synthetic.proof(TORCH, 3, error=5.0)]


def refused_proof(records: list[Record]) -> list[Record]:
    return [*without(records, TORCH), *(unequal(TORCH, block) for block in range(6))]


@pytest.mark.parametrize("broken", [failed_proof, refused_proof])
def test_a_cell_proved_in_a_and_unequal_in_b_fails_however_fast_it_is(
    folders: Folders, broken: Callable[[list[Record]], list[Record]]
) -> None:
    folders.save(quiet((TORCH, US_100)), broken(quiet((TORCH, 0.5 * US_100))))
    row = folders.rows(code=1)[TORCH.id]
    assert (row["verdict"], row["fails"]) == ("unequal", True)


def test_unequal_is_told_before_slower(folders: Folders) -> None:
    folders.save(quiet((TORCH, US_100), (KERAS, US_100)), failed_proof(quiet((TORCH, US_100), (KERAS, 2 * US_100))))
    rows = folders.rows(code=1)
    assert (rows[TORCH.id]["verdict"], rows[KERAS.id]["verdict"], rows[KERAS.id]["fails"]) == (
        "unequal",
        "slower",
        True,
    )


def test_a_floor_beside_an_unequal_cell_is_not_unequal_itself(folders: Folders) -> None:
    floor = cell("torch", "products")
    beside: list[Record] = [synthetic.timing(floor, block, US_100, noise=0.001, ranked=False) for block in range(6)]
    folders.save([*quiet((TORCH, US_100)), *beside], failed_proof([*quiet((TORCH, US_100)), *beside]))
    rows = folders.rows(code=1)
    assert (rows[TORCH.id]["verdict"], rows[floor.id]["verdict"], rows[floor.id]["fails"]) == ("unequal", "tied", False)


def test_a_cell_that_a_proved_and_could_not_time_fails_too_when_it_is_unequal(folders: Folders) -> None:
    both = without(quiet((TORCH, US_100)), TORCH)
    folders.save(both, failed_proof(both))
    assert folders.rows(code=1)[TORCH.id]["verdict"] == "unequal"


def test_a_cell_that_was_unequal_before_is_shown_and_cannot_fail(folders: Folders) -> None:
    folders.save(failed_proof(quiet((TORCH, US_100))), failed_proof(quiet((TORCH, 2 * US_100))))
    row = folders.rows()[TORCH.id]
    assert (row["verdict"], row["counts"], row["fails"]) == ("slower", False, False)
    assert "not proved" in row["note"]
    assert "1 shown that cannot fail" in folders.compare().stdout


@pytest.mark.parametrize("b", [2.0, None], ids=["slower", "missing"])
def test_what_stands_beside_is_shown_and_cannot_fail(folders: Folders, b: float | None) -> None:
    def run(factor: float | None) -> list[Record]:
        beside = [cell("numpy", "products"), cell("scikit-learn")] if factor else []
        return quiet() + [
            synthetic.timing(of, block, (factor or 1) * US_100, noise=0.001, ranked=False)
            for of in beside
            for block in range(6)
        ]

    folders.save(run(1.0), run(b))
    rows = folders.rows()
    for of in (cell("numpy", "products"), cell("scikit-learn")):
        assert (rows[of.id]["verdict"], rows[of.id]["fails"]) == ("slower" if b else "missing", False)
        assert "beside in A" in rows[of.id]["note"]


@pytest.mark.parametrize("side", ["A", "B"])
@pytest.mark.parametrize(("factor", "code"), [(1.2, 5), (0.8, 5), (1.0, 0)])
def test_a_failed_null_control_of_either_run_fails(folders: Folders, side: str, factor: float, code: int) -> None:
    good, bad = quiet(), [*measured([(NUMPY, US_100)], noise=0.001), *controls(NUMPY, factor)]
    folders.save(*((bad, good) if side == "A" else (good, bad)))
    found = folders.found(code=code)
    assert [row["verdict"] for row in found["cells"]] == ["tied"]
    if code:
        assert found["failures"] == [
            text for text in folders.compare().stdout.splitlines() if "null control of" in text
        ]
        assert f"The null control of {side} failed (training step, batch 256, width 128" in found["failures"][0]
        assert "1 failed null control" in found["summary"]


def test_a_run_without_a_null_control_is_warned_of(folders: Folders) -> None:
    folders.save(quiet(), measured([(NUMPY, US_100)], noise=0.001))
    warnings = folders.found()["warnings"]
    assert [text[:1] for text in warnings if "no null control" in text] == ["B"]


def test_rows_are_sorted_by_severity_then_identity(folders: Folders) -> None:
    names = ["unequal", "slower", "slower-too", "missing", "inconclusive", "faster", "tied"]
    factors = {"slower": 1.5, "slower-too": 1.5, "inconclusive": 1.03, "faster": 0.5}
    cells = {name: cell(f"z-{name}" if name < "s" else name) for name in names}
    a = [(of, US_100) for of in cells.values()]
    b = [(of, factors.get(name, 1.0) * US_100) for name, of in cells.items() if name != "missing"]
    new = (cell("a-new"), US_100)
    folders.save(quiet(*a, noise=0.004), [*quiet(*b, new, noise=0.004), synthetic.proof(cells["unequal"], 0, error=9)])
    verdicts = [(row["verdict"], row["id"]) for row in folders.found(code=1)["cells"]]
    assert {verdict for verdict, _ in verdicts} == set(SEVERITY)
    assert verdicts == sorted(verdicts, key=lambda pair: (SEVERITY.index(pair[0]), pair[1]))


def test_holms_correction_is_noted_and_slower_stays_slower(folders: Folders) -> None:
    both = [(cell("torch", batch=3**k), US_100) for k in range(14)]
    folders.save(quiet((TORCH, US_100), *both, noise=0.05), quiet((TORCH, 1.09 * US_100), *both, noise=0.05))
    row = folders.rows("--margin", "0.1%", code=5)[TORCH.id]
    assert 0.05 / 16 < row["comparison"]["p_value"] < 0.05
    assert (row["verdict"], row["comparison"]["detected"]) == ("slower", False)
    line = next(line for line in folders.compare("--margin", "0.1%").stdout.splitlines() if TORCH.id in line)
    assert "Holm" in line


# Refusals


def changed(**options: Any) -> list[Record]:
    return quiet((TORCH, US_100), **options)


@pytest.mark.parametrize(
    ("records", "machine", "words"),
    [
        ({"spec_sha256": "1" * 64}, {}, ["specification, spec_sha256: 000", "in A, 111"]),
        (
            {"spec_sha256": "1" * 64, "spec": {"features": 64, "hidden": [256]}},
            {},
            ["specification, hidden: 128, 128 in A, 256 in B", "optimizer.kind: sgd in A, none in B"],
        ),
        ({"model": "cnn"}, {}, ["model: mlp in A, cnn in B"]),
        ({"dataset": {"name": "digits", "samples": 60000}}, {}, ["data, samples: 1797 in A, 60000 in B"]),
        ({}, {"cpu": "Intel Xeon"}, ["machine, cpu: AMD EPYC 7B13 in A, Intel Xeon in B"]),
        ({}, {"cores": 4}, ["machine, cores: 2 in A, 4 in B"]),
        ({}, {"usable_cores": 1}, ["machine, usable cores: 2 in A, 1 in B"]),
        ({}, {"memory_bytes": 16 * 2**30}, ["machine, memory: 8.0 GiB in A, 16.0 GiB in B"]),
        ({}, {"gpus": []}, ["machine, GPUs: NVIDIA H200, 143771 MiB in A, none in B"]),
        ({}, {"os": "Darwin 24.1"}, ["machine, operating system: Linux in A, Darwin in B"]),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else None,
)
def test_what_makes_a_ratio_meaningless_is_refused_by_name_with_the_way_out(
    folders: Folders, records: dict[str, Any], machine: dict[str, Any], words: list[str]
) -> None:
    folders.save(changed(), changed(**records), **machine)
    found = folders.compare()
    assert (found.exit_code, found.stdout) == (2, "")
    assert found.stderr.count("\n") == 1
    assert "--anyway" in found.stderr
    for word in words:
        assert word in found.stderr
    waved = folders.found("--anyway")
    assert any(words[0] in difference for difference in waved["differences"])
    assert any(f"Compared anyway, although they differ in {words[0]}" in text for text in waved["warnings"])


@pytest.mark.parametrize(
    ("records", "machine"),
    [
        ({"seed": 7, "profile": "full", "started_at": "2027-01-01T00:00:00+00:00"}, {}),
        ({}, {"memory_bytes": int(7.9 * 2**30)}),
        ({}, {"gpus": ["NVIDIA H200, 580.95.05, 143771 MiB"], "os": "Linux 6.18", "governor": "powersave"}),
        ({}, {"python": "3.12.1"}),
    ],
    ids=["seed", "memory roughly", "system", "python"],
)
def test_what_may_differ_is_not_refused(folders: Folders, records: dict[str, Any], machine: dict[str, Any]) -> None:
    folders.save(changed(), changed(**records), **machine)
    assert folders.found()["differences"] == []


def test_an_unknown_machine_is_refused(folders: Folders) -> None:
    folders.save(changed(), changed())
    (folders.b / "environment.json").unlink()
    found = folders.compare()
    assert found.exit_code == 2
    assert "environment.json tells nothing in B" in found.stderr
    folders.found("--anyway")


def test_a_baseline_without_a_time_is_refused_even_anyway(folders: Folders) -> None:
    folders.save(without(measured([(NUMPY, US_100)]), NUMPY), quiet())
    found = folders.compare("--anyway")
    assert (found.exit_code, found.stdout) == (2, "")
    assert "holds no time" in found.stderr


@pytest.mark.parametrize("which", ["a", "b"])
@pytest.mark.parametrize("make", ["nothing", "folder", "records without a run"])
def test_what_is_not_a_results_folder_is_refused_in_one_line(folders: Folders, which: str, make: str) -> None:
    folders.save(changed(), changed())
    bad: Path = getattr(folders, which)
    (bad / "records.jsonl").unlink()
    if make == "nothing":
        (bad / "environment.json").unlink()
        bad.rmdir()
    if make == "records without a run":
        (bad / "records.jsonl").write_text("{}\n", encoding="utf-8")
    found = folders.compare("--anyway")
    assert (found.exit_code, found.stdout) == (2, "")
    assert found.stderr.startswith("Error: ")
    assert found.stderr.count("\n") == 1
    assert str(bad) in found.stderr


# What is told


def with_version(records: list[Record], framework: str, **versions: str) -> list[Record]:
    return [
        item.model_copy(update={"versions": item.versions | versions})
        if item.kind == "worker" and item.who.framework == framework
        else item
        for item in records
    ]


def test_versions_that_differ_are_listed_per_framework(folders: Folders) -> None:
    new = with_version(changed(code={"commit": "def456", "dirty": True}), "torch", torch="2.14.0", cuda="13.0")
    folders.save(changed(), new, python="3.12.1", gpus=["NVIDIA H200, 580.95.05, 143771 MiB"])
    assert [tuple(row.values()) for row in folders.found()["versions"]] == [
        ("samenet", "code", "abc123", "def456 (changed)"),
        ("system", "GPU driver", "570.86.10", "580.95.05"),
        ("system", "python", "3.11.7", "3.12.1"),
        ("torch", "cuda", None, "13.0"),
        ("torch", "torch", "2.13.0", "2.14.0"),
    ]
    text = folders.compare().stdout
    assert "torch: torch 2.13.0 in A, 2.14.0 in B" in text
    assert "torch: cuda not there in A, 13.0 in B" in text


def test_the_output_warns_that_drift_is_in_the_ratio(folders: Folders) -> None:
    folders.save(changed(), changed())
    for text in (folders.compare().stdout, " ".join(folders.found()["warnings"])):
        assert "measured at different times" in text
        assert "drifted between them" in text
        assert "run both again in turns" in text


def test_a_broken_line_is_told(folders: Folders) -> None:
    folders.save(changed(), changed())
    with (folders.b / "records.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"kind": "tim')
    assert any(text.startswith("B: records.jsonl line") for text in folders.found()["warnings"])


def test_the_table_is_aligned_plain_and_after_the_summary(folders: Folders) -> None:
    folders.save(quiet((TORCH, US_100)), quiet((TORCH, 1.5 * US_100)))
    text = folders.compare().stdout
    assert text.startswith("The comparison of B with A fails: 1 slower and 1 tied (margin 3%).\n")
    assert "\x1b" not in text
    header, *rows = text.split("\n\n")[1].splitlines()
    assert [row.split()[0] for row in rows] == ["slower", "tied"]
    for row, of in zip(rows, (TORCH, NUMPY), strict=True):
        assert row.index(of.id) == header.index("cell")
    assert "1.50" in rows[0]
    assert "150 µs" in rows[0]


def test_foreign_text_cannot_break_a_line(folders: Folders) -> None:
    hostile = cell("evil\nname\x1b[31m\u202e")
    folders.save(quiet((hostile, US_100)), with_version(quiet((hostile, US_100)), "numpy", numpy="1\n\x1b[31m"))
    text = folders.compare().stdout
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert len(text.split("\n\n")[1].splitlines()) == 3


def test_json_has_the_numbers_as_they_are(folders: Folders) -> None:
    old, new = quiet((TORCH, US_100), noise=0.01), quiet((TORCH, 1.5 * US_100), noise=0.02)
    folders.save(old, new)
    row = folders.rows(code=5)[TORCH.id]
    medians = [
        [
            statistics.block_median(item.elapsed_s, item.warmup_rounds, item.loops)
            for item in records
            if item.kind == "timing" and item.cell == TORCH
        ]
        for records in (old, new)
    ]
    wanted = compare_unpaired(medians[1], medians[0])
    assert row["comparison"]["ratio"] == {
        "value": wanted.ratio.value, "low": wanted.ratio.low, "high": wanted.ratio.high, "blocks": 6,
    }  # fmt: skip
    assert row["comparison"]["p_value"] == wanted.p_value
    assert row["B"]["seconds"]["value"] == statistics.estimate(medians[1]).value
    assert row["A"]["standing"] == "ranked"


def test_the_same_folders_give_the_same_bytes(folders: Folders) -> None:
    folders.save(synthetic.quick(), synthetic.quick())
    for options in ([], ["--json"]):
        assert folders.compare(*options).stdout_bytes == folders.compare(*options).stdout_bytes
    assert folders.compare("--json").exit_code == 0
