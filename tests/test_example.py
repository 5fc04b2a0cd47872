"""examples/train.py: short, the same for every network, and plain about what cannot be."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.support import LIGHT, ROOT
from tests.support.fresh_process import python

EXAMPLE = ROOT / "examples" / "train.py"


def test_it_is_short() -> None:
    assert len(EXAMPLE.read_text(encoding="utf-8").splitlines()) <= 40


@pytest.mark.parametrize(("model", "framework"), [("mlp", "numpy"), ("Transformer", "NumPy")])
def test_it_prints_a_line_per_epoch(model: str, framework: str) -> None:
    done = python(EXAMPLE, "--model", model, "--framework", framework, "--spec", "digits", "--epochs", "2", site=LIGHT)
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert first.startswith("epoch  1  loss ")
    assert "  accuracy " in first
    assert first.endswith("  " + "#" * 40)
    assert 0 < second.count("#") < 40


def test_it_trains_a_network_on_data_of_ones_own(tmp_path: Path) -> None:
    rng, own, data = np.random.default_rng(0), tmp_path / "my.toml", tmp_path / "my.npz"
    own.write_text("hidden = [8]\nfeatures = 5\nclasses = 4\nbatch = 8\n", encoding="utf-8")
    np.savez(data, x=rng.normal(size=(80, 5)), y=np.tile(np.arange(4), 20))
    done = python(EXAMPLE, "--framework", "numpy", "--epochs", "1", "--data", data, "--spec", own, site=LIGHT)
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 1), done.stderr


def test_a_training_that_diverges_is_shown_as_it_is(tmp_path: Path) -> None:
    (own := tmp_path / "my.toml").write_text('[optimizer]\nkind = "sgd"\nlearning_rate = 1e30\n', encoding="utf-8")
    done = python(EXAMPLE, "--framework", "numpy", "--epochs", "2", "--spec", own, site=LIGHT)
    assert done.returncode == 0, done.stderr
    assert "loss    nan" in done.stdout


def test_who_reads_its_first_line_alone_sees_nothing_else() -> None:
    words = [sys.executable, str(EXAMPLE), "--framework", "numpy", "--epochs", "9"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        assert run.stdout
        assert run.stdout.readline().startswith("epoch  1")
        run.stdout.close()
        assert run.stderr
        assert (run.stderr.read(), run.wait()) == ("", 1)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--model", "lstm"], "choose from"),
        (["--framework", "numpi"], "Did you mean numpy?"),
    ],
)
def test_what_there_is_not_is_told_in_a_sentence(words: list[str], told: str) -> None:
    done = python(EXAMPLE, *words, site=LIGHT)
    assert done.returncode > 0
    assert told in done.stderr
    assert "Traceback" not in done.stderr
