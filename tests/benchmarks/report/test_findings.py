"""What the report claims, and what it does not: verdicts, ranks, holes."""

from collections.abc import Sequence
from typing import Any

import pytest

from benchmarks import system as environment
from benchmarks.analysis import ranking, results
from benchmarks.records import record
from benchmarks.report import dataframe, headline
from tests.support import report_text, synthetic
from tests.support.synthetic import MICROSECOND, cell, measured, proof, timing


def gathered(records: Sequence[record.Record], environment: dict[str, Any] | None = None) -> results.Results:
    return results.gather(records, [], environment or {})


def sentences(records: Sequence[record.Record], environment: dict[str, Any] | None = None) -> str:
    whole_run = gathered(records, environment)
    return " ".join(headline.headline(whole_run, ranking.comparison_groups(whole_run)))


def table(records: Sequence[record.Record]) -> dict[str, dict[str, Any]]:
    """The flat table by framework, for runs with one group."""
    whole_run = gathered(records)
    rows = dataframe.cells(whole_run, ranking.comparison_groups(whole_run)).astype(object)
    rows = rows.where(rows.notna(), None)
    return {str(row["framework"]): dict(zip(rows.columns, row, strict=True)) for _, row in rows.iterrows()}


def pair(ratio: float, blocks: int = 6, noise: float = 0.002) -> list[record.Record]:
    """NumPy at 100 us, PyTorch at `ratio` times that."""
    cells = [(cell("numpy"), 100 * MICROSECOND), (cell("torch"), ratio * 100 * MICROSECOND)]
    return measured(cells, blocks, noise)


def test_a_clear_difference_is_claimed_with_its_interval() -> None:
    headline_text = sentences(pair(1.5), synthetic.ENVIRONMENT)
    assert headline_text.startswith(
        "On this machine (AMD EPYC 7B13, 2 cores, no GPU), one training step of the MLP at batch 256"
    )
    assert "NumPy is fastest, 1.50 times (95% 1.4" in headline_text
    assert "as fast as PyTorch" in headline_text
    rows = table(pair(1.5))
    assert (rows["numpy"]["rank"], rows["numpy"]["verdict"]) == ("1", "fastest")
    assert (rows["torch"]["rank"], rows["torch"]["verdict"]) == ("2", "slower")


def test_the_facts_of_the_machine_are_read_under_the_names_that_a_run_writes_them_by() -> None:
    assert synthetic.ENVIRONMENT.keys() <= environment.machine().keys()
    gpus = [f"NVIDIA {name}, 570.86.10, 143771 MiB" for name in ("H200", "A100")]
    assert "(AMD EPYC 7B13, 2 cores, NVIDIA H200 and NVIDIA A100), one" in sentences(
        pair(1.5), synthetic.ENVIRONMENT | {"gpus": gpus}
    )


def test_a_tie_is_called_a_tie_and_shares_the_rank() -> None:
    records = pair(1.001)
    headline_text = sentences(records)
    assert "are tied (within 3%) as the fastest" in headline_text
    assert "is fastest" not in headline_text
    rows = table(records)
    assert {row["rank"] for row in rows.values()} == {"1"}
    assert {row["verdict"] for row in rows.values()} == {"tied"}


def test_what_was_not_settled_is_not_claimed() -> None:
    records = pair(1.03, noise=0.02)
    headline_text = sentences(records)
    assert "was not settled (inconclusive)" in headline_text
    assert "is fastest" not in headline_text
    assert "tied" not in headline_text
    assert {row["rank"] for row in table(records).values()} == {"1-2"}


def test_too_few_blocks_give_no_verdict_however_large_the_ratio() -> None:
    records = pair(5, blocks=3)
    headline_text = sentences(records)
    assert "3 shared blocks are too few for a verdict (6 are needed)" in headline_text
    assert "fastest" not in headline_text
    assert {row["rank"] for row in table(records).values()} == {""}


def test_one_block_has_no_interval() -> None:
    rows = table(pair(2, blocks=1))
    assert rows["numpy"]["time_s"] > 0
    assert rows["numpy"]["time_low_s"] is None
    assert rows["torch"]["ratio_low"] is None


def test_the_tied_and_the_slower_in_one_sentence() -> None:
    cells = [
        (cell(name), us * MICROSECOND) for name, us in (("numpy", 100), ("torch", 100.1), ("keras-tensorflow", 300))
    ]
    headline_text = sentences(measured(cells, noise=0.001))
    assert "are tied (within 3%)" in headline_text
    assert "times (95% 3.0" in headline_text or "times (95% 2.9" in headline_text


def test_next_and_slowest_are_said_only_where_that_was_settled() -> None:
    three = {"numpy": 100, "torch": 150, "jax": 300}
    timed = [(cell(name), microseconds * MICROSECOND) for name, microseconds in three.items()]
    headline_text = sentences(measured(timed, 6, 0.002))
    assert "as fast as PyTorch, the next, and" in headline_text
    assert "as fast as JAX, the slowest." in headline_text
    alike = [*timed[:2], (cell("jax"), 154 * MICROSECOND)]
    headline_text = sentences(measured(alike, 6, 0.02))
    assert "PyTorch (rank 2–3), and" in headline_text
    assert "JAX (rank 2–3)." in headline_text
    doubtful = measured([timed[0], (cell("torch"), 104 * MICROSECOND), timed[2]], 6, 0.02)
    assert "the next" not in sentences(doubtful)


def test_fastest_by_size_is_counted_in_words_and_not_where_nothing_was_compared() -> None:
    sizes = [
        (cell(name, batch=batch), t * MICROSECOND) for batch in (32, 64) for name, t in (("numpy", 1), ("torch", 2))
    ]
    assert "NumPy is fastest at all 2 sizes measured." in sentences(measured(sizes, 6, 0.002))
    turned = [*sizes[:2], (cell("numpy", batch=64), 3 * MICROSECOND), sizes[3]]
    headline_text = sentences(measured(turned, 6, 0.002))
    assert "Of 2 sizes measured, the fastest is NumPy at one size and PyTorch at one size." in headline_text
    alone = sentences(measured([pair for pair in sizes if pair[0].who.framework == "numpy"], 6, 0.002))
    assert "clearly" not in alone


@pytest.mark.parametrize("error", [41.0, float("nan"), float("inf")])
def test_an_unequal_cell_loses_its_rank_and_says_why(error: float) -> None:
    records = [
        proof(cell("torch"), item.block, error)
        if isinstance(item, record.ProofRecord) and item.who.framework == "torch" and item.block == 2
        else item
        for item in pair(0.5)
    ]
    rows = table(records)
    assert (rows["torch"]["rank"], rows["torch"]["standing"]) == ("", "not proved")
    assert "not proved equal in block 2: gradients, dense1.weight: error" in rows["torch"]["reason"]
    assert rows["torch"]["ratio_to_best"] is None
    assert (rows["numpy"]["rank"], rows["numpy"]["verdict"]) == ("1", "alone")
    assert "PyTorch" not in sentences(records)


def test_a_time_without_a_proof_in_its_block_loses_the_rank() -> None:
    records = [
        r for r in pair(0.5) if not (isinstance(r, record.ProofRecord) and r.block == 4 and r.who.framework == "torch")
    ]
    rows = table(records)
    assert (rows["torch"]["rank"], rows["torch"]["reason"]) == ("", "no proof in block 4")


def test_a_proof_at_another_size_is_no_proof() -> None:
    records = [r for r in pair(0.5) if not (isinstance(r, record.ProofRecord) and r.who.framework == "torch")]
    records += [proof(cell("torch", batch=32), block) for block in range(6)]
    assert table(records)["torch"]["standing"] == "not proved"


def test_variants_floors_and_peers_are_never_ranked() -> None:
    stock = cell("keras-tensorflow", variant="stock")
    records = [*pair(1.5), *measured([(stock, 50 * MICROSECOND)])[1:]]
    beside = cell("scikit-learn"), cell("cupy", "products")
    records += [timing(of, block, 10 * MICROSECOND, ranked=False) for of in beside for block in range(6)]
    rows = table(records)
    assert rows["numpy"]["verdict"] == "fastest"
    assert (rows["cupy"]["phase"], rows["cupy"]["rank"], rows["cupy"]["verdict"]) == ("products", "", "")
    assert (rows["keras-tensorflow"]["rank"], rows["keras-tensorflow"]["verdict"]) == ("", "faster")
    assert (rows["scikit-learn"]["rank"], rows["scikit-learn"]["verdict"]) == ("", "")


def test_partial_results_say_so() -> None:
    whole = [*pair(1.5), *synthetic.costs(cell("numpy"), cell("torch"))]
    assert headline.partial(gathered(whole)) == ""
    cut = [
        r
        for r in whole
        if not (isinstance(r, record.TimingRecord) and r.block == 5 and r.cell.who.framework == "torch")
    ]
    assert headline.partial(gathered(cut)).startswith("Partial results: 1 of 2 planned cells")
    assert "starting" not in headline.partial(gathered(cut))


@pytest.mark.parametrize(("missing", "implementations"), [(1, "1 implementation was"), (6, "2 implementations was")])
def test_a_run_that_was_stopped_before_its_costs_says_so_too(missing: int, implementations: str) -> None:
    """Every cell is timed in every block; what is measured after the blocks is not there, or not all."""
    whole = [*pair(1.5), *synthetic.costs(cell("numpy"), cell("torch"))]
    partial = headline.partial(gathered(whole[:-missing]))
    assert partial.startswith(f"Partial results: starting, memory or energy of {implementations} not measured")


@pytest.mark.parametrize("status", ["failed", "skipped", "unequal"])
def test_a_hole_has_a_reason_and_no_number(status: Any) -> None:
    records = [r for r in pair(1.5) if not (isinstance(r, record.TimingRecord) and r.cell.who.framework == "torch")]
    records.append(record.OutcomeRecord(cell=cell("torch"), block=0, status=status, reason="it broke", fix="mend it"))
    row = table(records)["torch"]
    assert (row["status"], row["reason"], row["rank"], row["verdict"]) == (status, "it broke", "", "")
    assert row["time_s"] is None
    assert row["samples_per_s"] is None


@pytest.mark.parametrize("changes", [{"elapsed_s": [1.0, 0.0]}, {"elapsed_s": []}, {"loops": 0}, {"warmup_rounds": 99}])
def test_rounds_that_cannot_be_times_are_a_failure(changes: dict[str, Any]) -> None:
    records: list[record.Record] = [synthetic.run([cell("numpy")], 1)]
    records.append(timing(cell("numpy"), 0, 1.0, **({"warmup_rounds": 0} | changes)))
    assert table(records)["numpy"]["status"] == "failed"


def test_a_repeated_block_counts_once_and_is_reported() -> None:
    records = [*pair(1.5), timing(cell("numpy"), 5, 90 * MICROSECOND)]
    whole_run = gathered(records)
    assert len(whole_run.problems) == 1
    assert table(records)["numpy"]["blocks"] == 6


def on_both(speedups: dict[int, float]) -> list[record.Record]:
    """CPU and GPU at some batches; the GPU is so many times as fast."""
    cells = [(cell("torch", batch=batch), 100 * MICROSECOND) for batch in speedups]
    cells += [(cell("torch", batch=b, device="cuda:0"), 100 * MICROSECOND / s) for b, s in speedups.items()]
    return measured(cells, noise=0.002)


@pytest.mark.parametrize(
    ("speedups", "sentence"),
    [
        ({1: 0.2, 32: 1.5, 256: 8}, "the GPU pays from batch 32 on"),
        ({1: 0.2, 32: 0.5}, "the GPU does not pay at any batch (measured at 1 and 32)"),
        ({1: 0.2, 256: 1.001}, "from which batch on the GPU pays was not settled"),
        ({1: 2.0, 256: 0.5}, "from which batch on the GPU pays was not settled"),
    ],
)
def test_from_when_a_gpu_pays(speedups: dict[int, float], sentence: str) -> None:
    assert sentence in sentences(on_both(speedups))
    assert "PyTorch on c" in sentences(on_both(speedups))


def test_latencies_are_estimated_over_the_blocks_with_interval_and_count() -> None:
    """In each block 98 rounds of 100 µs and 3 long ones, so p50 is 100 µs and p99 the shortest of these: 200 or 400 µs."""
    alone = cell("numpy", "predict", batch=1)
    records: list[record.Record] = [synthetic.run([alone])]
    for block in range(6):
        longest = (200 if block else 400) * 1e-6
        seconds = [100e-6] * 98 + [longest] * 3
        records += [proof(alone, block), timing(alone, block, 1, warmup_rounds=0, loops=1, elapsed_s=seconds,
                                                started_at_s=[float(k) for k in range(101)])]  # fmt: skip
    text = report_text.page(records)
    (row,) = (line for line in text.splitlines() if line.startswith("| NumPy | 1 | cpu"))
    p50, p99 = row.split(" | ")[7:9]
    assert p50 == "100 µs (100 to 100 µs; 6)"
    assert p99.startswith("200 µs (16")
    assert p99.endswith("; 6)")
