"""CuPy's tuned implementation without a GPU: its own kernels on the CPU, and under NVIDIA's compiler.

No line of it has run on a device here. Where there is one, the conformance tests run it there.
"""

import sys
import types
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import numpy as np
import pytest

from implementations import initialisation, mistakes, registry
from implementations.contract import Arrays, DeviceBatch
from implementations.equivalence.kit import Kit
from implementations.equivalence.oracle import oracle_of
from implementations.equivalence.tolerances import Check
from implementations.mlp import mlp_numpy
from implementations.mlp.spec import MLPSpec
from tests.support import ROOT, adapters
from tests.support.cupy import kernels_on_the_cpu, nvrtc
from tests.support.mlp import random_specifications
from tests.support.mlp.cases import CASES, IN_FULL, QUICK, SMALL

pytestmark = pytest.mark.long

needs_compiler = pytest.mark.skipif(not kernels_on_the_cpu.COMPILER, reason=kernels_on_the_cpu.WITHOUT_COMPILER)
needs_nvrtc = pytest.mark.skipif(not nvrtc.library(), reason=nvrtc.MISSING)


FOLDER = ROOT / "implementations"
FILES = PAGE, KERNELS, PRODUCTS = "mlp/mlp_cupy_tuned.py", "mlp/mlp_cupy_tuned.cu", "training/products_cupy.py"
PRODUCTS_MODULE = "implementations.training.products_cupy"


def planted(*edits: tuple[str, str]) -> types.ModuleType:
    """The tuned page with these changes in its text, in whichever of its files it stands."""
    texts = {name: (FOLDER / name).read_text(encoding="utf-8") for name in FILES}
    for old, new in edits:
        where = [name for name in FILES for _ in range(texts[name].count(old))]
        assert len(where) == 1, f"{where} hold what should be there exactly once:\n{old}"
        texts[where[0]] = texts[where[0]].replace(old, new)
    sys.modules[PRODUCTS_MODULE] = mistakes.module_of(PRODUCTS_MODULE, texts[PRODUCTS])
    page = mistakes.module_of("implementations.mlp.mlp_cupy_tuned", texts[PAGE])
    vars(page)["SOURCE"] = texts[KERNELS]
    return page


class TunedKit(Kit):
    """The kit on the tuned implementation, with these changes in its text, on the stand-in."""

    def __init__(self, *edits: tuple[str, str]) -> None:
        self.page = planted(*edits)
        self.states, self.device = registry.part("mlp", "extremes"), "cuda:0"
        self.shared = adapters.shared()
        self.model_class, self.oracle_class = self.page.TunedMLP, oracle_of(mlp_numpy.MLP)
        self.adapter: Any = types.SimpleNamespace(
            to_device=lambda array, device: kernels_on_the_cpu.array(array), to_host=np.array
        )

    def on_device(self, batch: Arrays) -> DeviceBatch:
        """A batch there, its real numbers in float32."""
        return {
            name: self.to_device(array.astype(np.float32) if array.dtype.kind == "f" else array)
            for name, array in batch.items()
        }

    def noticed(self, spec: MLPSpec, steps: int = 3) -> list[Check]:
        """What is wrong in steps from all starts, or in a few steps in a row."""
        made = self.candidate(spec)
        return failed(self.steps(made, self.starts(spec))) or failed(self.trajectory(made, steps))


MakeKit = Callable[..., TunedKit]


@pytest.fixture
def kit(monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeKit]:
    """Makes kits while `import cupy` gives the stand-in."""
    monkeypatch.setitem(sys.modules, "cupy", kernels_on_the_cpu.module())
    monkeypatch.setitem(sys.modules, PRODUCTS_MODULE, None)  # planted anew each time, and gone afterwards
    yield TunedKit
    kernels_on_the_cpu.Stream.capturing = False
    kernels_on_the_cpu.host().device_order(0)


def failed(checks: list[Check]) -> list[Check]:
    return [check for check in checks if not check.passed]


def spec(**changes: Any) -> MLPSpec:
    return MLPSpec().changed(**SMALL | changes)


# The kernels on the CPU


@needs_compiler
@pytest.mark.parametrize(
    ("case", "precision"), [*((case, "float32") for case in CASES), *((case, "float64") for case in QUICK[:2])]
)
def test_its_kernels_equal_the_oracle(kit: MakeKit, case: str, precision: str) -> None:
    asked, made = spec(**CASES[case], precision=precision), kit()
    extreme = made.stress_starts(asked) if case in QUICK else []
    assert not failed(made.steps(made.candidate(asked), [*made.starts(asked), *extreme]))


@needs_compiler
def test_in_tf32_it_is_as_coarse_as_named(kit: MakeKit) -> None:
    """cuBLAS is told to round the factors, and the page tells which ReLUs pass then."""
    asked, made = spec(batch=64, precision="tf32"), kit()
    checks = made.steps(made.candidate(asked), made.starts(asked))
    assert not failed(checks)
    assert "as coarse as named" in {check.group for check in checks}
    assert not failed(made.trajectory(made.candidate(asked), 3))
    finer = kit(('tf32=spec.precision == "tf32"', "tf32=False"))
    assert {check.group for check in failed(finer.steps(finer.candidate(asked), finer.starts(asked)))} == {
        "as coarse as named"
    }


@needs_compiler
def test_all_that_the_kit_asks(kit: MakeKit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Kit, "steps_of_life", 200)  # on the stand-in a step takes long
    asked, made = spec(**CASES[IN_FULL], precision="float32"), kit()
    candidate = made.candidate(asked)
    checks = [*made.beyond_a_step(candidate), *made.lifetime(candidate)]
    assert {"manners", "not a number", "generator", "after 200 calls"} <= {check.check for check in checks}
    assert not failed(checks)


@needs_compiler
def test_any_specification_is_proved(kit: MakeKit) -> None:
    for asked, checks in random_specifications.tried(kit(), "cupy", "float32", 2):
        assert not failed(checks), asked


@needs_compiler
def test_hundreds_of_steps_stay_with_the_oracle(kit: MakeKit) -> None:
    asked, made = spec(**CASES["adamw"], hidden=(9, 9), batch=9, precision="float64"), kit()
    assert not failed(made.trajectory(made.candidate(asked), 300))


@needs_compiler
def test_a_large_batch_and_an_odd_width(kit: MakeKit) -> None:
    """More rows than a block has threads, and more elements than a grid has."""
    asked, made = spec(hidden=(37, 261), batch=2051, dropout=0.3), kit()
    assert not failed(made.steps(made.candidate(asked), made.starts(asked)))


@needs_compiler
def test_one_sample_without_batch_norm(kit: MakeKit) -> None:
    assert not kit().noticed(spec(batch=1, batch_norm=False))


@needs_compiler
def test_threads_and_blocks_may_run_in_any_order(kit: MakeKit) -> None:
    assert len({trained(kit(), backwards) for backwards in (False, True)}) == 1
    unsynchronised = "    __syncthreads();\n    const Real joined", "    const Real joined"
    assert len({trained(kit(unsynchronised), backwards) for backwards in (False, True)}) == 2


def trained(made: TunedKit, backwards: bool) -> bytes:
    """All bits of the state after three steps."""
    kernels_on_the_cpu.host().device_order(int(backwards))
    asked = spec(**CASES["adamw"])
    model = made.model_class(asked)
    model.load_state(initialisation.hot_state(asked))
    for batch in initialisation.batches(asked, 3):
        model.train_step(made.on_device(batch))
    return b"".join(value.tobytes() for value in model.state().values())


ANSWERS = {
    0: (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8),
    2**32 - 1: (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD),
}
"""Salmon et al. publish them with their generator: counter and key of zeros, and of ones."""


@needs_compiler
@pytest.mark.parametrize("word", ANSWERS)
def test_the_generator_is_philox(kit: MakeKit, word: int) -> None:
    page = kit().page
    asking = """
extern "C" __global__ void answer(unsigned* out, unsigned word)
{
    const Words drawn = philox({{word, word, word, word}}, word, word);
    for (int k = 0; k < 4; k++) out[k] = drawn.word[k];
}
"""
    out = kernels_on_the_cpu.zeros(4, np.uint32)
    module = kernels_on_the_cpu.RawModule(page.SOURCE + asking, page.options(np.dtype(np.float32)))
    module.get_function("answer")((1,), (1,), (out, np.uint32(word)))
    assert tuple(out.tolist()) == ANSWERS[word]


# The graph


@needs_compiler
def test_a_step_is_a_graph_that_is_captured_once_for_each_batch_size(kit: MakeKit) -> None:
    asked, made = spec(), kit()
    model: Any = made.model_class(asked)
    model.load_state(initialisation.hot_state(asked))
    (batch,) = initialisation.batches(asked, 1)
    model._step = mock.Mock(wraps=model._step)
    for rows in (32, 32, 7, 32, 7):
        model.train_step(made.on_device({name: array[:rows] for name, array in batch.items()}))
    sizes = [len(call.args[0].x) for call in model._step.call_args_list]
    assert sizes == [32, 32, 7, 7], "once for nothing, once to capture"


@needs_compiler
def test_of_the_sizes_that_it_was_given_it_keeps_two(kit: MakeKit) -> None:
    made = kit()
    model: Any = made.model_class(spec())
    model.load_state(initialisation.hot_state(spec()))
    for rows in (32, 1, 7, 32, 9):
        model.predict(made.on_device({"x": np.ones((rows, spec().features))}))
    assert list(model.rooms) == [32, 9]


@needs_compiler
def test_a_step_draws_as_draw_masks_does(kit: MakeKit) -> None:
    """One draw each, whatever else a step or the capturing does."""
    asked, made = spec(), kit()
    model = made.model_class(asked)
    model.load_state(initialisation.hot_state(asked))
    (batch,) = initialisation.batches(asked, 1)
    draws = [int(model.random_state()[0])]
    for _ in range(3):
        model.train_step(made.on_device(batch))
        draws.append(int(model.random_state()[0]))
        model.draw_masks(32)
        draws.append(int(model.random_state()[0]))
    assert draws == list(range(7))


STALE_STEP = (
    ("double epsilon, int hat,", "double epsilon, int hat, double t,"),
    ("const double t = counters[0], correction1", "const double correction1"),
    ("hat, *constants", "hat, np.float64(int(counters[0])), *constants"),
)
WITHOUT_GRAPH = ("room.training.launch()", "self._step(room)")


@needs_compiler
def test_a_graph_repeats_what_was_captured_with_its_arguments_of_then(kit: MakeKit) -> None:
    """The optimizer's step as the host knows it: right from call to call, and stale in a graph."""
    asked = spec(optimizer={"kind": "adam"}, dropout=0.0)
    assert kit(*STALE_STEP, WITHOUT_GRAPH).noticed(asked) == []
    assert kit(*STALE_STEP).noticed(asked)


@needs_compiler
def test_arrays_do_nothing_while_a_graph_is_captured(kit: MakeKit) -> None:
    made = kit(("        self.backward(room)\n", "        self.backward(room)\n        self.gradient *= 1\n"))
    asked = spec()
    model = made.model_class(asked)
    (batch,) = initialisation.batches(asked, 1)
    with pytest.raises(kernels_on_the_cpu.Refused, match="while a graph is captured"):
        model.train_step(made.on_device(batch))


@needs_compiler
def test_writing_beyond_an_array_is_refused(kit: MakeKit) -> None:
    everyone = ("c < H) {\n        mean[c]", "c <= H) {\n        mean[c]")
    with pytest.raises(kernels_on_the_cpu.Refused, match="beyond an array"):
        kit(everyone).noticed(spec(hidden=(33,)))


@needs_compiler
@pytest.mark.parametrize(
    "edit",
    [
        ("self.rooms[batch].x[...] = x", "self.rooms[batch].x = x"),
        ("view[...] = cp.array(", "self.named[name] = self.w[name] = cp.array("),
    ],
    ids=["the batch's own address in the graph", "a state that is loaded to another place"],
)
def test_memory_that_was_given_back_is_refused(kit: MakeKit, edit: tuple[str, str]) -> None:
    with pytest.raises(kernels_on_the_cpu.Refused, match="no array"):
        kit(edit).noticed(spec())


@needs_compiler
@pytest.mark.parametrize(
    ("given", "message"),
    [("rows, columns", "int as an argument"), ("np.int64(rows), np.int32(columns)", "the kernel takes")],
)
def test_arguments_of_another_type_are_refused(kit: MakeKit, given: str, message: str) -> None:
    with pytest.raises(kernels_on_the_cpu.Refused, match=message):
        kit(("return np.int32(rows), np.int32(columns)", f"return {given}")).noticed(spec())


# Faults of its own: those that all pages may have are planted in the plain ones

MASK = "masks(b, c, threshold, scale, seed, layer, counters);\n        for (int k = 0; k < 4 && b + k < B; k++) {{\n            const size_t at = (size_t)(b + k) * H + c;\n            {}[at] ="
FAULTS: dict[str, tuple[dict[str, Any], tuple[tuple[str, str], ...]]] = {
    "what the warm-up moved is not put back": ({}, (("block[...] = value\n", "pass\n"),)),
    "masks of another layer than those that are shown": (
        {},
        ((MASK.format("h"), MASK.format("h").replace("layer,", "layer + 1,")),),
    ),
    "a group's last sample forgotten": (
        {"batch_norm": False},
        ((MASK.format("z"), MASK.format("z").replace("k < 4", "k < 3")),),
    ),
    "a transposed factor read as it stands": (
        {"features": 32, "classes": 32},
        (("else (1, matrix.shape[0])", "else (0, matrix.shape[0])"),),
    ),
    "one-pass variance": (
        {},
        (
            ("Real centred = z[(size_t)b * H + c] - center;", "Real centred = z[(size_t)b * H + c];"),
            ("over_rows(squares) / B, inverse", "over_rows(squares) / B - center * center, inverse"),
        ),
    ),
    "decay on biases": (CASES["adamw"], (("(i < kernels ? decay * w[i] : w[i])", "decay * w[i]"),)),
    "a last block of columns that is not whole": (
        {"hidden": (33, 33)},
        (("return (-(-array.shape[1] // COLUMNS),)", "return (array.shape[1] // COLUMNS,)"),),
    ),
    "a tree that forgets a branch": ({"batch": 33}, (("lane < half) part", "lane < half && lane + half < 32) part"),)),
}


@needs_compiler
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_noticed(kit: MakeKit, fault: str) -> None:
    changes, edits = FAULTS[fault]
    asked, made = spec(**changes), kit(*edits)
    assert made.noticed(asked) or failed(made.steps(made.candidate(asked), made.stress_starts(asked)))


# The kernels under NVIDIA's compiler

CUPYS = "--device-as-default-execution-space", "-ftz=true"
"""What CuPy tells the compiler besides."""


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """The tuned implementation, of which only the text of the kernels is asked."""
    monkeypatch.setitem(sys.modules, "cupy", types.ModuleType("cupy"))
    monkeypatch.setitem(sys.modules, PRODUCTS_MODULE, None)
    return planted()


@needs_nvrtc
@pytest.mark.parametrize("architecture", ["sm_80", "sm_90", "sm_100"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nvidias_compiler_takes_the_kernels(page: types.ModuleType, dtype: type, architecture: str) -> None:
    code = nvrtc.compiled(page.SOURCE, (*page.options(np.dtype(dtype)), *CUPYS, f"--gpu-architecture={architecture}"))
    names = kernels_on_the_cpu.KERNEL.findall(page.SOURCE)
    assert len(names) > 10
    assert all(name.encode() in code for name in names)


@needs_nvrtc
@pytest.mark.parametrize(("text", "wrong"), [("__syncthreads", "__syncthread"), ("Real mine", "Reel mine")])
def test_nvidias_compiler_rejects_what_is_wrong(page: types.ModuleType, text: str, wrong: str) -> None:
    options = *page.options(np.dtype(np.float32)), "--gpu-architecture=sm_80"
    assert text in page.SOURCE
    with pytest.raises(nvrtc.Rejected, match=wrong.split()[0]):
        nvrtc.compiled(page.SOURCE.replace(text, wrong), options)


def test_no_digits_are_given_up_for_speed(page: types.ModuleType) -> None:
    assert not [option for option in page.options(np.dtype(np.float32)) if "fast" in option]
