"""How numbers and names are written, and where labels are put."""

import math

import pytest

from benchmarks import wording
from benchmarks.report import axes, charts
from benchmarks.statistics import Estimate


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (1.2345, "1.23 s"),
        (0.99951, "1.00 s"),
        (0.9994e-3, "999 µs"),
        (123.4e-6, "123 µs"),
        (5e-10, "0.500 ns"),
        (12345, "12,300 s"),
    ],
)
def test_durations_have_three_digits_and_a_unit(seconds: float, shown: str) -> None:
    assert wording.duration(seconds) == shown


def test_an_interval_has_the_unit_and_the_places_of_its_value() -> None:
    assert wording.duration_interval(Estimate(1.0e-3, 0.98e-3, 1.0212e-3, 6)) == "0.98 to 1.02 ms"
    assert wording.duration_interval(Estimate(1.0, 0.0, math.inf, 1)) == "–"
    assert wording.ratio_interval(Estimate(1.0, 0.0, math.inf, 1)) == "–"
    assert not wording.duration_interval(Estimate(1.0, 0.02, 1.9, 2)).startswith("0.00 ")


def test_the_ends_of_an_interval_that_says_nothing_are_not_told() -> None:
    endless = Estimate(361e-6, 8.8e-10, 63797419.0, 2)
    assert wording.with_interval(endless) == "361 µs (wider than 100-fold; 2)"
    assert wording.ratio_with_interval(endless).endswith("(wider than 100-fold; 2)")
    assert wording.percent_with_interval(endless).endswith("(wider than 100-fold; 2)")
    assert wording.ratio_interval(Estimate(1.0, 0.1, 9.9, 2)) == "0.10 to 9.90"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1.0, "1.00"),
        (1.0289, "1.029"),
        (1.0312, "1.031"),
        (0.9997, "1.000"),
        (0.9712, "0.971"),
        (1.04, "1.04"),
        (12.34, "12.3"),
        (9.999, "10.0"),
        (0.01234, "0.0123"),
        (math.nan, "nan"),
    ],
)
def test_ratios_show_on_which_side_of_one_and_of_the_margin_they_lie(value: float, shown: str) -> None:
    assert wording.ratio(value) == shown


@pytest.mark.parametrize(("fraction", "shown"), [(0.0, "0%"), (3e-7, "under 0.01%"), (0.0134, "1.3%"), (0.5, "50%")])
def test_shares(fraction: float, shown: str) -> None:
    assert wording.percent(fraction) == shown


def test_lists_read_as_sentences_do() -> None:
    assert wording.listed(["a"]) == "a"
    assert wording.listed(["a", "b", "c"]) == "a, b and c"
    assert wording.listed([]) == ""


def test_unknown_names_are_shown_as_they_are() -> None:
    assert wording.framework("torch") == "PyTorch"
    assert wording.framework("mxnet") == "mxnet"


def test_foreign_text_is_made_visible() -> None:
    assert wording.clean("a\r\n b\u202e\x00") == "a b\\u202e\\u0000"
    assert wording.clean("if x:\n\ty", keep_lines=True) == "if x:\n\ty"
    assert len(wording.short("x" * 500)) == 36


def test_labels_that_end_close_together_are_moved_apart() -> None:
    placed = axes.apart([100, 101, 102, 10], 17, 300)
    assert placed == [100, 117, 134, 10]
    crowded = axes.apart([300, 300, 300], 17, 300)
    assert crowded == [266, 283, 300]


def test_ids_are_numbered_by_picture() -> None:
    svg = '<svg><g id="clip7"/><g id="clip9" clip-path="url(#clip7)"/></svg>'
    assert charts._unique_ids(svg, "a") == '<svg><g id="a-0"/><g id="a-1" clip-path="url(#a-0)"/></svg>'


def test_blocks_share_a_unit_and_are_numbered_where_one_is_missing() -> None:
    assert wording.durations({0: 1.23e-3, 1: 0.9e-3}, 1.1e-3) == "1.23, 0.900 ms"
    assert wording.durations({0: 1.23e-3, 2: 0.9e-3}, 1.1e-3) == "0: 1.23, 2: 0.900 ms"


def test_a_time_has_its_interval_and_its_count() -> None:
    shown = wording.with_interval(Estimate(1.23e-3, 1.2e-3, 1.27e-3, 6))
    assert shown == "1.23 ms (1.20 to 1.27; 6)"
    assert isinstance(shown, wording.Quantity)
    assert shown.value == 1.23e-3
    assert wording.with_interval(None) == "–"


def test_every_kind_of_number_has_its_interval_and_its_count() -> None:
    assert wording.ratio_with_interval(Estimate(0.93, 0.88, 0.99, 6)) == "0.93 (0.88 to 0.99; 6)"
    assert wording.percent_with_interval(Estimate(0.8, 0.78, 0.82, 6)) == "80% (78% to 82%; 6)"
    shown = wording.rate_with_interval(Estimate(82.1e9, 81.5e9, 82.9e9, 6), "FLOP/s")
    assert shown == "82.1 GFLOP/s (81.5 to 82.9; 6)"
    assert isinstance(shown, wording.Quantity)
    assert shown.value == 82.1e9


def test_one_block_has_a_count_and_no_interval() -> None:
    alone = Estimate(0.5, 0.0, math.inf, 1)
    assert wording.ratio_with_interval(alone) == "0.50 (–; 1)"
    assert wording.percent_with_interval(alone) == "50% (–; 1)"
    assert wording.rate_with_interval(alone, "B/s") == "0.500 B/s (–; 1)"


def test_of_many_alternatives_a_few_are_named() -> None:
    assert wording.some(["a"]) == "a"
    assert wording.some(["a", "b", "c"]) == "a, b or c"
    assert wording.some(["a", "b", "c", "d"]) == "a, b, c or 1 other"
