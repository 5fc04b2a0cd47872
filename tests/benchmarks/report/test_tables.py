"""What is the same in every row of a table stands once, above it."""

from collections.abc import Sequence

from benchmarks.report.document import Table, table
from benchmarks.statistics import Estimate
from benchmarks.wording import Quantity, with_interval

HEADING = "#time (95% interval; blocks)"


def made(caption: str, rows: list[list[str]], *columns: str, once: Sequence[str] = ()) -> Table:
    (only,) = table(caption, rows, *columns, once=once)
    assert isinstance(only, Table)
    return only


def times(*counts: int) -> list[list[str]]:
    return [[f"row {k}", with_interval(Estimate(2e-3, 1e-3, 3e-3, count))] for k, count in enumerate(counts)]


def test_one_number_of_blocks_is_told_in_the_heading() -> None:
    shown = made("Times", times(6, 6), "implementation", HEADING)
    assert list(shown.columns) == ["implementation", "time (95% interval, 6 blocks)"]
    assert list(shown.numeric) == ["time (95% interval, 6 blocks)"]
    assert [row[1] for row in shown.rows] == ["2.00 ms (1.00 to 3.00)"] * 2


def test_it_is_still_sorted_by_the_value() -> None:
    (cell,) = [row[1] for row in made("Times", times(6), "implementation", HEADING).rows]
    assert isinstance(cell, Quantity)
    assert cell.value == 2e-3


def test_different_numbers_of_blocks_are_told_in_the_cells() -> None:
    shown = made("Times", times(6, 5), "implementation", HEADING)
    assert list(shown.columns) == ["implementation", "time (95% interval; blocks)"]
    assert [row[1] for row in shown.rows] == ["2.00 ms (1.00 to 3.00; 6)", "2.00 ms (1.00 to 3.00; 5)"]


def test_where_no_heading_can_tell_the_number_the_cells_do() -> None:
    assert made("Times", times(6, 6), "implementation", "#time").rows[0][1] == "2.00 ms (1.00 to 3.00; 6)"


def test_a_name_is_left_as_it_is() -> None:
    rows = [["odd (name; 6)", with_interval(Estimate(2e-3, 1e-3, 3e-3, 6))]]
    assert made("Times (95% interval; blocks)", rows, "implementation", "#time").rows[0][0] == "odd (name; 6)"


SETTING = ("setting", "device")


def test_one_setting_is_told_in_the_caption() -> None:
    rows = [["NumPy", "cpu", "float32", "1"], ["JAX", "cpu", "float32", "2"]]
    columns = ("implementation", "device", "setting", "#passed")
    shown = made("Proofs", rows, *columns, once=SETTING)
    assert shown.caption == "Proofs (float32, cpu)"
    assert list(shown.columns) == ["implementation", "passed"]
    assert [list(row) for row in shown.rows] == [["NumPy", "1"], ["JAX", "2"]]
    assert made("Run (1) timed (once)", rows, *columns, once=SETTING).caption == "Run (1) timed (once; float32, cpu)"


def test_a_setting_that_differs_keeps_its_column() -> None:
    rows = [["NumPy", "cpu", "float32"], ["JAX", "cuda", "float32"]]
    shown = made("Proofs", rows, "implementation", "device", "setting", once=SETTING)
    assert (shown.caption, list(shown.columns)) == ("Proofs (float32)", ["implementation", "device"])


def test_of_a_hole_in_every_row_nothing_is_said() -> None:
    shown = made("Not there", [["CuPy", "–"], ["JAX", "–"]], "framework", "device", once=["device"])
    assert (shown.caption, list(shown.columns)) == ("Not there", ["framework"])


def test_a_column_that_is_only_called_so_stays() -> None:
    shown = made("In what they differ", [["model", "a", "b"]], "fact", "device", "host")
    assert (shown.caption, list(shown.columns)) == ("In what they differ", ["fact", "device", "host"])


def test_of_one_block_no_interval_is_promised() -> None:
    shown = made("Times", times(1, 1), "implementation", HEADING)
    assert list(shown.columns) == ["implementation", "time (once)"]
    assert [row[1] for row in shown.rows] == ["2.00 ms"] * 2


def test_where_several_blocks_leave_no_interval_that_is_told() -> None:
    rows = [["a", "1.00 ms (0.90 to 1.10; 6)"], ["b", "-3.00 µs (–; 6)"]]
    assert [row[1] for row in made("Times", rows, "implementation", HEADING).rows] == [
        "1.00 ms (0.90 to 1.10)",
        "-3.00 µs (–)",
    ]
