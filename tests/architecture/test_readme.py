"""README is short, and what it says of results stands in the results."""

import re

import pytest

from implementations.mlp.spec import MLPSpec
from tests.support import ROOT, prose

README = (ROOT / "README.md").read_text(encoding="utf-8")
MOST_LINES, MOST_WORDS, MEAN_WORDS = 125, 30, 16


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def test_it_is_short() -> None:
    assert len(README.splitlines()) <= MOST_LINES


def test_its_sentences_are_short() -> None:
    assert [s for s in prose.sentences(README, with_tables=True) if prose.length(s) > MOST_WORDS] == []
    lengths = list(map(prose.length, prose.sentences(README)))
    assert sum(lengths) / len(lengths) <= MEAN_WORDS


def test_it_opens_with_a_picture_two_commands_and_an_example() -> None:
    commands = [line for block in prose.blocks(README, "console") for line in block.splitlines()]
    assert commands[:3] == [
        "make bench",
        "make test",
        ".venv/bin/python examples/train.py --model mlp --framework torch",
    ]
    assert README.index("](results/example/figures/answer-mlp.svg)") < README.index("```")


def test_the_layout_names_every_folder_of_code() -> None:
    for folder in ("implementations", "benchmarks", "examples", "docs", "results", "tests"):
        assert f"[`{folder}/`](" in README


def test_the_example_is_as_long_as_it_says() -> None:
    length = len(read("examples/train.py").splitlines())
    assert f"the same {length} lines" in README


@pytest.mark.parametrize(
    ("page", "said", "results", "stands"),
    [
        ("README.md", "JAX or NumPy, not settled", "example/report.md", "Training the MLP at batch 128, width 128: JAX or NumPy, not settled."),
        ("README.md", "PyTorch takes 1.77 (1.65 to 1.88) times as long", "example/report.md", "PyTorch takes 1.77 (1.65 to 1.88) times as long"),
        ("README.md", "**CNN**, batch 128: PyTorch is fastest, 1.18 (1.07 to 1.29) times as fast as JAX", "zoo/report.md",
         "Training the CNN at batch 128, width 32: PyTorch is fastest, 1.18 (1.07 to 1.29) times as fast as JAX."),
        ("README.md", "**RNN**, batch 32: JAX is fastest, 1.22 (1.16 to 1.28) times as fast as PyTorch", "zoo/report.md",
         "Training the RNN at batch 32, cell lstm, length 8, width 64: JAX is fastest, 1.22 (1.16 to 1.28) times as fast as PyTorch."),
        ("README.md", "a call costs 352 µs before any work, and dropout is 31% of its step", "example/report.md", "dropout is 31% of its step (217 µs, NumPy 74.1 µs)"),
        ("README.md", "JAX is fastest in the CNN", "zoo/report.md", "| CNN, prediction | batch 128, width 32: JAX, 2.49"),
        ("README.md", "in the CNN and the Transformer", "zoo/report.md", "| Transformer, prediction | batch 64, length 16, width 32: JAX, 1.23"),
        ("README.md", "**Transformer**, batch 64: NumPy, JAX or PyTorch, not settled", "zoo/report.md",
         "Training the Transformer at batch 64, length 16, width 32: NumPy, JAX or PyTorch, not settled."),
        ("README.md", "JAX\ntakes an eighth of PyTorch's time in the RNN", "zoo/report.md",
         "| batch 1, cell lstm, length 8, width 64: JAX, 8.11 (6.86 to 9.59) times as fast as PyTorch |"),
        ("README.md", "PyTorch in the RNN", "zoo/report.md", "| RNN, prediction | batch 32, cell lstm, length 8, width 64: PyTorch, 1.44"),
        ("README.md", "2,363 of 2,363 were noticed", "proof/README.md", "| every planted fault is noticed | 2363 of 2363 |"),
        ("README.md", "no false alarm in 839,067 checks", "proof/README.md", "0 false alarms in 839,067 checks"),
        ("README.md", "5% was found 21 times of 21 in 5 s", "selfcheck/README.md", "| 21 of 21 in 5 s | holds |"),
        ("README.md", "of 21 equals one was called different", "selfcheck/README.md", "| 16 | 5 s | 0.54% | 1 of 21 | 21 of 21 | 21 of 21 |"),
        ("docs/method-timing.md", "in 94%", "selfcheck/README.md", "Over all its 126 trials, those without the others too, samenet's intervals held the truth in 94%"),
        ("docs/method-timing.md", "of 42 equals 41 were called tied", "selfcheck/README.md", "| 41 of 42 |"),
        ("docs/method-timing.md", "samenet, in turns | 0.54%", "selfcheck/README.md", "| samenet, in turns | 15 | 0.54% | 93% | 0.90% | 1 of 5 | 2.7 s |"),
        ("docs/method-timing.md", "torch.utils.benchmark | 1.2%", "selfcheck/README.md", "| torch.utils.benchmark | 15 | 1.2% |"),
        ("docs/method-timing.md", "pyperf | 8.1%", "selfcheck/README.md", "| pyperf | 15 | 8.1% |"),
        ("docs/method-timing.md", "pytest-benchmark alone | 12%", "selfcheck/README.md", "| pytest-benchmark alone | 15 | 12% |"),
        ("docs/faq.md", "about 352 µs before any work, one of NumPy 146 µs", "example/report.md", "| NumPy | 3 | 146 µs"),
        ("docs/faq.md", "its rate 49.2 GFLOP/s", "example/report.md", "| PyTorch | 3 | 352 µs (337 to 438) | 49.2 GFLOP/s"),
        ("docs/faq.md", "at batch 32 takes 212 µs", "example/report.md", "| NumPy | 1: 212 µs |"),
        ("docs/faq.md", "PyTorch takes 2.11 times", "example/report.md", "| PyTorch | 3: 2.11 ("),
        ("docs/faq.md", "PyTorch takes 1.44 times", "example/report.md", "| 3: 1.44 ("),
        ("docs/faq.md", "5.0% would take about 29 blocks (8 minutes): --blocks 29", "example/report.md", "5.0% would take about 29 blocks (8 minutes): --blocks 29"),
    ],
)  # fmt: skip
def test_a_number_stands_in_the_results(page: str, said: str, results: str, stands: str) -> None:
    assert said in read(page)
    assert stands in read(f"results/{results}")


def test_what_is_called_small_follows_from_the_example() -> None:
    overhead, rate = 352e-6, 49.2e9
    assert f"equal at {overhead * rate / 1e6:.1f} million" in read("docs/faq.md")
    assert f"has {MLPSpec().flops('train_step') / 1e6:.1f} million at batch 128" in read("docs/faq.md").replace(
        "\n", " "
    )


def test_every_claim_says_where_it_is_shown() -> None:
    claims = re.search(r"## What is claimed\n(.*?)\n## ", README, re.DOTALL)
    assert claims
    assert len(re.findall(r"^- \*\*", claims[1], re.MULTILINE)) == 5
