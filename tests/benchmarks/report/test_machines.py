"""Runs by kind of machine: which machine and framework is fastest, by how much, and how far runs of one kind lie apart."""

import re
from typing import Any

import pytest

from benchmarks.analysis.loaded_run import LoadedRun
from benchmarks.records.record import Record
from benchmarks.report import markdown, several_runs
from tests.support import report_text, synthetic, two_networks
from tests.support.synthetic import cell, measured

XEON: dict[str, Any] = {"cpu": "Intel Xeon", "cores": 16}
H100 = XEON | {"gpus": [{"name": "NVIDIA H100", "driver": "1", "memory": "80 GB"}]}
EPYC_ROW, XEON_ROW, GPU_ROW = (
    "AMD EPYC 7B13, 2 cores, 2 threads",
    "Intel Xeon, 16 cores, 2 threads",
    "NVIDIA H100 beside Intel Xeon, 16 cores, 2 threads",
)


def run(name: str, records: list[Record], **environment: Any) -> LoadedRun:
    return LoadedRun(name, report_text.gathered(records, synthetic.ENVIRONMENT | environment))


def timed(numpy_s: float, torch_s: float, noise: float = 0.001, **options: Any) -> list[Record]:
    """Training at two batches and predicting; NumPy's and PyTorch's seconds per step at the larger one."""
    seconds = [
        (cell("numpy"), numpy_s),
        (cell("torch"), torch_s),
        (cell("numpy", batch=8), numpy_s / 4),
        (cell("torch", batch=8), numpy_s / 2),
    ]
    records = measured([*seconds, (cell("numpy", "predict"), numpy_s / 3)], noise=noise, **options)
    return [*records, *synthetic.costs(cell("numpy"), cell("torch"))]


def page(*runs: LoadedRun) -> str:
    return markdown.render(several_runs.document(runs), {})


def section(*runs: LoadedRun) -> str:
    return page(*runs).partition("Which machine and framework is fastest?\n")[2].partition("\n## ")[0]


def rows(text: str, caption: str) -> dict[str, list[str]]:
    """A table by the first field of its rows, in their order; the columns under "kind of machine"."""
    table = text.partition(caption)[2].partition("\n\n")[2].partition("\n\n")[0]
    fields = [line.strip("| ").split(" | ") for line in table.splitlines() if not line.startswith("| ---")]
    return {first: rest for first, *rest in fields}


TRAINING = "training step, the fastest on each kind of machine"
NODES = [run("a", timed(2e-4, 4e-4)), run("b", timed(2.2e-4, 4e-4)), run("c", timed(2.1e-4, 4e-4))]
FAST = run("d", timed(1e-4, 0.9e-4), **XEON)


def test_kinds_are_rows_the_fastest_first_and_each_cell_is_against_the_fastest_of_its_size() -> None:
    found = rows(section(*NODES, FAST), TRAINING)
    assert list(found) == ["kind of machine", XEON_ROW, EPYC_ROW]
    assert found["kind of machine"] == ["runs", "batch 8", "batch 256"]
    runs, small, large = found[XEON_ROW]
    assert runs == "1"
    assert re.fullmatch(r"fastest: NumPy \d\d\.\d µs", small)
    assert re.fullmatch(r"fastest: PyTorch \d\d\.\d µs", large)
    runs, small, large = found[EPYC_ROW]
    assert runs == "3"
    assert re.fullmatch(r"2\.\d\d \([\d.]+ to [\d.]+\): NumPy \d\d\.\d µs", small)
    ((*numbers,),) = re.findall(r"^([\d.]+) \(([\d.]+) to ([\d.]+)\): NumPy (\d+) µs$", large)
    value, low, high, micro = map(float, numbers)
    assert (value, low, high, micro) == pytest.approx((2.1 / 0.9, 2.0 / 0.9, 2.2 / 0.9, 210), rel=0.02)
    assert low < 2.0 / 0.9 < 2.2 / 0.9 < high


def test_a_gpu_is_a_kind_of_its_own_beside_the_processor_of_its_machine() -> None:
    gpu = measured([(cell("torch", device="cuda:0"), 1e-5), (cell("torch"), 1e-4)], noise=0.001)
    found = rows(section(NODES[0], run("e", gpu, **H100)), TRAINING)
    assert list(found)[1:] == [GPU_ROW, XEON_ROW, EPYC_ROW]
    assert found[GPU_ROW][2].startswith("fastest: PyTorch")
    assert found[XEON_ROW][2].startswith("10.0 (")
    assert found[GPU_ROW][1] == "–"
    assert found[EPYC_ROW][1].startswith("only here: NumPy")


def test_threads_make_a_kind_and_so_do_cores_that_may_not_be_used() -> None:
    both = measured([(cell("numpy", threads=n), 2e-4 / n) for n in (1, 2)], noise=0.001)
    found = rows(section(run("one", both, **XEON, usable_cores=4), run("all", both, **XEON, usable_cores=16)), TRAINING)
    assert len(found) == 1 + 4
    assert "Intel Xeon, 16 cores (4 usable), 1 thread" in found
    assert "one: Training the MLP" in page(run("one", both), run("two", both)).partition("## 2.")[0]


def test_each_implementation_has_its_own_fastest_kind() -> None:
    other = run("d", timed(1e-4, 8e-4), **XEON)
    found = rows(section(NODES[0], other), "each implementation")
    assert found["kind of machine"] == ["runs", "NumPy", "PyTorch"]
    assert [found[XEON_ROW][1].partition(":")[0], found[EPYC_ROW][2].partition(":")[0]] == ["fastest", "fastest"]
    assert found[EPYC_ROW][1].startswith("2.00 (")
    assert found[XEON_ROW][2].startswith("2.00 (")


def test_runs_of_one_kind_stand_side_by_side_with_their_spread() -> None:
    for runs in ([*NODES, FAST], NODES):
        found = rows(section(*runs), "Runs on the same kind of machine")
        assert list(found)[1:] == [EPYC_ROW]
        what, times, spread = found[EPYC_ROW]
        assert what == "MLP, training step, batch 256, width 128, NumPy"
        assert re.fullmatch(r"a \d+ µs, c \d+ µs, b \d+ µs", times)
        assert spread.startswith("1.10 (")
    assert "the fastest on each kind of machine" not in section(*NODES)


def test_what_is_not_settled_in_every_pair_of_runs_is_not_settled() -> None:
    near = [run("a", timed(1e-4, 4e-4)), run("b", timed(2e-4, 4e-4)), run("c", timed(1e-4, 4e-4), **XEON)]
    found = rows(section(*near), TRAINING)
    assert " not settled: NumPy" in found[EPYC_ROW][2]
    assert f"NumPy on {XEON_ROW}; or NumPy on {EPYC_ROW}, not settled." in page(*near)
    same = [NODES[0], run("d", timed(2e-4, 4e-4), **XEON)]
    assert " tied: NumPy" in "".join(field for fields in rows(section(*same), TRAINING).values() for field in fields)
    assert re.search(r"NumPy on [^;]+; and NumPy on [^;]+ are tied\.", page(*same))


def test_implementations_that_a_kind_does_not_tell_apart_are_both_named() -> None:
    found = rows(section(NODES[0], run("d", timed(1e-4, 1e-4, noise=0.001), **XEON)), TRAINING)
    assert re.match(r"fastest: (NumPy or PyTorch|PyTorch or NumPy) ", found[XEON_ROW][2])


def test_one_that_is_slower_in_some_run_only_is_named_and_one_that_few_runs_measured_stands_behind() -> None:
    mixed = [run("a", timed(2e-4, 3e-4)), run("b", timed(2e-4, 1.6e-4)), run("d", timed(1e-4, 4e-4), **XEON)]
    assert ": NumPy or PyTorch " in rows(section(*mixed), TRAINING)[EPYC_ROW][2]
    rare = [*NODES, run("jax", measured([(cell("jax"), 1e-5), (cell("numpy"), 2e-4)]))]
    assert re.search(r": NumPy or JAX 20\d µs$", rows(section(*rare, FAST), TRAINING)[EPYC_ROW][2])


def test_the_headline_names_machine_and_framework_and_how_many_times_as_fast_instead_of_each_run() -> None:
    said = rf"MLP, training step, batch 256, width 128 \(float32, plain\): PyTorch on {XEON_ROW} is fastest, 2\.3\d \([\d.]+ to [\d.]+\) times as fast as NumPy on {EPYC_ROW} \(one run on a kind: another machine of it may differ as much\)\.\n"
    headline = page(*NODES, FAST).partition("## 2.")[0]
    assert re.search(said, headline)
    assert "a: Training" not in headline
    assert "a: Training the MLP" in page(*NODES).partition("## 2.")[0]


def test_only_what_trained_the_same_network_and_was_proved_is_compared() -> None:
    wider = run("d", timed(1e-5, 1e-5, spec_sha256="1" * 64), **XEON)
    unproved = run("e", [r for r in timed(1e-5, 1e-5) if r.kind != "proof"], **XEON)
    assert section(NODES[0], wider) == section(NODES[0], unproved) == ""
    assert "Intel" not in section(*NODES, wider)


def test_machines_of_which_nothing_is_known_are_not_one_kind() -> None:
    unknown = [LoadedRun(name, report_text.gathered(timed(1e-4, 2e-4), {})) for name in ("a", "b")]
    _, *kinds = rows(section(*unknown), TRAINING)
    assert sorted(kinds) == [f"unknown machine of {name}, 2 threads" for name in "ab"]


def test_facts_of_another_form_are_no_facts() -> None:
    odd = run(
        "odd", measured([(cell("torch", device="cuda:x"), 1e-4)]), cpu=["a"], cores=[2], usable_cores={}, gpus="none"
    )
    assert "| unknown GPU beside \\['a'\\], 2 threads |" in section(odd, NODES[0])


def test_a_difference_by_chance_among_many_is_not_called_one() -> None:
    cells = [cell("numpy", batch=b) for b in range(1, 200)]
    old = run("old", measured([(of, 1e-4) for of in cells], noise=0.05))
    new = run("new", measured([(of, 1.08e-4) for of in cells], noise=0.05), **XEON)
    ((_, *fields),) = [fields for kind, fields in rows(section(old, new), TRAINING).items() if kind == XEON_ROW]
    low = [float(field.partition("(")[2].partition(" to")[0]) for field in fields if "to" in field]
    assert any(low_ > 1.03 for low_ in low)
    assert sum("not settled" in field for field in fields) > sum(low_ <= 1.03 for low_ in low)


def test_several_networks_have_tables_of_their_own() -> None:
    text = section(run("a", two_networks.records()), run("b", two_networks.records(), **XEON))
    titles = re.findall(r"\*\*(\w+), training step, the fastest on each", text)
    assert len(titles) == len(set(titles)) == 2


def test_order_and_ratio_are_of_one_statistic_where_a_stalled_block_parts_median_and_mean() -> None:
    """By the medians the first is the fastest; what is compared are mean logarithms, by which it is the slowest."""

    def blocks(*seconds: float) -> list[Record]:
        records: list[Record] = [synthetic.run([cell("numpy")], blocks=len(seconds))]
        for number, of_block in enumerate(seconds):
            records += [synthetic.proof(cell("numpy"), number), synthetic.timing(cell("numpy"), number, of_block)]
        return [*records, *synthetic.costs(cell("numpy"))]

    stalled, steady = blocks(*[1e-4] * 5, 1e-1), blocks(*[2e-4] * 6)
    found = rows(section(run("a", stalled), run("b", steady), run("c", steady, **XEON)), TRAINING)
    assert list(found) == ["kind of machine", XEON_ROW, EPYC_ROW]
    assert float(found[EPYC_ROW][1].split()[0]) > 1
    spread = rows(section(run("a", stalled), run("b", steady)), "Runs on the same kind of machine")[EPYC_ROW]
    assert re.fullmatch(r"b 200 µs, a 316 µs", spread[1])
    assert spread[2].startswith("1.58 (")
