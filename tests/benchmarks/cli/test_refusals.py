"""What a wrong input is told: what is wrong by name, what would be right, and nothing is written."""

import pickle
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from benchmarks import gpus
from implementations import registry
from tests.support import ROOT
from tests.support.command import invoke, save_npz


def spec_file(folder: Path, text: str) -> Path:
    path = folder / "network.toml"
    path.write_text(text, encoding="utf-8")
    return path


def refused(folder: Path, arguments: Sequence[str | Path], *words: str) -> None:
    """Exit code 2, one message on standard error with these words, nothing printed and nothing written."""
    results = folder / "results"
    results.mkdir()
    (results / "mine").write_text("untouched", encoding="utf-8")
    done = invoke(*arguments, "--results", results)
    assert done.exit_code == 2, done.output
    assert done.stdout == ""
    assert done.stderr.count("Error: ") == 1
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr
    assert [path.name for path in results.rglob("*")] == ["mine"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--framework", "pytroch"], ["--framework pytroch", "Did you mean torch?", "keras-tensorflow"]),
        (["--framework", "keras-tensorflo"], ["--framework keras-tensorflo", "Did you mean keras-tensorflow?"]),
        (["--python", "=x"], ["--python =x: names no framework", "torch@next=PATH"]),
        (["--framework", "numpy,zzz"], ["--framework zzz: no such framework", "There are: numpy"]),
        (["--device", "cpuu"], ["--device cpuu", "Did you mean cpu?", "cuda:0"]),
        (["--device", "gpu"], ["--device gpu", "Did you mean cuda?"]),
        (["--profile", "fast"], ["--profile fast", "smoke, quick"]),
        (["--phase", "training"], ["--phase training", "predict, train_step, epoch, products"]),
        (["--precision", "float16"], ["precision", "there are float32, float64, tf32, bfloat16", "float16"]),
        (["--variant", "stok"], ["variant", "'stok'", "'spec' and 'stock'"]),
        (["--variant", "stock", "--framework", "numpy"], ["numpy has no variant stock in plain mode", "It has: spec."]),
        (["--variant", "stock", "--profile", "smoke"], ["nothing to measure", "torch has no variant stock"]),
        (
            ["--variant", "stock", "--phase", "predict", "--framework", "keras-torch"],
            ["nothing to measure: these options leave nothing together", "`list`"],
        ),
        (["--set", "depth=3"], ["--set depth=3", "batch, width", "--set batch=32,256"]),
        (["--set", "lr=0.1"], ["--set lr=0.1", "batch, width", "--spec my.toml"]),
        (["--set", "batch=many"], ["--set batch=many", "whole numbers"]),
        (["--set", "batch=-1"], ["--set batch=-1", "whole numbers"]),
        (["--set", "batch="], ["--set batch=", "whole numbers"]),
        (["--set", "batch=,"], ["--set batch=,", "whole numbers"]),
        (["--set", "batch=0"], ["batch", "greater than 0", "given: 0"]),
        (["--set", "batch=1", "--phase", "train_step"], ["batch", "at least 2 samples", "batch_norm = false"]),
        (["--budget", "soon"], ["--budget soon", "90s, 10m or 1h"]),
        (["--budget", "1s"], ["--budget", "one block takes about"]),
        (["--budget", "9m", "--blocks", "2"], ["--blocks and --budget", "one of them"]),
        (["--threads", "0"], ["--threads 0", "from 1 to", "or all"]),
        (["--threads", "100000"], ["--threads 100000", "usable cores"]),
        (["--threads", "two"], ["--threads two", "give numbers"]),
        (["-k", "nothing/like/this"], ["-k nothing/like/this", "matches none", "`list`"]),
        (["--python", "torch=/nowhere"], ["--python torch=/nowhere", "is not a file", "Python interpreter"]),
        (["--python", "torch@a/b=x"], ["torch@a/b", "letters and digits", "torch@next=PATH"]),
        (["--python", "troch@next=x"], ["troch@next", "Did you mean torch?"]),
        (["--python", "torch"], ["--python torch", "is not a file"]),
        (["--python", "troch=/nowhere"], ["troch", "Did you mean torch?"]),
        (["--spec", "cifar"], ["--spec cifar", "presets of the MLP are digits, mnist"]),
        (["--spec", "no/such.toml"], ["--spec no/such.toml", "cannot be read", "TOML"]),
        (["--blocks", "0"], ["--blocks", "0"]),
        (["--no-such-option"], ["--no-such-option"]),
    ],
    ids=lambda value: "_".join(value) if isinstance(value, list) and value[0].startswith("-") else None,
)
def test_a_wrong_option_is_refused_by_name_with_what_would_be_right(
    tmp_path: Path, arguments: list[str], words: list[str]
) -> None:
    refused(tmp_path, ["run", *arguments], *words)


@pytest.mark.parametrize(
    ("package", "words"),
    [("numpy", ["CuPy sees no GPU", "see `doctor`"]), ("not_there", ["not_there is not installed", "pip install"])],
    ids=["without a GPU", "not installed"],
)
def test_a_framework_asked_for_by_name_that_cannot_run_is_refused_with_reason_and_fix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str, words: list[str]
) -> None:
    monkeypatch.setattr(gpus, "visible", list)
    monkeypatch.setitem(registry.PACKAGES, "cupy", (package,))
    refused(tmp_path, ["run", "--framework", "numpy,cupy"], *words)


@pytest.mark.parametrize("command", ["run", "list"])
def test_a_device_asked_for_by_name_that_is_not_there_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setattr(gpus, "visible", list)
    done = invoke(command, "--device", "cuda", *(["--results", str(tmp_path / "results")] if command == "run" else []))
    assert done.exit_code == 2
    assert "--device cuda: no GPU is visible" in done.stderr
    assert "--device cpu" in done.stderr
    assert not (tmp_path / "results").exists()


def test_every_mistake_in_a_specification_is_named_at_once(tmp_path: Path) -> None:
    path = spec_file(
        tmp_path,
        'fetures = 3\nbatch = 0\nhidden = [16, -1]\ndropout = 1.0\nprecision = "float16"\ncolour = 1\n'
        '[optimizer]\nkind = "sgd"\nlerning_rate = 0.1\nmomentum = 1.5\n',
    )
    refused(
        tmp_path,
        ["run", "--spec", path],
        "network.toml",
        "fetures: no such field; did you mean features?",
        "batch: Input should be greater than 0 (given: 0)",
        "hidden.1: Input should be greater than 0 (given: -1)",
        "dropout: Input should be less than 1 (given: 1.0)",
        "precision: Input should be 'float32', 'float64', 'tf32' or 'bfloat16'",
        "colour: no such field; fields are batch, optimizer",
        "optimizer.lerning_rate: no such field; did you mean learning_rate?",
        "optimizer.momentum: Input should be less than 1 (given: 1.5)",
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('model = ""', ["network.toml: model = ''", "no such model", "There are: cnn, mlp"]),
        ("model = 3", ["network.toml: model = 3", "no such model"]),
        ('model = "mpl"', ["network.toml: model = 'mpl'", "Did you mean mlp?"]),
        ("[optimizer]\nlearning_rate = 0.1", ["optimizer: write [optimizer] and kind = one of sgd, adam, adamw"]),
        ('optimizer = "adam"', ["optimizer: write [optimizer] and kind = one of sgd, adam, adamw", "'adam'"]),
    ],
)
def test_a_mistake_in_a_file_is_told_with_its_fix(tmp_path: Path, text: str, words: list[str]) -> None:
    refused(tmp_path, ["run", "--spec", spec_file(tmp_path, text)], *words)


def test_a_file_that_begins_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = spec_file(tmp_path, "\ufeffbatch = 16\n")
    assert invoke("list", "--framework", "numpy", "--spec", path).exit_code == 0


def test_a_specification_that_is_not_toml_is_refused(tmp_path: Path) -> None:
    refused(tmp_path, ["run", "--spec", spec_file(tmp_path, "batch = = 3")], "is not TOML", "toml.io")


def test_data_of_another_width_than_the_specification_is_refused(tmp_path: Path) -> None:
    path, data = spec_file(tmp_path, "features = 7\nclasses = 4\n"), save_npz(tmp_path / "mine.npz")
    refused(tmp_path, ["run", "--spec", path, "--data", data], "features", "mine.npz", "5", "7", "Set features = 5")


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (np.tile([0, 1, 2, 9], 10), ["classes", "labels outside [0, 4)", "Set classes = 10"]),
        (np.tile([0, 1, 2, -1], 10), ["y: 10 labels are negative", "-1 at index 3", "Number the classes from 0"]),
    ],
)
def test_labels_outside_the_classes_are_refused(tmp_path: Path, labels: np.ndarray, words: list[str]) -> None:
    path, data = spec_file(tmp_path, "features = 5\nclasses = 4\n"), save_npz(tmp_path / "mine.npz", y=labels)
    refused(tmp_path, ["run", "--spec", path, "--data", data], *words)


def broken_data(folder: Path, what: str) -> Path:
    path = folder / "mine.npz"
    match what:
        case "NaN":
            x = np.zeros((40, 5))
            x[7, 2] = np.nan
            return save_npz(path, x=x)
        case "truncated":
            save_npz(path)
            path.write_bytes(path.read_bytes()[:200])
        case "pickled file":
            path.write_bytes(pickle.dumps({"x": [1.0], "y": [0]}))
        case "pickled array":
            return save_npz(path, x=np.array([[1, "a"]] * 40, dtype=object))
        case "IDX folder without files":
            path = folder / "mnist"
            path.mkdir()
        case "corrupt IDX":
            path = folder / "mnist"
            path.mkdir()
            (path / "train-images-idx3-ubyte").write_bytes(b"<html>404</html>")
    return path


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("NaN", ["x: 1 of 200 values are NaN or infinite", "sample 7, feature 2", "Replace them"]),
        ("truncated", ["not a readable .npz", "numpy.savez"]),
        ("pickled file", ["not a readable .npz", "numpy.savez"]),
        ("pickled array", ["x: cannot be read, or holds Python objects", "numpy.savez"]),
        ("no such file", ["no such file or folder", ".npz"]),
        ("IDX folder without files", ["no train-images-idx3-ubyte", "four files"]),
        ("corrupt IDX", ["train-images-idx3-ubyte", "wrong magic number"]),
    ],
)
@pytest.mark.parametrize("command", ["run", "list"])
def test_unusable_data_is_refused_by_field_with_the_fix(
    tmp_path: Path, command: str, what: str, words: list[str]
) -> None:
    path = broken_data(tmp_path, what)
    if command == "run":
        return refused(tmp_path, ["run", "--data", path], f"--data {path}", *words)
    done = invoke("list", "--data", path)
    assert (done.exit_code, done.stdout) == (2, "")
    assert all(word in done.stderr for word in words)
    return None


@pytest.mark.parametrize("make", ["nothing", "folder", "records without a run"])
def test_report_refuses_what_is_not_a_results_folder_and_writes_nothing(tmp_path: Path, make: str) -> None:
    folder = tmp_path / "mine"
    if make != "nothing":
        folder.mkdir()
    if make == "records without a run":
        (folder / "records.jsonl").write_text("{}\n", encoding="utf-8")
    before = sorted(tmp_path.rglob("*"))
    done = invoke("report", folder)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "Error: " in done.stderr
    assert str(folder) in done.stderr
    assert sorted(tmp_path.rglob("*")) == before


def test_results_that_cannot_be_written_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    done = invoke("run", "--framework", "numpy", "--results", tmp_path / "file")
    assert done.exit_code == 2
    assert f"--results {tmp_path / 'file'}" in done.stderr
    assert (tmp_path / "file").read_text(encoding="utf-8") == "mine"


def test_a_report_where_something_else_stands_is_refused(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("mine", encoding="utf-8")
    example = str(ROOT / "results" / "example")
    done = invoke("report", "--runs", example, example, "--into", tmp_path / "taken")
    assert done.exit_code == 2
    assert done.stderr.startswith("Error: ")
    assert "taken: cannot be written (File exists)" in done.stderr
    assert (tmp_path / "taken").read_text(encoding="utf-8") == "mine"


def test_labels_with_gaps_are_refused(tmp_path: Path) -> None:
    data = save_npz(tmp_path / "mine.npz", y=np.tile([0, 1000, 2000, 9000], 10))
    refused(tmp_path, ["run", "--data", data], "mine.npz", "go up to 9000", "samples", "return_inverse=True")
