"""What a command line becomes before anything is started: the network, and what it trains on."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks.cli import prepare
from implementations.errors import BadInput
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


def test_all_networks_are_ours_the_first_one_first() -> None:
    assert list(prepared(model="all").networks) == ["mlp", "cnn", "rnn", "transformer"]


def test_the_profile_of_several_networks_gives_them_one_task() -> None:
    """The Transformer's own first preset is a text. What was asked for by name comes before the profile's."""
    made = prepared(model="all", profile="zoo").networks
    assert {network.dataset.describe()["name"] for network in made.values() if network.dataset} == {"digits"}
    assert len(made) == 4
    of_text = prepared(model="rnn,transformer", profile="zoo", spec="text").networks
    assert {str(network.dataset and network.dataset.describe()["name"])[:6] for network in of_text.values()} == {
        "pydoc "
    }


def test_a_preset_of_several_networks_is_one_that_each_of_them_has() -> None:
    with pytest.raises(BadInput, match="--spec text: no such preset or file; presets of the MLP are digits, mnist"):
        prepared(model="mlp,rnn", spec="text")


@pytest.mark.parametrize("given", ["spec", "data"])
def test_a_file_is_for_one_network(tmp_path: Path, given: str) -> None:
    path = spec_file(tmp_path, "hidden = [9]") if given == "spec" else str(save_npz(tmp_path / "mine.npz"))
    with pytest.raises(BadInput, match=f"--{given} .*is for one network|--{given} is for one network"):
        prepared(model="mlp,cnn", **{given: path})


def test_a_network_that_no_memory_holds_is_refused_before_it_starts(tmp_path: Path) -> None:
    for text in ("hidden = [10000000, 10000000]", "features = 1000000000000000000000"):
        made = prepared(spec=spec_file(tmp_path, text), load_data=False)
        with pytest.raises(
            BadInput, match=r"MLP, batch 128, width \d+: its parameters .* take [\d,]+ GiB; this machine has \d+"
        ):
            made.check_before_it_starts(lambda text: None)
