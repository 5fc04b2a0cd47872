"""Comparing two results folders: every verdict and every exit code, on records made up for it."""

import math
from collections.abc import Callable

import pytest

from benchmarks.analysis.compared_cell import SEVERITY
from benchmarks.cli.compare import fraction
from benchmarks.records import record
from benchmarks.records.record import Record
from tests.support import synthetic
from tests.support.synthetic import cell, measured
from tests.support.two_runs import (
    KERAS,
    NUMPY,
    STOCK,
    TORCH,
    US_100,
    Folders,
    controls,
    failed_proof,
    quiet,
    unequal,
    without,
)

# Verdicts and exit codes


@pytest.mark.parametrize(
    ("factor", "verdict", "code"),
    [(1.25, "slower", 5), (0.8, "faster", 0), (1.0, "tied", 0), (1.03, "not settled", 0)],
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


@pytest.mark.parametrize("text", ["3", "0.03", "x%", "-3%", "100%", "nan%", "%"])
def test_a_margin_that_is_no_percentage_is_refused(folders: Folders, text: str) -> None:
    folders.save(quiet(), quiet())
    done = folders.compare("--margin", text)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "such as 3%" in done.stderr
    assert fraction("--margin", " 2.5% ") == 0.025


def test_with_too_few_blocks_nothing_was_looked_for(folders: Folders) -> None:
    folders.save(quiet((TORCH, US_100)), quiet((TORCH, 2 * US_100), blocks=5))
    answer = folders.found(code=3)
    row = {row["id"]: row for row in answer["cells"]}[TORCH.id]
    assert (row["verdict"], row["comparison"]["ratio"]["blocks"]) == ("not settled", 5)
    assert row["comparison"]["ratio"]["low"] > 1.9
    assert answer["summary"] == (
        "Whether B is slower than A could not be told, because a verdict needs 6 blocks: "
        "2 with fewer than 6 blocks (margin 3%)."
    )
    assert (
        "Could have missed any slowdown (numpy): 5 blocks there, and a verdict needs 6 on both sides."
        in answer["failures"]
    )
    assert answer["could_have_missed"] == {"slowdown": None, "id": NUMPY.id}


def test_where_some_cells_have_too_few_blocks_the_first_line_says_so(folders: Folders) -> None:
    few = [r for r in quiet((TORCH, US_100)) if r.kind != "timing" or r.cell != TORCH or r.block < 5]
    folders.save(quiet((TORCH, US_100)), few)
    assert folders.found(code=3)["summary"] == (
        "No regression of B against A was found where it could be told: 1 tied and 1 with fewer than 6 blocks (margin 3%)."
    )
    assert "Could have missed any slowdown (torch): 5 blocks there" in folders.compare().stdout


def test_a_cell_that_fails_in_more_blocks_than_before_is_not_acquitted(folders: Folders) -> None:
    a, b = (measured([(NUMPY, US_100), (TORCH, US_100)], blocks=16, noise=0.004) for _ in range(2))
    lost = [r for r in b if r.kind != "timing" or r.cell != TORCH or r.block < 6]
    folders.save(a, lost)
    answer = folders.found(code=3)
    assert answer["summary"].startswith(
        "No regression of B against A was found, but 1 cell failed in more blocks of B than of A: measure again: 2 tied"
    )
    assert "    16 and 6 blocks; failed in 10 blocks more of B than of A" in folders.compare().stdout
    folders.save(lost, lost)
    folders.found(code=0)


def test_a_time_that_lost_its_proof_is_missing(folders: Folders) -> None:
    """It counted in A; beside the proved cells it would not be judged at all, however slow it is."""
    slow = [r for r in quiet((TORCH, 2 * US_100)) if r.kind != "proof" or r.who.framework != "torch"]
    folders.save(quiet((TORCH, US_100)), slow)
    row = folders.rows(code=5)[TORCH.id]
    assert (row["verdict"], row["comparison"]) == ("missing", None)


def test_where_no_cell_counts_nothing_was_looked_for(folders: Folders) -> None:
    folders.save(failed_proof(measured([(TORCH, US_100)])), failed_proof(measured([(TORCH, US_100)])))
    answer = folders.found(code=3)
    assert answer["summary"].startswith("Whether B is slower than A could not be told, because no cell that counts")
    assert answer["could_have_missed"] is None


def test_one_block_leaves_null_for_the_ends_of_the_interval(folders: Folders) -> None:
    folders.save(quiet((TORCH, US_100)), quiet((TORCH, 2 * US_100), blocks=1))
    row = folders.rows(code=3)[TORCH.id]
    assert (row["verdict"], row["comparison"]["ratio"]["high"], row["B"]["seconds"]["high"]) == (
        "not settled", None, None,
    )  # fmt: skip


# What could have been missed


def test_the_largest_slowdown_that_could_have_been_missed_is_always_told(folders: Folders) -> None:
    folders.save(quiet((TORCH, US_100), noise=0.05), quiet((TORCH, US_100), noise=0.05))
    answer = folders.found()
    high = {row["id"]: row["comparison"]["ratio"]["high"] for row in answer["cells"]}
    worst = max(high, key=high.__getitem__)
    assert answer["could_have_missed"] == {"slowdown": pytest.approx(high[worst] - 1), "id": worst}
    framework = worst.split("/")[1]
    told = math.ceil(1000 * (high[worst] - 1)) / 10  # up, for it is the most that was missed
    assert f"Could have missed slowdowns up to {told:g}% ({framework})." in folders.compare().stdout


def test_a_slowdown_that_was_found_was_not_missed(folders: Folders) -> None:
    folders.save(quiet((TORCH, US_100)), quiet((TORCH, 2 * US_100)))
    assert folders.found(code=5)["could_have_missed"]["id"] == NUMPY.id


def test_where_all_is_faster_no_slowdown_was_missed(folders: Folders) -> None:
    folders.save(quiet((TORCH, US_100)), without(quiet((TORCH, 0.5 * US_100), code={"commit": "def456"}), NUMPY))
    assert folders.found(code=5)["could_have_missed"] == {"slowdown": 0.0, "id": TORCH.id}
    assert "No slowdown could have been missed." in folders.compare().stdout


def test_where_all_is_slower_nothing_was_missed(folders: Folders) -> None:
    folders.save(quiet(), [r.model_copy(update={"elapsed_s": [2 * s for s in r.elapsed_s]}) if r.kind == "timing" else r
                           for r in quiet(code={"commit": "def456", "dirty": False})])  # fmt: skip
    assert folders.found("--need", "1%", code=5)["could_have_missed"] is None
    assert "Could have missed" not in folders.compare().stdout


@pytest.mark.parametrize(("need", "code"), [("20%", 0), ("5%", 3)])
def test_what_is_needed_must_not_have_been_missed(folders: Folders, need: str, code: int) -> None:
    """A run compared with itself is equal, and says no more than its noise lets it."""
    same = quiet((TORCH, US_100), noise=0.05)
    folders.save(same, same)
    answer = folders.found("--need", need, code=code)
    assert 0.05 < answer["could_have_missed"]["slowdown"] < 0.2
    assert answer["need"] == float(need[:-1]) / 100
    if code:
        assert "was found, but one of 5% could have been missed: " in answer["summary"]
        assert "5% was asked for: measure more blocks (--blocks, --budget)." in answer["failures"][0]


def test_a_regression_is_told_whatever_else_could_have_been_missed(folders: Folders) -> None:
    folders.save(quiet((TORCH, US_100), noise=0.05), quiet((TORCH, 2 * US_100), noise=0.05))
    assert folders.found("--need", "1%", code=5)["failures"][0] == f"{TORCH.id} is slower."


@pytest.mark.parametrize("text", ["10", "0.1", "all"])
def test_a_need_that_is_no_percentage_is_refused(folders: Folders, text: str) -> None:
    folders.save(quiet(), quiet())
    done = folders.compare("--need", text)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == f"Error: --need {text}: give a percentage from 0% to below 100%, such as 3%.\n"


# Cells that are not in both


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
    assert "1 in brackets, which cannot fail" in folders.compare().stdout
    assert "\n(slower)" in folders.compare().stdout


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
    answer = folders.found(code=code)
    assert [row["verdict"] for row in answer["cells"]] == ["tied"]
    if code:
        assert answer["failures"] == [
            text for text in folders.compare().stdout.splitlines() if "null control of" in text
        ]
        assert f"The null control of {side} failed (training step, batch 256, width 128" in answer["failures"][0]
        assert "1 failed null control" in answer["summary"]


def test_a_run_without_a_null_control_is_warned_of(folders: Folders) -> None:
    folders.save(quiet(), measured([(NUMPY, US_100)], noise=0.001))
    warnings = folders.found()["warnings"]
    assert [text[:1] for text in warnings if "no null control" in text] == ["B"]


def test_rows_are_sorted_by_severity_then_identity(folders: Folders) -> None:
    names = ["unequal", "slower", "slower-too", "missing", "not settled", "faster", "tied"]
    factors = {"slower": 1.5, "slower-too": 1.5, "not settled": 1.03, "faster": 0.5}
    cells = {name: cell(f"z-{name}" if name < "s" else name) for name in names}
    a = [(of, US_100) for of in cells.values()]
    b = [(of, factors.get(name, 1.0) * US_100) for name, of in cells.items() if name != "missing"]
    new = (cell("a-new"), US_100)
    folders.save(quiet(*a, noise=0.004), [*quiet(*b, new, noise=0.004), synthetic.proof(cells["unequal"], 0, error=9)])
    verdicts = [(row["verdict"], row["id"]) for row in folders.found(code=1)["cells"]]
    assert {verdict for verdict, _ in verdicts} == set(SEVERITY)
    assert verdicts == sorted(verdicts, key=lambda pair: (SEVERITY.index(pair[0]), pair[1]))


def test_what_may_be_chance_in_so_large_a_table_is_told_and_no_regression(folders: Folders) -> None:
    both = [(cell("torch", batch=3**k), US_100) for k in range(14)]
    folders.save(quiet((TORCH, US_100), *both, noise=0.05), quiet((TORCH, 1.09 * US_100), *both, noise=0.05))
    answer = folders.found("--margin", "0.1%", code=3)
    assert "1 cell may be slower, or that is chance in so large a table: measure again: 1 slower" in answer["summary"]
    row = next(row for row in answer["cells"] if row["id"] == TORCH.id)
    assert not row["fails"]
    assert 0.05 / 16 < row["comparison"]["p_value"] < 0.05
    assert (row["verdict"], row["comparison"]["detected"]) == ("slower", False)
    lines = folders.compare("--margin", "0.1%").stdout.splitlines()
    below = lines[next(k for k, line in enumerate(lines) if line.startswith("slower")) + 1]
    assert below == "    may be chance in so large a table (Holm)"


def test_a_baseline_without_a_time_is_refused_even_anyway(folders: Folders) -> None:
    folders.save(without(measured([(NUMPY, US_100)]), NUMPY), quiet())
    done = folders.compare("--anyway")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "holds no time" in done.stderr
