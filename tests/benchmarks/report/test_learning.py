"""Time to the target accuracy over several seeds: a median with an interval, or no median at all."""

from benchmarks.report import markdown, results, sections
from tests.benchmarks.report import synthetic


def section(*trainings: object) -> str:
    records = [synthetic.run([synthetic.cell("numpy")]), *trainings]
    page = markdown.render(sections.document(results.gather(records, [], synthetic.ENVIRONMENT)), {})
    return page.partition("Does it learn?")[2].partition("\n## ")[0]


def seeds(framework: str, count: int = 5, reached: float = 0.99, **options: object) -> list[object]:
    rates = [0.5 + 0.1 * seed for seed in range(count)]
    return [
        synthetic.learning(framework, rate=rate, seed=seed, reached=reached, prepare_s=0.25, **options)
        for seed, rate in enumerate(rates)
    ]


def test_the_median_over_the_seeds_has_an_interval_and_what_came_before_stands_apart() -> None:
    told = section(*seeds("numpy"))
    row = next(line for line in told.splitlines() if line.startswith("| NumPy | 5 of 5"))
    assert "| 1.14 s |" in row, "the eighth epoch of the seed in the middle"
    assert row.endswith("| 8 | 250 ms |")


def test_where_a_seed_never_reached_it_there_is_no_median() -> None:
    missed = synthetic.learning("numpy", seed=5, reached=0.9)
    row = next(line for line in section(*seeds("numpy"), missed).splitlines() if line.startswith("| NumPy | 5 of 6"))
    assert row == "| NumPy | 5 of 6 | – | – | – | 250 ms |"


def test_one_training_says_nothing_of_the_time_it_takes() -> None:
    assert "Time to 97%" not in section(*seeds("numpy", count=1))


def test_curves_are_those_of_the_first_seed_and_modes_are_told_apart() -> None:
    told = section(*seeds("numpy"), *seeds("numpy", mode="tuned"))
    rows = [line for line in told.partition("Final accuracy")[2].splitlines() if line.startswith("| NumPy")]
    assert [row.split("|")[1].strip() for row in rows] == ["NumPy", "NumPy tuned"]
    assert [row.split("|")[2].strip() for row in rows] == ["1", "1"]
