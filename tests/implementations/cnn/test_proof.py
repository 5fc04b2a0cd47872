"""The proof of a network with pools: choices that rounding decides are adopted, in coarse arithmetic and where nobody says them."""

from typing import Any

import numpy as np
import pytest

from implementations.cnn.cnn_numpy import CNN
from implementations.cnn.spec import CNNSpec
from implementations.equivalence import proof, tolerances
from implementations.equivalence.kit import Kit
from implementations.equivalence.repetition import Start
from implementations.frameworks import numpy_adapter
from implementations.initialisation import batches, hot_state, zeroed_slots
from tests.mutation.low_precision import emulated
from tests.support.cnn.cases import NETWORK, SMALL
from tests.support.cnn.small_models import SHAPES, small_spec

KIT = Kit("cnn", "numpy", numpy_adapter, "cpu")


def proved(model: Any, spec: Any, start: Start) -> tuple[list[str], int]:
    """What fails, but for what cannot be certified, and how many choices were adopted."""
    checks = KIT.steps(KIT.candidate(spec, model), [start])
    failed = [f"{c.group}: {c.tensor}" for c in checks if not c.passed and c.group != tolerances.CERTIFIABLE]
    return failed, sum(int(check.error) for check in checks if check.group == proof.FLIPS)


@pytest.mark.parametrize("precision", ["tf32", "bfloat16"])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_coarse_arithmetic_is_proved(shape: str, precision: str) -> None:
    spec = small_spec(**SHAPES[shape], batch=24, precision=precision)
    adopted = 0
    for start in KIT.starts(spec):
        failed, flips = proved(emulated(precision, CNN)(spec), spec, start)
        assert failed == []
        adopted += flips
    assert adopted or precision == "tf32"


def nearly_tied(spec: Any) -> Start:
    """In one window of the first image two places differ by less than rounding, and both are well above all others."""
    state, (batch,) = zeroed_slots(spec, hot_state(spec)), batches(spec, 1)
    state["conv1.weight"][...] = 0
    state["conv1.weight"][1, 1] = 1
    state["conv1.bias"][...] = 0.25
    batch["x"][0, :2, :2, 0] = [[2.0, 1.0], [1.0, 2.0 + 1e-9]]
    return Start("nearly tied", state, batch, fresh=True)


class Otherwise(CNN):
    """It chooses the other of two places of which the proof cannot tell which is larger."""

    def through(self, name: str, layer: Any, *inputs: Any) -> Any:
        """With the first place of the first window."""
        if not name.startswith("pool1"):
            return super().through(name, layer, *inputs)
        choice = layer.choice(*inputs)
        choice[0, 0, 0] = 0
        if self.passing is not None:
            self.passing[name] = choice
        return layer.forward_on(*inputs, choice)


class Silent(Otherwise):
    """It does not say what it chooses."""

    choices: Any = property()


@pytest.mark.parametrize("model_class", [Otherwise, Silent])
def test_the_other_of_two_equal_places_is_adopted(model_class: type[CNN]) -> None:
    """Asked, or found by search; the gradient of a kernel that sees other pixels there is another one."""
    spec = small_spec(image=(6, 6, 1), channels=(1,), hidden=(), dropout=0.0, batch_norm=False, precision="float32")
    start = nearly_tied(spec)
    assert proved(CNN(spec), spec, start)[0] == []
    assert proved(model_class(spec), spec, start) == ([], 1)


def test_another_place_than_one_of_the_largest_is_not_adopted() -> None:
    class Wrong(Otherwise):
        """The second place is much smaller."""

        def through(self, name: str, layer: Any, *inputs: Any) -> Any:
            """With the second place of the first window."""
            if not name.startswith("pool1"):
                return CNN.through(self, name, layer, *inputs)
            choice = layer.choice(*inputs)
            choice[0, 0, 0] = 1
            return layer.forward_on(*inputs, choice)

    spec = small_spec(image=(6, 6, 1), channels=(1,), hidden=(), dropout=0.0, batch_norm=False, precision="float32")
    assert proved(Wrong(spec), spec, nearly_tied(spec))[0]


def test_a_stopped_window_that_another_code_lets_pass_is_adopted() -> None:
    """The largest of a window is zero to within rounding: the other code's ReLU passes it, and its pool takes it."""
    spec = small_spec(image=(6, 6, 1), channels=(1,), hidden=(), dropout=0.0, batch_norm=False, precision="float32")
    start = nearly_tied(spec)
    start.batch["x"][0, :2, :2, 0] = [[-2.0, -1.0], [-1.0, -0.25 - 1e-9]]
    start.state["output.weight"][...] = np.abs(start.state["output.weight"])

    class Passing(CNN):
        """Its ReLU passes the last place of the first window."""

        def through(self, name: str, layer: Any, *inputs: Any) -> Any:
            """With this unit active."""
            if name != "relu1":
                return super().through(name, layer, *inputs)
            choice = layer.choice(*inputs)
            choice[0, 1, 1] = True
            if self.passing is not None:
                self.passing[name] = choice
            return layer.forward_on(*inputs, choice)

    failed, adopted = proved(Passing(spec), spec, start)
    assert failed == []
    assert adopted >= 1


def test_where_all_samples_have_come_to_be_alike_what_is_rounding_is_judged_by_its_terms() -> None:
    """Behind dead maps a batch norm sees one and the same number from every sample: its gamma's gradient is a sum of roundings."""
    spec = CNNSpec().changed(**SMALL | NETWORK["three blocks"])
    checks = KIT.steps(KIT.candidate(spec), KIT.stress_starts(spec, seed=60))
    assert "null tensors" in {check.group for check in checks}
    assert [check for check in checks if not check.passed] == []
