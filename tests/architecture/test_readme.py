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
        ("README.md", "NumPy or JAX, not settled. PyTorch", "example/report.md", "Training the MLP at batch 128, width 128: NumPy or JAX, not settled."),
        ("README.md", "PyTorch takes 1.84 (1.69 to 1.99) times as long", "example/report.md", "PyTorch takes 1.84 (1.69 to 1.99) times as long"),
        ("README.md", "Keras on TensorFlow 3.11 (2.84 to 3.40) times", "example/report.md", "Keras-TensorFlow takes 3.11 (2.84 to 3.40) times as long"),
        ("README.md", "**CNN**, batch 32: JAX is fastest, 1.16 (1.11 to 1.22) times as fast as PyTorch", "example/report.md",
         "| CNN, training step | batch 32, width 32: JAX, 1.16 (1.11 to 1.22) times as fast as PyTorch"),
        ("README.md", "**RNN**, batch 32: JAX is fastest, 1.27 (1.17 to 1.39) times as fast as NumPy", "example/report.md",
         "| RNN, training step | batch 32, cell lstm, length 8, width 64: JAX, 1.27 (1.17 to 1.39) times as fast as NumPy"),
        ("README.md", "**Transformer**, batch 16: NumPy or JAX, not settled", "example/report.md",
         "| Transformer, training step | batch 16, length 16, width 32: NumPy or JAX, not settled"),
        ("README.md", "a step costs it 698 µs however small it is (NumPy 247 µs), and dropout takes 298 µs (NumPy 111 µs)", "example/report.md",
         "dropout takes 298 µs (NumPy 111 µs) and a training step costs about 698 µs however small it is (NumPy 247 µs)"),
        ("README.md", "26,000 to 53,000 parameters", "zoo/report.md", "| Transformer | 26,176 |"),
        ("README.md", "26,000 to 53,000 parameters", "zoo/report.md", "| CNN | 53,226 |"),
        ("README.md", "JAX is fastest in the MLP and the CNN", "zoo/report.md", "| MLP, prediction | batch 128, width 128: JAX, 1.54"),
        ("README.md", "in the MLP and the CNN", "zoo/report.md", "| CNN, prediction | batch 128, width 32: JAX, 2.69"),
        ("README.md", "in the Transformer it may be chance that JAX is", "zoo/report.md",
         "| Transformer, prediction | batch 64, length 16, width 32: JAX, 1.19 (1.033 to 1.37) times as fast as PyTorch (may be chance in so large a table) |"),
        ("README.md", "\nthere JAX takes an eighth of PyTorch's time in the RNN", "zoo/report.md",
         "| batch 1, cell lstm, length 8, width 64: JAX, 8.43 (6.76 to 10.5) times as fast as PyTorch |"),
        ("README.md", "PyTorch in the RNN", "zoo/report.md", "| RNN, prediction | batch 32, cell lstm, length 8, width 64: PyTorch, 1.35"),
        ("README.md", "2,404 of 2,406 were noticed", "proof/README.md", "| every planted fault is noticed | 2404 of 2406;"),
        ("README.md", "without a false alarm in 689,983 checks", "proof/README.md", "0 false alarms in 689,983 checks"),
        ("README.md", "5% was found 21 times of 21 in 8 s", "selfcheck/README.md", "| 21 of 21 in 8 s | holds |"),
        ("README.md", "of 42 equals, in 4 s, two were called different", "selfcheck/README.md", "| 8 | 4 s | 1.5% | 2 of 42 | 29 of 42 | 41 of 42 |"),
        ("docs/method-timing.md", "in 97%", "selfcheck/README.md", "Over all its 63 trials, those without the others too, samenet's intervals held the truth in 97%"),
        ("docs/method-timing.md", "of 21 equals 18 were called tied", "selfcheck/README.md", "| 18 of 21 | holds |"),
        ("docs/method-timing.md", "samenet, in turns | 0.56%", "selfcheck/README.md", "| samenet, in turns | 9 | 0.56% | 100% | 1.4% | 0 of 3 | 8.1 s |"),
        ("docs/method-timing.md", "torch.utils.benchmark | 15%", "selfcheck/README.md", "| torch.utils.benchmark | 9 | 15% |"),
        ("docs/method-timing.md", "pyperf | 8.2%", "selfcheck/README.md", "| pyperf | 9 | 8.2% |"),
        ("docs/method-timing.md", "pytest-benchmark alone | 13%", "selfcheck/README.md", "| pytest-benchmark alone | 9 | 13% |"),
        ("docs/choosing.md", "both come to 1.85 bits per character", "text/report.md", "of 1 seed: the Transformer 1.85 to 1.86 and the RNN 1.84 to 1.86"),
        ("docs/choosing.md", "in a quarter\nof the Transformer's time", "text/report.md", "| RNN | 117,344 | 1.84 to 1.86 | 12 of 12 | 3.09 s |"),
        ("docs/choosing.md", "in a quarter\nof the Transformer's time", "text/report.md", "| Transformer | 115,968 | 1.85 to 1.86 | 12 of 12 | 13.0 s |"),
        ("docs/faq.md", "about 698 µs however small it is, one of NumPy 247 µs", "example/report.md", "| NumPy | 3 | 247 µs"),
        ("docs/faq.md", "its rate 29.6 GFLOP/s", "example/report.md", "| PyTorch | 3 | 698 µs (612 to 777) | 29.6 GFLOP/s"),
        ("docs/faq.md", "at batch 32 takes 359 µs", "example/report.md", "| NumPy | 1–2: 359 µs |"),
        ("docs/faq.md", "PyTorch takes 2.35 times", "example/report.md", "| PyTorch | 3: 2.35 ("),
        ("docs/faq.md", "PyTorch takes 1.52 times", "example/report.md", "| 3: 1.52 ("),
        ("docs/faq.md", "10% would take about 23 blocks (8 minutes): --blocks 23", "example/report.md", "10% would take about 23 blocks (8 minutes): --blocks 23"),
    ],
)  # fmt: skip
def test_a_number_stands_in_the_results(page: str, said: str, results: str, stands: str) -> None:
    assert said in read(page)
    assert stands in read(f"results/{results}")


def test_what_is_called_small_follows_from_the_example() -> None:
    overhead, rate = 698e-6, 29.6e9
    assert f"equal at {overhead * rate / 1e6:.1f} million" in read("docs/faq.md")
    assert f"has {MLPSpec().flops('train_step') / 1e6:.1f} million at batch 128" in read("docs/faq.md").replace(
        "\n", " "
    )


def test_every_claim_says_where_it_is_shown() -> None:
    claims = re.search(r"## What is claimed\n(.*?)\n## ", README, re.DOTALL)
    assert claims
    assert len(re.findall(r"^- \*\*", claims[1], re.MULTILINE)) == 5
