"""Training on real data: what each epoch says, the same in every framework, and what cannot be trained on."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from implementations import data, metrics
from implementations.errors import BadInput, Unavailable
from implementations.mlp.spec import MLPSpec
from implementations.train import Samples, train

EXACT = MLPSpec(hidden=(24,), dropout=0.0, precision="float64")


def test_a_network_learns_the_digits() -> None:
    epochs = list(train("mlp", "numpy", spec=MLPSpec(hidden=(32,)), epochs=4))
    assert [epoch.number for epoch in epochs] == [1, 2, 3, 4]
    assert epochs[-1].metric > 0.9
    assert epochs[-1].loss < epochs[0].loss
    test = data.digits()
    assert epochs[-1].metric == metrics.accuracy(epochs[-1].logits, {"y": test.y_test})


def test_every_framework_trains_on_the_same_batches() -> None:
    runs = [list(train("mlp", framework, spec=EXACT, epochs=2)) for framework in ("numpy", "torch")]
    for one, other in zip(*runs, strict=True):
        assert one.metric == other.metric
        assert abs(one.loss - other.loss) < 1e-9
        assert np.abs(one.logits - other.logits).max() < 1e-8


def test_without_a_specification_it_is_the_models_first_on_its_own_data() -> None:
    (epoch,) = train("mlp", "numpy", epochs=1)
    assert epoch.logits.shape == (360, 10)


def test_a_preset_is_named() -> None:
    (epoch,) = train("transformer", "numpy", spec="digits", epochs=1)
    assert epoch.logits.shape == (360, 10)
    with pytest.raises(BadInput, match="no such preset or file; presets of the Transformer are text"):
        next(train("transformer", "numpy", spec="nosuch"))


def test_data_that_does_not_fit_is_refused() -> None:
    with pytest.raises(BadInput, match="Set features = 64"):
        next(train("mlp", "numpy", spec=MLPSpec(features=9)))
    with pytest.raises(BadInput, match="batch: 2000 is more than the 1437"):
        next(train("mlp", "numpy", spec=MLPSpec(batch=2000)))


def test_a_peer_is_not_trained_here() -> None:
    with pytest.raises(
        BadInput,
        match=r"framework: peer-torch stands beside what is timed, and is not trained here\. There are: numpy, ",
    ):
        next(train("mlp", "peer-torch"))


def samples(count: int, **arrays: Any) -> Samples:
    made = {
        "x_train": np.arange(count)[:, None],
        "y_train": np.arange(count),
        "x_test": np.zeros((2, 1)),
        "y_test": np.zeros(2),
    }
    return Samples(made | arrays, seed=3, to_device=lambda batch: dict(batch))


def test_an_epoch_is_every_sample_at_most_once_in_whole_batches() -> None:
    batches = list(samples(10).batches(4, number=1))
    assert [len(batch["y"]) for batch in batches] == [4, 4]
    assert all(np.array_equal(batch["x"][:, 0], batch["y"]) for batch in batches)
    taken = np.concatenate([np.asarray(batch["y"]) for batch in batches])
    assert len(set(taken)) == 8


def test_the_order_is_anew_for_every_number_and_the_same_for_the_same() -> None:
    def order(number: int) -> list[int]:
        return [int(y) for batch in samples(10).batches(5, number) for y in batch["y"]]

    assert order(1) == order(1)
    assert order(1) != order(2)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"mode": "fast"}, "mode: numpy has no mode 'fast'"),
        ({"epochs": 0}, "epochs: 0 is no whole number"),
        ({"device": "cuda:0"}, "numpy cannot use cuda:0; it sees cpu"),
        ({"framework": "numpi"}, "numpi"),
    ],
)
def test_what_there_is_not_is_an_error_with_a_name(words: dict[str, Any], told: str) -> None:
    with pytest.raises((BadInput, Unavailable)) as caught:
        next(train(**{"model": "mlp", "framework": "numpy"} | words))
    assert told in str(caught.value)


def test_a_wrong_word_is_told_before_data_is_read() -> None:
    with pytest.raises(BadInput, match="Did you mean numpy"):
        next(train("mlp", "numpi", dataset="nowhere.npz"))


def test_an_epoch_says_its_metric_in_words() -> None:
    (epoch,) = train("mlp", "numpy", spec=MLPSpec(hidden=(8,)), epochs=1)
    assert epoch.score == f"accuracy {epoch.metric:.1%}"


def test_a_preset_is_fitted_to_a_file_of_data_and_a_specification_is_not(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "my.npz", x=rng.normal(size=(200, 5)), y=np.tile(np.arange(4), 50))
    (epoch,) = train("mlp", "numpy", dataset=tmp_path / "my.npz", epochs=1)
    assert epoch.logits.shape[1] == 4
    (tmp_path / "my.toml").write_text("hidden = [8]\n", encoding="utf-8")
    for spec in (MLPSpec(hidden=(8,)), str(tmp_path / "my.toml")):
        with pytest.raises(BadInput, match="Set features = 5"):
            next(train("mlp", "numpy", spec=spec, dataset=tmp_path / "my.npz"))
