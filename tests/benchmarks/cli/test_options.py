"""Options as a Request: what is read of them, and that nothing is taken for something else than it says."""

import dataclasses
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import system
from benchmarks.cli import options
from benchmarks.cli.commands import main
from benchmarks.plan.profiles import PROFILES
from benchmarks.plan.request import Request
from implementations import registry
from implementations.errors import BadInput
from implementations.mlp.spec import MLPSpec
from tests.support.command import LISTS, NOT_GIVEN


def request(**choice: Any) -> Request:
    assert choice.keys() <= NOT_GIVEN.keys()
    return options.request({"mlp": MLPSpec()}, NOT_GIVEN | choice, own_spec="spec" in choice)


def test_an_option_that_was_not_given_leaves_everything_to_the_profile() -> None:
    assert request() == Request(PROFILES["quick"])


def test_the_options_are_those_of_the_command_line() -> None:
    parameters = {parameter.name: parameter.opts for parameter in main.commands["list"].params}
    assert parameters.keys() == NOT_GIVEN.keys() | {"as_json"}
    assert {name: parameters[name] for name in LISTS} == {name: [option] for name, option in LISTS.items()}


def test_every_option_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "usable_cores", lambda: 8)
    found = request(
        profile="smoke", frameworks="numpy, torch", devices="cpu,cuda:0", threads="1,all,8", phases="predict",
        precisions="float32,float64", modes="plain,tuned", variants="spec,stock", sets=("batch=32,256", "width=64"), keyword="batch32",
        spec="mnist", pythons=(f"torch={sys.executable}", f"torch@next={sys.executable}"),
    )  # fmt: skip
    assert found == Request(
        PROFILES["smoke"], ("numpy", "torch"), ("cpu", "cuda:0"), (1, 8), ("float32", "float64"), ("spec", "stock"),
        ("plain", "tuned"), ("predict",), {"batch": [32, 256], "width": [64]}, "batch32",
        {"torch": sys.executable, "torch@next": sys.executable}, own_spec=True,
    )  # fmt: skip


def test_an_interpreter_is_found_from_where_the_user_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers begin in the project's folder; and what an environment's interpreter links to is not in that environment."""
    (tmp_path / "python").symlink_to(sys.executable)
    monkeypatch.chdir(tmp_path)
    assert request(pythons=("torch=python",)).pythons == {"torch": str(tmp_path / "python")}


@pytest.mark.parametrize("text", ["numpy,torch,numpy", " numpy , torch ", ",numpy,,torch,"])
def test_a_list_has_each_word_once_whatever_stands_around_it(text: str) -> None:
    assert request(frameworks=text).frameworks == ("numpy", "torch")


@pytest.mark.parametrize(
    ("option", "text", "names"),
    [
        ("frameworks", "NumPy,pytorch,JAX,numpy", ("numpy", "torch", "jax")),
        ("frameworks", "Keras,sklearn", ("keras-tensorflow", "keras-torch", "keras-jax", "scikit-learn")),
        ("frameworks", "Keras-PyTorch,TORCH,mine", ("keras-torch", "torch", "mine")),
        ("precisions", "bf16,fp32,FP64", ("bfloat16", "float32", "float64")),
        ("precisions", "all", ("float32", "float64", "tf32", "bfloat16")),
        ("modes", "all", ("plain", "tuned")),
    ],
)
def test_what_people_call_it_is_understood(option: str, text: str, names: tuple[str, ...]) -> None:
    assert getattr(request(**{option: text}), option) == names


def test_all_frameworks_are_those_that_are_there() -> None:
    """None of them was asked for by name: what is not installed is a hole."""
    asked = request(frameworks="all,sklearn")
    assert (asked.frameworks, asked.profile.frameworks) == ((), (*registry.frameworks(), "scikit-learn"))
    assert asked.profile == dataclasses.replace(PROFILES["quick"], frameworks=asked.profile.frameworks)


@pytest.mark.parametrize("text", [",", " , ,", " ", ""])
@pytest.mark.parametrize("name", LISTS)
def test_a_list_that_names_nothing_does_not_mean_all(name: str, text: str) -> None:
    with pytest.raises(BadInput, match=rf"^{LISTS[name]} {text}: names nothing\..*leave it out"):
        request(**{name: text})


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        ({"sets": ("batch=8", "batch=16")}, "--set batch=...: given twice"),
        ({"pythons": (f"torch={sys.executable}",) * 2}, "--python torch=...: given twice"),
    ],
)
def test_what_is_given_twice_does_not_replace_the_first(choice: dict[str, Any], told: str) -> None:
    with pytest.raises(BadInput) as caught:
        request(**choice)
    assert str(caught.value).startswith(told)


@pytest.mark.parametrize(("budget", "wanted"), [("90s", 90), ("10m", 600), ("1h", 3600)])
def test_a_budget_is_a_time(budget: str, wanted: int) -> None:
    assert options.seconds(budget) == wanted


@pytest.mark.parametrize("budget", ["", "m", "10", "0m", "-5m", "1.5h", "10 m", "10d"])
def test_a_budget_that_is_no_time_is_refused(budget: str) -> None:
    with pytest.raises(BadInput, match=r"--budget .*: give a time, as in 90s, 10m or 1h"):
        options.seconds(budget)
