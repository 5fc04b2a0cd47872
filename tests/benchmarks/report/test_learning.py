"""Time to the target accuracy over several seeds: a median with an interval, or no median at all."""

from typing import Any

from benchmarks.records import records_file
from benchmarks.records.record import Record, UntrainedRecord
from benchmarks.records.run_record import MetricText
from tests.support import report_text, synthetic


def section(*trainings: Record) -> str:
    return report_text.section([synthetic.run([synthetic.cell("numpy")]), *trainings], "Does it learn?")


def seeds(framework: str, count: int = 5, reached: float = 0.99, **options: Any) -> list[Record]:
    rates = [0.5 + 0.1 * seed for seed in range(count)]
    return [
        synthetic.learning(framework, rate=rate, seed=seed, reached=reached, prepare_s=0.25, **options)
        for seed, rate in enumerate(rates)
    ]


def rows(text: str, caption: str) -> list[str]:
    """The implementations of a table, in its order."""
    lines = text.partition(f"**{caption}")[2].partition("\n\n")[2].partition("\n\n")[0].splitlines()
    return [line.split("|")[1].strip() for line in lines[2:]]


def test_the_median_over_the_seeds_has_an_interval_and_what_came_before_stands_apart() -> None:
    text = section(*seeds("numpy"))
    row = next(line for line in text.splitlines() if line.startswith("| NumPy | 5 of 5"))
    assert "| 1.14 s |" in row, "the eighth epoch of the seed in the middle"
    assert row.endswith("| 8 | 250 ms |")


def test_where_a_seed_never_reached_it_there_is_no_median() -> None:
    missed = synthetic.learning("numpy", seed=5, reached=0.9)
    row = next(line for line in section(*seeds("numpy"), missed).splitlines() if line.startswith("| NumPy | 5 of 6"))
    assert row == "| NumPy | 5 of 6 | – | – | – | 250 ms |"


def test_one_training_says_nothing_of_the_time_it_takes() -> None:
    assert "Time to 97%" not in section(*seeds("numpy", count=1))


def test_curves_are_those_of_the_first_seed_and_modes_are_told_apart() -> None:
    text = section(*seeds("numpy"), *seeds("numpy", mode="tuned"))
    rows = [line for line in text.partition("Final accuracy")[2].splitlines() if line.startswith("| NumPy")]
    assert [row.split("|")[1].strip() for row in rows] == ["NumPy", "NumPy tuned"]
    assert [row.split("|")[3].strip() for row in rows] == ["10", "10"], "its epochs"


def test_what_was_timed_once_says_so() -> None:
    text = section(*seeds("numpy"), *seeds("torch"))
    assert "| before: building, compiling (once) |" in text
    assert "| time (once) | predictions |" in text
    assert "took 2.00 s in NumPy and 2.00 s in PyTorch (one training each)." in text


def test_rows_go_from_little_time_to_much() -> None:
    quick = [synthetic.learning("jax", rate=5, seed=seed, mode="tuned", reached=0.99) for seed in range(5)]
    text = section(*seeds("cupy", reached=0.9), *seeds("torch"), *quick, synthetic.learning("numpy", rate=2))
    assert rows(text, "Time to 97%") == ["JAX tuned", "PyTorch", "CuPy"], "where there is no median comes last"
    assert rows(text, "Final accuracy") == ["JAX tuned", "NumPy", "CuPy", "PyTorch"]
    assert "which is no rank" in text


def test_the_answer_is_how_many_reached_the_target_and_where_they_ended() -> None:
    text = section(*seeds("numpy"), synthetic.learning("torch", reached=0.9))
    assert text.lstrip().startswith("5 of 6 trainings reached 97% accuracy on the test set at some epoch; after ")


def test_the_curves_are_drawn_without_seed_0_too() -> None:
    text = section(*seeds("numpy")[1:])
    assert "4 of 4 trainings" in text
    assert rows(text, "Final accuracy") == ["NumPy"]


def test_the_characters_of_predictions_are_explained() -> None:
    assert "Predictions: rows with the same characters (of a SHA-256) predict the same class" in section(
        *seeds("numpy")
    )


def test_without_a_training_there_is_no_section() -> None:
    assert "Does it learn?" not in report_text.page(synthetic.measured([(synthetic.cell("numpy"), 1e-4)]))


def test_a_training_that_was_lost_is_told_where_it_would_stand_and_in_coverage() -> None:
    lost = UntrainedRecord(who=synthetic.who("torch"), block=0, seed=4, reason="the worker was lost: killed")
    text = section(*seeds("numpy"), lost)
    assert "5 of 5 trainings reached 97% accuracy on the test set" in text
    assert "the trainings of PyTorch were lost." in text
    assert "**The trainings of PyTorch were lost: the worker was lost: killed**" in text
    assert "No training was made; the trainings of PyTorch were lost." in section(lost)
    page = report_text.page([synthetic.run([synthetic.cell("numpy")]), lost])
    assert "| PyTorch | the worker was lost: killed | the same command with --retry-failed |" in page
    assert "benchmark (partial results)" in page


def test_trainings_on_one_thread_and_on_all_are_not_thrown_together() -> None:
    text = section(*seeds("numpy", count=3), *seeds("numpy", count=3, threads=1))
    assert [line for line in text.splitlines() if line.startswith("### Trained in")] == [
        "### Trained in float32, 1 thread, dropout 0.2",
        "### Trained in float32, 2 threads, dropout 0.2",
    ]
    assert text.count("| NumPy | 3 of 3 |") == 2


def marks(metric: dict[str, Any]) -> list[str]:
    """What the charts say of each point of a training that is two epochs short."""
    records = synthetic.measured([(synthetic.cell("numpy"), 1e-4)])
    run = records_file.run_of(records)
    (network,) = run.networks
    records[0] = run.model_copy(update={"networks": [network.model_copy(update={"metric": MetricText(**metric)})]})
    training = synthetic.learning("numpy")
    records.append(training.model_copy(update={"points": training.points[:2]}))
    figures = [form for figure in report_text.document(records).figures() for form in figure.forms]
    rows = [
        row
        for form in figures
        if "-epochs-" in form.name or "-time-" in form.name
        for layer in form.spec["layer"]
        for row in layer["data"]["values"]
    ]
    return [row["description"] for row in rows if "description" in row]


def test_a_point_says_its_epoch_and_its_metric_and_one_that_is_no_share_is_no_time() -> None:
    share = {"name": "accuracy", "target": 0.97, "share": True}
    assert marks(share)[:2] == ["NumPy, epoch 1: 49.0%", "NumPy, epoch 2: 68.2%"]
    bits = {"name": "bits per character", "target": 2.0, "share": False}
    assert marks(bits)[:2] == ["NumPy, epoch 1: 0.490", "NumPy, epoch 2: 0.682"]
    assert marks(bits)[2:] == ["NumPy, seconds of training 0.200: 0.490", "NumPy, seconds of training 0.400: 0.682"]
