"""Which peers a network is planned with, and why others are left out."""

from benchmarks.plan import cells as plans
from benchmarks.plan.profiles import PROFILES
from benchmarks.plan.request import Request
from implementations import registry
from implementations.cnn.spec import CNNSpec
from implementations.rnn.spec import RNNSpec


def test_a_network_has_the_peers_that_stand_in_its_folder() -> None:
    plan = plans.plan({"cnn": CNNSpec()}, Request(PROFILES["peers"], threads=(2,)), ())
    there = {cell.who.framework for cell in plan.cells} & set(registry.PEERS)
    assert there == {"peer-torch", "peer-torch-compiled", "peer-keras-fit"}
    (absent,) = [entry for entry in plan.absent if entry.framework in registry.PEERS]
    assert (absent.framework, absent.reason) == ("scikit-learn", "scikit-learn has no network like the model cnn.")


def test_a_peer_that_would_be_another_one_again_is_left_out_with_the_reason() -> None:
    plan = plans.plan({"rnn": RNNSpec()}, Request(PROFILES["peers"], threads=(2,)), ())
    assert {cell.who.framework for cell in plan.cells} & set(registry.PEERS) == {"peer-torch", "peer-keras-fit"}
    reasons = {entry.framework: entry.reason for entry in plan.absent}
    assert reasons["peer-torch-compiled"].startswith("PyTorch by the book, compiled: torch.compile leaves")
