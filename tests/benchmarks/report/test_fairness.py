"""Is it fair? What the processes said of themselves: what is equal in a sentence, what differs in a table."""

from typing import Any

from benchmarks.records.record import Record, ThreadPool
from tests.support import report_text, synthetic
from tests.support.synthetic import cell, measured, timing, worker

NUMPY, TORCH = cell("numpy"), cell("torch")


def section(records: list[Record]) -> str:
    return report_text.section(records, "Is it fair?")


def reported(*workers: Any, cells: Any) -> str:
    """The section of a run in which these processes, and no others, said something of themselves."""
    timed = [r for r in measured([(of, 1e-4) for of in cells]) if r.kind != "worker"]
    return section([*timed, *workers])


def equal(text: str) -> list[str]:
    """What the sentence names."""
    told = text.partition("Equal in all that say it: ")[2].partition(".\n")[0]
    return told.replace(" and ", ", ").split(", ")


def differing(text: str) -> dict[str, list[list[str]]]:
    """The rows of the table by what they are about, the labels under "what"."""
    table = text.partition("**What differs**\n\n")[2].partition("\n\n")[0].splitlines()
    rows = [line.strip("| ").split(" | ") for line in table if not line.startswith("| ---")]
    return {name: [row[1:] for row in rows if row[0] == name] for name, *_ in rows}


def test_a_variant_has_the_facts_of_the_process_that_it_ran_in() -> None:
    keras, stock = cell("keras-tensorflow"), cell("keras-tensorflow", variant="stock")
    rows = differing(reported(worker(keras.who, 0), worker(NUMPY.who, 0), cells=[keras, stock, NUMPY]))
    assert rows["what"] == [["Keras-TensorFlow", "Keras-TensorFlow (stock)", "NumPy"]]
    ((ours, theirs, numpys),) = rows["versions"]
    assert ours == theirs != numpys
    assert "keras-tensorflow 2.13.0" in theirs


def test_what_was_asked_for_is_told_once_though_a_process_reports_it_again() -> None:
    again = worker(NUMPY.who, 0).model_copy(update={"flags": {"threads": "2", "tf32": "off"}})
    told = equal(reported(again, cells=[NUMPY]))
    assert told.count("threads") == told.count("threads as the framework says") == 1
    assert "tf32" in told


def test_how_many_cores_were_busy_is_told_of_the_model_and_not_of_its_floors() -> None:
    floor = timing(cell("numpy", "products"), 0, 1e-4, ranked=False, cpu_s=[9.0] * 12)
    records = measured([(NUMPY, 1e-4), (cell("numpy", "predict"), 1e-4), (TORCH, 1e-4)], noise=0)
    busy = {NUMPY.id: 1.04, cell("numpy", "predict").id: 1.96, TORCH.id: 1.5}
    counted = [
        r.model_copy(update={"cpu_s": [s * busy[r.cell.id] for s in r.elapsed_s]}) if r.kind == "timing" else r
        for r in records
    ]
    name = "cores busy while timed (processor time over time)"
    assert differing(section([*counted, floor]))[name] == [["1.0 to 2.0", "1.5"]]
    assert name not in section(records)


def test_the_order_of_thread_pools_is_no_difference() -> None:
    pools = [ThreadPool(internal_api=name, num_threads=2) for name in ("openblas", "openmp")]
    one, other = (worker(NUMPY.who, 0).model_copy(update={"thread_pools": order}) for order in (pools, pools[::-1]))
    theirs = worker(TORCH.who, 0)
    text = reported(one, other.model_copy(update={"block": 1}), theirs, cells=[NUMPY, TORCH])
    assert differing(text)["thread pools seen"] == [["openblas 2, openmp 2", "openblas 2"]]


def test_what_differs_is_in_the_table_and_not_among_what_is_equal() -> None:
    flags = [{"tf32": "off", "random bits per dropout unit": bits, "buffers": "new"} for bits in ("32", "8")]
    workers = [
        worker(of.who, 0).model_copy(update={"flags": of_it}) for of, of_it in zip((NUMPY, TORCH), flags, strict=True)
    ]
    text = reported(*workers, cells=[NUMPY, TORCH])
    assert differing(text).keys() == {"what", "random bits per dropout unit", "versions"}
    assert differing(text)["random bits per dropout unit"] == [["32", "8"]]
    assert {"tf32", "buffers", "precision", "mode", "threads", "device"} <= set(equal(text))
    assert not {"versions", "random bits per dropout unit"} & set(equal(text))


def test_what_one_alone_says_of_itself_is_a_difference() -> None:
    told = worker(NUMPY.who, 0).model_copy(update={"flags": {"denormals": "flushed"}})
    assert differing(reported(told, worker(TORCH.who, 0), cells=[NUMPY, TORCH]))["denormals"] == [["flushed", "–"]]


def test_of_what_nobody_says_nothing_is_claimed() -> None:
    text = reported(cells=[NUMPY, TORCH])
    assert equal(text) == ["precision", "mode", "threads", "variant", "device"]
    assert "What differs" not in text


def test_the_kernel_that_a_framework_chose_has_a_row() -> None:
    records = measured([(NUMPY, 1e-4), (TORCH, 1e-4)])
    records.append(synthetic.timing(TORCH, 5, 1e-4, kernels={"conv": "winograd"}))
    assert differing(section(records))["kernel, conv"] == [["–", "winograd"]]


def test_keras_waits_only_where_keras_is() -> None:
    def told(framework: str, **options: Any) -> str:
        return section(measured([(cell(framework, **options), 1e-4)]))

    assert "train_on_batch" in told("keras-jax")
    assert "train_on_batch" not in told("keras-jax", mode="tuned")
    assert "train_on_batch" not in told("numpy")


def test_variants_are_told_in_the_runs_own_words() -> None:
    text = section(measured([(NUMPY, 1e-4)]))
    assert "| stock | Keras as it comes | Keras-TensorFlow |" in text
