"""Screen one: who is fastest at the reader's size, how sure that is, why, and what the run does not say. Never more than was settled."""

import itertools
import re
from collections.abc import Sequence
from typing import Any

import pytest

from benchmarks import system as environment
from benchmarks.analysis import answer as analysis
from benchmarks.analysis.answer import Answer
from benchmarks.analysis.ranking import comparison_groups
from benchmarks.records import record, records_file
from benchmarks.records.record import Axes, Cell, Record
from benchmarks.report import facts
from benchmarks.report.document import Bullets, Figure, Heading, Section, Table, Text
from benchmarks.report.sections import answer, gpu_vs_cpu
from tests.support import synthetic
from tests.support.report_text import gathered
from tests.support.synthetic import MICROSECOND, cell, measured, profile

FAST, NEXT = cell("numpy"), cell("torch")


def timed(noise: float = 0.002, blocks: int = 6, of: Any = cell, **microseconds: float) -> list[Record]:
    """Each framework at so many microseconds."""
    return measured([(of(name), time * MICROSECOND) for name, time in microseconds.items()], blocks, noise)


def section(records: Sequence[Record]) -> Section:
    whole_run = gathered(records)
    return answer.section([(whole_run, comparison_groups(whole_run))])


def lead(records: Sequence[Record]) -> str:
    """The first sentence, without its beginning."""
    first = section(records).blocks[0]
    assert isinstance(first, Text)
    return first.text.removeprefix("Training the MLP at batch 256, width 128: ")


def under(records: Sequence[Record], heading: str) -> list[str]:
    """The sentences under that heading; none where it is not there."""
    blocks = section(records).blocks
    found = [after for at, after in itertools.pairwise(blocks) if at == Heading(heading)]
    return [item for block in found if isinstance(block, Bullets) for item in block.items]


def unproved(records: Sequence[Record], framework: str) -> list[Record]:
    return [item for item in records if item.kind != "proof" or item.who.framework != framework]


@pytest.mark.parametrize(
    ("records", "sentence"),
    [
        (timed(numpy=100, torch=150), r"NumPy is fastest, 1\.50 \(1\.\d+ to 1\.\d+\) times as fast as PyTorch\."),
        (timed(numpy=100, torch=300, jax=150), r"NumPy is fastest, 1\.50 \(1\.\d+ to 1\.\d+\) times as fast as JAX\."),
        (timed(numpy=100, torch=100.1), r"(NumPy and PyTorch|PyTorch and NumPy) are tied\."),
        (timed(numpy=100, torch=100.1, jax=300), r"(NumPy and PyTorch|PyTorch and NumPy) are tied\."),
        (timed(0.02, numpy=100, torch=103), r"NumPy or PyTorch, not settled\."),
        (timed(0.02, numpy=100, torch=103, jax=300), r"NumPy or PyTorch, not settled\."),
        (timed(blocks=3, numpy=100, torch=500), r"NumPy was lowest, too few blocks for a verdict \(3 of 6\)\."),
        (timed(blocks=1, numpy=100, torch=500), r"NumPy was lowest, too few blocks for a verdict \(1 of 6\)\."),
        (timed(numpy=100), r"NumPy alone is ranked\."),
        (unproved(timed(numpy=100, torch=50), "torch"), r"NumPy alone is ranked\."),
        (unproved(timed(numpy=100), "numpy"), "Nothing was both timed and proved equal, so nothing is ranked.*"),
        ([synthetic.run([FAST])], r"Nothing was timed\. Coverage says why\."),
    ],
    ids=["fastest", "next of two", "tied", "tied before a third", "not settled", "not settled before a third",
         "few blocks", "one block", "alone", "alone proved", "nothing ranked", "nothing timed"],
)  # fmt: skip
def test_no_more_is_said_than_was_settled(records: list[Record], sentence: str) -> None:
    assert re.fullmatch(sentence, lead(records))


def test_two_that_share_no_block_have_no_verdict_however_far_apart() -> None:
    records = [r for r in timed(numpy=100, torch=500) if r.kind != "timing" or (r.block < 3) == (r.cell == FAST)]
    assert lead(records) == "NumPy was lowest, too few blocks for a verdict (0 of 6)."


def test_the_chart_says_the_same_and_shows_what_is_proved() -> None:
    records = [*timed(numpy=100, torch=150), *measured([(cell("keras-tensorflow"), 1e-3)])[1:]]
    (figure,) = [b for b in section(unproved(records, "keras-tensorflow")).blocks if isinstance(b, Figure)]
    assert figure.caption.startswith("NumPy is fastest, 1.50 (")
    assert "PyTorch" in str(figure.spec)
    assert "Keras" not in str(figure.spec)
    assert not [b for b in section(timed(numpy=100)).blocks if isinstance(b, Figure)]


def test_what_a_hollow_mark_is_stands_beneath_it() -> None:
    def how_to_read(*others: tuple[Cell, float]) -> str:
        records = measured([(FAST, 1e-4), (NEXT, 2e-4), *others])
        (figure,) = [block for block in section(records).blocks if isinstance(block, Figure)]
        return figure.how_to_read

    assert "hollow" not in how_to_read()
    stock = cell("keras-tensorflow", variant="stock")
    assert how_to_read((stock, 3e-4)).endswith(
        "A hollow mark computes something else and has no rank (stock: Keras as it comes)."
    )


def at_sizes(*batches: int, cells: Sequence[Cell] = (), **of_network: Any) -> list[Record]:
    sizes = [(cell(name, batch=b), t * b * 1e-6) for b in batches for name, t in (("numpy", 10), ("torch", 20))]
    records = measured([*sizes, *((of, 1e-3) for of in cells)], noise=0.002)
    run = records_file.run_of(records)
    records[0] = run.model_copy(update={"networks": [run.networks[0].model_copy(update=of_network)]})
    return records


def first_answer(records: Sequence[Record]) -> Answer:
    whole_run = gathered(records)
    return analysis.answers(whole_run, comparison_groups(whole_run))[0]


def batches(records: Sequence[Record]) -> list[object]:
    found = first_answer(records)
    return [group.axes["batch"] if group else None for group in (found.yours, found.smaller, found.larger)]


OWN = {"batch": 64, "width": 128}


def test_the_users_own_size_leads() -> None:
    assert batches(at_sizes(1, 8, 64, 512, size=OWN, cells=[cell("numpy", "epoch", batch=8)])) == [64, 1, 512]
    assert batches(at_sizes(8, 64, size=OWN)) == [64, 8, None]
    assert batches(at_sizes(64, 512, size=OWN)) == [64, None, 512]


def test_of_no_known_size_the_middle_leads() -> None:
    assert batches(at_sizes(512, 8, 1)) == [8, 1, 512]
    assert batches(at_sizes(1, 8, 512, size={"batch": 99, "width": 1})) == [8, 1, 512]
    assert batches(at_sizes(8)) == [8, None, None]


def test_another_size_is_not_called_yours() -> None:
    (table,) = [block for block in section(at_sizes(8, 512, size=OWN)).blocks if isinstance(block, Table)]
    assert table.rows[0][1].endswith("(the default size was not measured)")


@pytest.mark.parametrize("word", ["--spec", "--spec=mine.toml", "--set"])
def test_the_size_is_yours_where_you_gave_one(word: str) -> None:
    records = at_sizes(8, 64, size=OWN)
    run = records_file.run_of(records)
    records[0] = run.model_copy(update={"command": [*run.command, word, "batch=64"]})
    (table,) = [block for block in section(records).blocks if isinstance(block, Table)]
    assert table.columns[1] == "your size"


def test_of_your_size_it_is_said_that_nothing_is_ranked_there() -> None:
    records = at_sizes(8, 64, size=OWN)
    unproved = [r for r in records if not (r.kind == "proof" and r.axes["batch"] == 64)]
    assert lead(unproved).endswith("at batch 64, width 128: nothing is ranked, Coverage says why.")


def test_another_word_is_no_smaller_and_no_larger_size() -> None:
    axes: list[Axes] = [{"batch": 16, "kind": kind} for kind in ("gru", "lstm")]
    cells = [Cell(who=FAST.who, phase="train_step", axes=of | {"batch": batch}) for of in axes for batch in (16, 64)]
    found = first_answer(measured([(of, 1e-4) for of in cells], size=axes[0]))
    assert found.yours.axes == axes[0]
    assert (found.smaller, found.larger and found.larger.axes) == (None, {"batch": 64, "kind": "gru"})


def test_of_several_settings_the_sentence_names_its_own_and_most_threads_lead() -> None:
    records = measured([(cell("numpy", threads=threads), 1e-4) for threads in (1, 2)])
    assert lead(records).startswith("Training the MLP at batch 256, width 128 (float32, plain, 2 threads): ")


def test_the_table_has_a_row_per_phase_and_says_all_once() -> None:
    records = at_sizes(1, 64, 512, size=OWN, cells=[cell("numpy", "predict", batch=b) for b in (1, 64)])
    (table,) = [block for block in section(records).blocks if isinstance(block, Table)]
    assert [row[0] for row in table.rows] == ["MLP, training step", "MLP, prediction"]
    assert list(table.columns) == ["what is timed", "the default size", "the smallest", "the largest"]
    assert "width 128, float32, plain, 2 threads" in table.caption
    assert re.fullmatch(r"batch 64: NumPy, 2\.00 \(.* to .*\) times as fast as PyTorch", table.rows[0][1])
    assert list(table.rows[1][1:]) == ["batch 64: NumPy alone is ranked", "batch 1: NumPy alone is ranked", "–"]


def test_where_settings_differ_each_row_says_its_own() -> None:
    records = measured([(cell("numpy"), 1e-4), (cell("numpy", mode="tuned"), 1e-4)])
    (table,) = [block for block in section(records).blocks if isinstance(block, Table)]
    labels = ["MLP, training step (float32, plain, 2 threads)", "MLP, training step (float32, tuned, 2 threads)"]
    assert [row[0] for row in table.rows] == labels


def steps_of(of: Cell, **microseconds: float) -> list[Record]:
    steps_s = {step: time * MICROSECOND for step, time in microseconds.items()}
    watched = sum(steps_s.values())
    update = {"steps_s": steps_s, "watched_s": watched, "whole_s": watched}
    return [profile(of, block).model_copy(update=update) for block in range(6)]


def test_why_names_the_step_that_costs_most_beyond_the_fastests() -> None:
    records = timed(numpy=100, torch=200)
    records += [*steps_of(FAST, dense=90, relu=10), *steps_of(NEXT, dense=110, relu=80)]
    (why,) = under(records, "Why")
    assert why.startswith("PyTorch takes 2.00 (")
    assert why.endswith("times as long: relu takes 80.0 µs (NumPy 10.0 µs).")


def test_a_step_that_takes_no_longer_than_the_fastests_is_no_reason() -> None:
    records = [*timed(numpy=100, torch=200), *steps_of(FAST, dense=60, relu=40), *steps_of(NEXT, dense=50, relu=40)]
    assert under(records, "Why") == ["What makes PyTorch slower was not measured."]


def overheads(numpy: float, torch: float) -> list[Record]:
    """Training at four sizes: these overheads in microseconds, then so much per operation, PyTorch twice as much."""
    records: list[Record] = []
    for batch in (32, 64, 128, 256):
        for name, overhead, rate in (("numpy", numpy, 1), ("torch", torch, 2)):
            of = cell(name, batch=batch)
            records += [
                item.model_copy(update={"flops_per_call": batch * 10**6}) if item.kind == "timing" else item
                for item in measured([(of, (overhead + rate * batch) * MICROSECOND)], noise=0.001)[1:]
            ]
    return [synthetic.run([item.cell for item in records if item.kind == "timing" and item.block == 0]), *records]


def test_two_tied_with_the_first_and_not_with_one_another_are_not_three_tied() -> None:
    assert lead(timed(0.008, numpy=100, torch=100, jax=101)) == "NumPy and JAX are each tied with PyTorch."


@pytest.mark.parametrize(("others", "said"), [(0, False), (12, True)])
def test_a_difference_that_the_whole_table_does_not_allow_may_be_chance(others: int, said: bool) -> None:
    sizes = [(cell(name, batch=3**k), 100 * MICROSECOND) for k in range(others) for name in ("numpy", "torch")]
    records = measured([(FAST, 100 * MICROSECOND), (NEXT, 112 * MICROSECOND), *sizes], 6, 0.03)
    chance = r" \(may be chance in so large a table\)" if said else ""
    assert re.fullmatch(
        rf"NumPy is fastest, 1\.12 \([\d.]+ to [\d.]+\) times as fast as PyTorch{chance}\.", lead(records)
    )


def test_all_of_whom_nothing_is_known_stand_in_one_sentence() -> None:
    assert under(timed(numpy=100, torch=200, jax=300), "Why") == ["What makes PyTorch and JAX slower was not measured."]


def test_why_names_what_a_call_costs_however_small_it_is() -> None:
    (why,) = under(overheads(numpy=100, torch=400), "Why")
    assert re.search(
        r"times as long: a training step costs about (3\d\d|4\d\d) µs however small it is \(NumPy (9|10)\d(\.\d)? µs\)\.$",
        why,
    )


def test_an_overhead_below_the_fastests_is_no_reason() -> None:
    (why,) = under(overheads(numpy=200, torch=100), "Why")
    assert re.fullmatch(r"What makes \w+ slower was not measured\.", why)


def test_there_is_no_why_where_nobody_is_slower_beyond_doubt() -> None:
    assert under(timed(0.02, numpy=100, torch=103), "Why") == []
    assert under(timed(numpy=100), "Why") == []


def with_blocks(records: Sequence[Record], wall_s: float) -> list[Record]:
    """The first block is longer: it starts cold."""
    return [*records, *(record.BlockRecord(block=k, wall_s=wall_s if k else 10 * wall_s) for k in range(6))]


def test_how_sure_says_what_a_smaller_difference_would_take() -> None:
    seen, proofs = under(with_blocks(timed(0.02, numpy=100, torch=150), 30.0), "How sure")
    found = re.fullmatch(
        r"Half of this run's comparisons tell differences of (\d\.\d)% and more from none, 8 times out of 10; a verdict takes 3% more\. "
        r"(\d\.\d)% would take about (\d+) blocks \(([\d]+) (s|minutes)\): --blocks \3\.",
        seen,
    )
    assert found, seen
    sees, aim, blocks, time = float(found[1]), float(found[2]), int(found[3]), float(found[4])
    assert aim < sees
    assert blocks >= 6
    assert time * (60 if found[5] == "minutes" else 1) == pytest.approx(30 * blocks, rel=0.2)
    assert proofs == "12 of 12 proofs passed."


@pytest.mark.parametrize(
    ("limit", "told"),
    [
        ("", "11 of 12 proofs passed. What did not pass has no rank."),
        (
            "keras_adam",
            "11 of 12 proofs passed. The others fail by listed limits of their frameworks, and have no rank.",
        ),
    ],
)
def test_how_sure_says_whose_fault_a_failed_proof_is(limit: str, told: str) -> None:
    records = with_blocks(timed(0.02, numpy=100, torch=150), 30.0)
    at = max(number for number, found in enumerate(records) if found.kind == "proof")
    proof = records[at]
    assert isinstance(proof, record.ProofRecord)
    failed = [check.model_copy(update={"passed": False, "limit": limit}) for check in proof.checks]
    records[at] = proof.model_copy(update={"checks": failed})
    assert under(records, "How sure")[-1] == told


def test_without_the_time_of_a_block_no_time_is_promised() -> None:
    seen, _ = under(timed(0.02, numpy=100, torch=150), "How sure")
    assert re.search(r"would take about \d+ blocks: --blocks \d+\.$", seen)


def test_what_too_many_blocks_would_take_is_no_advice() -> None:
    few = timed(0.5, numpy=100, torch=150)
    whole_run = gathered(few)
    certain = analysis.certainty(whole_run, comparison_groups(whole_run), (0.01,))
    assert certain is not None
    assert (certain.blocks, certain.seconds) == (None, None)
    loud = measured([(FAST, 1e-4), (NEXT, 1.5e-4)], blocks=6, noise=2.0)
    assert under(loud, "How sure")[0].startswith("This run was disturbed: it tells no difference below twofold")


def test_where_the_smallest_aim_is_met_no_more_is_advised() -> None:
    steady = [
        item.model_copy(update={"elapsed_s": [(1 + 1e-4 * item.block) * len(item.cell.id)] * 12, "warmup_rounds": 0})
        if item.kind == "timing" and item.cell == NEXT else
        item.model_copy(update={"elapsed_s": [1.0] * 12, "warmup_rounds": 0}) if item.kind == "timing" else item
        for item in timed(numpy=100, torch=150)
    ]  # fmt: skip
    seen, _ = under(steady, "How sure")
    assert re.fullmatch(
        r"Half of this run's comparisons tell differences of (0\.\d+|under 0\.01)% and more from none, 8 times out of 10; a verdict takes 3% more\.",
        seen,
    )


@pytest.mark.parametrize("blocks", [1, 2, 5])
def test_few_blocks_can_tell_no_difference_from_noise(blocks: int) -> None:
    seen, _ = under(timed(blocks=blocks, numpy=100, torch=500), "How sure")
    assert seen == "Fewer than 6 blocks: no difference can be told from noise."


def test_a_failed_proof_is_counted() -> None:
    records = [*timed(numpy=100, torch=150), synthetic.proof(NEXT, 5, error=3.0)]
    assert under(records, "How sure")[1].startswith("12 of 13 proofs passed")


HINTS = {
    "--mode plain,tuned": [cell("numpy"), cell("numpy", mode="tuned")],
    "--threads 1,all": [cell("numpy"), cell("numpy", threads=1)],
    "--device cpu,cuda": [cell("torch"), cell("torch", device="cuda:0")],
    "--profile full": [cell("numpy"), cell("numpy", "copy")],
    "without --phase": [cell("numpy"), cell("numpy", "peak")],
}


@pytest.mark.parametrize("option", HINTS)
def test_what_was_not_measured_has_the_option_that_would(option: str) -> None:
    def unsaid(*cells: Cell, **options: Any) -> str:
        blocks = answer.unsaid(gathered(measured([(of, 1e-4) for of in cells], **options)))
        return " ".join(item for block in blocks if isinstance(block, Bullets) for item in block.items)

    assert option in unsaid(cell("numpy"))
    assert option not in unsaid(*HINTS[option])
    assert "--spec my.toml" in unsaid(cell("numpy"))
    assert "--spec" not in unsaid(cell("numpy"), command=["run", "--spec", "mine.toml"])


def test_where_all_was_measured_nothing_is_left_unsaid() -> None:
    peaks = [cell("numpy", "peak", threads=1), cell("torch", "peak", device="cuda:0")]
    cells = {of.id: of for cells in [*HINTS.values(), peaks] for of in cells}.values()
    assert answer.unsaid(gathered(measured([(of, 1e-4) for of in cells], command=["run", "--spec", "x"]))) == []


def test_the_facts_of_the_machine_are_read_under_the_names_that_a_run_writes_them_by() -> None:
    assert synthetic.ENVIRONMENT.keys() <= environment.machine().keys()
    gpus = [{"name": f"NVIDIA {name}", "memory": "143771 MiB"} for name in ("H200", "A100")]
    line = facts.title(gathered(timed(numpy=1), synthetic.ENVIRONMENT | {"gpus": gpus}))
    assert line == "AMD EPYC 7B13, 2 cores, NVIDIA H200 and NVIDIA A100, 2026-01-02, profile quick, 6 blocks."


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
    cells = [(cell("torch", batch=batch), 100 * MICROSECOND) for batch in speedups]
    cells += [(cell("torch", batch=b, device="cuda:0"), 100 * MICROSECOND / s) for b, s in speedups.items()]
    whole_run = gathered(measured(cells, noise=0.002))
    groups = comparison_groups(whole_run)
    assert sentence in " ".join(gpu_vs_cpu.sentences(groups))
    assert "PyTorch on c" in answer.sentence(whole_run, groups[0])
