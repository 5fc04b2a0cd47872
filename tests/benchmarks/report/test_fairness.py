"""Is it fair? What the processes said of themselves, by implementation."""

from typing import Any

from benchmarks.records.record import ThreadPool
from tests.support import report_text
from tests.support.synthetic import cell, measured, worker


def rows(*workers: Any, cells: Any) -> dict[str, list[list[str]]]:
    """The table of differences: its rows by what they are about."""
    page = report_text.page([*measured([(of, 1e-4) for of in cells]), *workers])
    section = page.partition("What is equal, and what differs")[2]
    lines = [
        line.strip("| ").split(" | ") for line in section.partition("\n\n**")[0].splitlines() if line.startswith("|")
    ]
    return {name: [line[1:] for line in lines if line[0] == name] for name, *_ in lines}


def test_a_variant_has_the_facts_of_the_process_that_it_ran_in() -> None:
    keras, stock = cell("keras-tensorflow"), cell("keras-tensorflow", variant="stock")
    ((said, ours, theirs),) = rows(worker(keras.who, 0), cells=[keras, stock])["versions"]
    assert said == "equal"
    assert ours == theirs
    assert "keras-tensorflow 2.13.0" in theirs


def test_what_was_asked_for_is_told_once_though_a_process_reports_it_again() -> None:
    numpy = cell("numpy")
    again = worker(numpy.who, 0).model_copy(update={"flags": {"threads": "2", "tf32": "off"}})
    by_name = rows(again, cells=[numpy])
    assert len(by_name["threads"]) == 1
    assert by_name["tf32"] == [["equal", "off"]]


def test_the_order_of_thread_pools_is_no_difference() -> None:
    numpy = cell("numpy")
    pools = [ThreadPool(internal_api=name, num_threads=2) for name in ("openblas", "openmp")]
    one, other = (worker(numpy.who, 0).model_copy(update={"thread_pools": order}) for order in (pools, pools[::-1]))
    ((_, pools_seen),) = rows(one, other.model_copy(update={"block": 1}), cells=[numpy])["thread pools seen"]
    assert pools_seen.count("openmp") == 1


def test_keras_waits_only_where_keras_is() -> None:
    def page(framework: str) -> str:
        return report_text.page(measured([(cell(framework), 1e-4)]))

    assert "train_on_batch" in page("keras-jax")
    assert "train_on_batch" not in page("numpy")
