"""What a command line becomes before anything is started: the network, and what it trains on."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks.cli import prepare
from tests.support.command import NOT_GIVEN, save_npz


def prepared(**choice: Any) -> prepare.Prepared:
    return prepare.prepare(**NOT_GIVEN | {"frameworks": "numpy", "threads": "1", "profile": "smoke"} | choice)


def network(**choice: Any) -> prepare.PreparedNetwork:
    return prepared(**choice).networks["mlp"]


def spec_file(folder: Path, text: str) -> str:
    path = folder / "network.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_the_first_preset_trains_on_the_models_own_data() -> None:
    made = network()
    assert made.dataset is not None
    assert (made.dataset.describe()["name"], made.samples) == ("digits", 1437)
    assert network(load_data=False).samples == made.samples


@pytest.mark.parametrize("where", ["preset", "file"])
def test_a_network_that_the_default_data_does_not_fit_has_none(tmp_path: Path, where: str) -> None:
    made = network(spec="mnist" if where == "preset" else spec_file(tmp_path, "features = 32"))
    assert (made.dataset, made.samples) == (None, 0)
    assert {name: array.shape for name, array in made.arrays().items()} == {
        "x_train": (0, 784 if where == "preset" else 32), "y_train": (0,),
    }  # fmt: skip


def test_a_preset_takes_the_sizes_of_the_users_data(tmp_path: Path) -> None:
    made = network(data=str(save_npz(tmp_path / "mine.npz")))
    assert (made.spec.model_dump()["features"], made.spec.model_dump()["classes"]) == (5, 4)


def test_a_file_may_name_its_model(tmp_path: Path) -> None:
    assert list(prepared(spec=spec_file(tmp_path, 'model = "mlp"\nhidden = [9]')).networks) == ["mlp"]
