"""What we say of the frameworks is true of the versions installed: every limit is shown by a program of its own."""

import ast
import json
import math
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from implementations import initialisation, limits, registry
from implementations.declarations import Limit
from implementations.equivalence.tolerances import Check
from implementations.limits import LIMITS, concerning
from implementations.mlp.spec import VARIANTS
from tests.support import ROOT, shared_process

NO_PROGRAMS = ("__init__", "test_limits")
PROGRAMS = [path for path in sorted(Path(__file__).parent.glob("*.py")) if path.stem not in NO_PROGRAMS]
ON_THE_CPU = {"CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu"}


def case(limit: Limit, framework: str) -> object:
    """Skipped with the reason where the framework is not there."""
    why = registry.missing(framework)
    if "torch.compile" in limit.statement:
        why = why or registry.mode_problem(framework, "tuned")
    marks = [pytest.mark.skip(reason=f"{framework}: {why}")] if why else []
    return pytest.param(limit, framework, id=f"{Path(limit.reproduction).stem}-{framework}", marks=marks)


CASES = [case(limit, framework) for limit in LIMITS for framework in limit.frameworks]
BACKENDS = {name for name in registry.FAMILIES if name.startswith("keras-")}
ON_ANY_BACKEND = [limit for limit in LIMITS if len(BACKENDS & set(limit.frameworks)) > 1]
"""Only their programs run on any of them."""

WITHOUT = [case(limit, framework) for limit in ON_ANY_BACKEND for framework in sorted(BACKENDS - set(limit.frameworks))]


BEFORE_IMPORT = {"keras-jax": "JAX_ENABLE_X64", "keras-tensorflow": "TF_ENABLE_ONEDNN_OPTS"}
"""What a program sets before it imports that framework: there it gets a process of its own."""

PACKAGE = dict.fromkeys(BACKENDS, "keras")

pytestmark = pytest.mark.long


def process_of(parameters: dict[str, Any]) -> str:
    """A framework."""
    return str(parameters.get("framework", ""))


@cache
def together(framework: str) -> list[Path]:
    """The programs that share a process which has imported it."""
    of_it = [
        limit
        for limit in LIMITS
        if framework in limit.frameworks or (framework in BACKENDS and limit in ON_ANY_BACKEND)
    ]
    programs = [ROOT / limit.reproduction for limit in of_it]
    before = BEFORE_IMPORT.get(framework)
    return [program for program in programs if not (before and before in program.read_text(encoding="utf-8"))]


def run(program: Path, framework: str) -> dict[str, Any]:
    """What it said, and how it ended, in a process that holds one framework."""
    backend = {"KERAS_BACKEND": framework.removeprefix("keras-")} if framework.startswith("keras-") else {}
    is_shared = program in together(framework)
    package, programs = (PACKAGE.get(framework, framework), together(framework)) if is_shared else ("os", [program])
    words = ["-m", "tests.support.limit_programs", package, *map(str, programs)]
    done = shared_process.python(*words, **ON_THE_CPU, **backend)
    answers = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    ended = next((answer for answer in answers if answer["program"] == str(program)), None)
    assert ended, f"{program} was not run to its end:\n{done.stderr[-2000:]}"
    return ended


def assert_shows(limit: Limit, framework: str, done: dict[str, Any]) -> None:
    assert "came: " in done["stdout"], f"{limit.reproduction} on {framework} broke off:\n{done['stderr'][-2000:]}"
    assert done["returncode"] == 0, (
        f"Good news: {framework}, as it is installed here, no longer has the limit {limit.name!r}:\n{done['stdout']}"
        f"Take {framework} out of it in implementations/limits.py (and the limit and {limit.reproduction} where it was "
        "the last), tell readers in CHANGELOG.md, and see whether our file can do without its way round."
    )


@pytest.mark.parametrize(("limit", "framework"), CASES)
def test_the_fault_still_shows(limit: Limit, framework: str) -> None:
    assert_shows(limit, framework, run(ROOT / limit.reproduction, framework))


@pytest.mark.parametrize(("limit", "framework"), WITHOUT)
def test_a_backend_that_is_not_named_does_not_have_it(limit: Limit, framework: str) -> None:
    done = run(ROOT / limit.reproduction, framework)
    assert "came: " in done["stdout"], done["stderr"][-2000:]
    assert done["returncode"] == 1, f"{framework} has it too: name it in implementations/limits.py"


@pytest.mark.parametrize(
    ("code", "message"),
    [("print('came: 0.1'); raise SystemExit(1)", "Good news: numpy"), ("raise ImportError('oh')", "broke off")],
    ids=["gone", "broken"],
)
def test_a_fault_that_is_gone_is_told_from_a_program_that_is_broken(tmp_path: Path, code: str, message: str) -> None:
    program = tmp_path / "program.py"
    program.write_text(code, encoding="utf-8")
    with pytest.raises(AssertionError, match=message):
        assert_shows(concerning(["numpy"])[0], "numpy", run(program, "numpy"))


def test_every_program_has_its_limit_and_every_limit_its_program() -> None:
    assert sorted(limit.reproduction for limit in LIMITS) == [path.relative_to(ROOT).as_posix() for path in PROGRAMS]


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_a_program_is_short_and_has_nothing_of_ours(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    imports = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {alias.name for node in imports if isinstance(node, ast.Import) for alias in node.names}
    assert len(names) == len(imports), "an import of a part of something"
    assert names <= {"os", "numpy", "keras", "torch", "tensorflow", "jax"}
    assert len(text.splitlines()) <= 30


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: Path(limit.reproduction).stem)
def test_a_limit_speaks_of_frameworks_and_variants_that_there_are(limit: Limit) -> None:
    for framework in limit.frameworks:
        assert framework in registry.FAMILIES
        there = {"spec", *(variant.name for variant in VARIANTS if framework in variant.frameworks)}
        assert set(limit.variants) <= there
    assert not limit.starts or limit.variants


def test_limits_are_found_by_framework() -> None:
    variance = next(limit for limit in LIMITS if limit.starts)
    assert variance.variants == ("stock",)
    assert variance in concerning(["keras-torch@next"])
    assert variance in concerning(["numpy", "keras-torch"])
    assert variance not in concerning(["numpy", "keras-jax"])
    assert not concerning(["cupy"])


def test_a_limit_knows_the_start_of_every_network_from_which_it_shows() -> None:
    variance = next(limit for limit in LIMITS if limit.starts)
    networks = {"mlp": ("features far from zero", "small features"), "cnn": ("images far from zero", "small images")}
    for model, start in [(model, start) for model, starts in networks.items() for start in starts]:
        spec = registry.part(model, "spec").Spec(running_variance="biased")
        batch, state = initialisation.batches(spec, 1)[0], initialisation.hot_state(spec)
        assert start in registry.part(model, "extremes").extremes(spec, state, state, batch)
        assert variance.explains(
            "plain", spec.model_dump(), Check(start, "statistics", "norm1.running_variance", 0.03, 0)
        )
    with_batch_norm = [name for name in registry.OURS if "batch_norm" in registry.part(name, "spec").Spec.model_fields]
    assert set(networks) == set(with_batch_norm)
    assert sorted(variance.starts) == sorted(start for starts in networks.values() for start in starts)


def test_a_limit_explains_nothing_in_a_mode_or_under_settings_where_it_is_not_so() -> None:
    fused = next(limit for limit in LIMITS if limit.name == "NaN lost in a fused ReLU")
    lost, loss = (Check("not a number", group, "logits", 1, 0) for group in ("NaN comes out", "loss"))
    assert fused.explains("plain", {"batch_norm": False}, lost)
    assert not fused.explains("tuned", {"batch_norm": False}, lost)
    assert not fused.explains("plain", {"batch_norm": True}, lost)
    assert not fused.explains("plain", {"batch_norm": False}, loss)


@pytest.mark.parametrize("model", ["rnn", "transformer"])
def test_every_network_of_tokens_in_stock_keras_has_the_limit_of_an_embedding(model: str) -> None:
    spec = registry.part(model, "spec").Spec.preset("text").variant("stock").model_dump()
    check = Check("hot state", "slots", "v:embedding.weight", 0.06, 2e-6)
    limit = limits.explaining("keras-tensorflow", "plain", spec, check)
    assert limit
    assert limit.name == (
        "norm of an embedding's pieces" if spec.get("clip_norm") else "squares of an embedding's pieces"
    )


def test_a_limit_of_the_max_pool_explains_nothing_in_a_network_without_one() -> None:
    (pool,) = (limit for limit in concerning(["jax"]) if limit.name == "NaN lost in a max pool")
    lost, in_training = (Check("not a number", group, "logits", 1, 0) for group in ("NaN comes out", "NaN in training"))
    assert pool.explains("plain", {"channels": (3,)}, lost)
    assert not pool.explains("plain", {"channels": (3,)}, in_training)
    assert not pool.explains("plain", {"channels": ()}, lost)
    assert not pool.explains("plain", {"hidden": (3,)}, lost)


STOCK = {"epsilon_form": "hat"}


@pytest.mark.parametrize(
    ("name", "tensor", "spec", "explained"),
    [
        ("squares", "v:embedding.weight", {"vocabulary": 5, "clip_norm": 0.0, "optimizer": STOCK}, True),
        (
            "squares",
            "v:embedding.weight",
            {"vocabulary": 5, "optimizer": STOCK},
            True,
        ),  # as a network without clipping has it
        ("norm", "v:embedding.weight", {"vocabulary": 5, "optimizer": STOCK}, False),
        ("squares", "v:output.weight", {"vocabulary": 5, "clip_norm": 0.0, "optimizer": STOCK}, False),
        ("squares", "v:embedding.weight", {"vocabulary": 0, "clip_norm": 0.0, "optimizer": STOCK}, False),
        ("squares", "v:embedding.weight", {"vocabulary": 5, "clip_norm": 1.0, "optimizer": STOCK}, False),
        ("squares", "v:embedding.weight", {"vocabulary": 5, "clip_norm": 0.0, "optimizer": {"kind": "sgd"}}, False),
        ("norm", "v:output.weight", {"vocabulary": 5, "clip_norm": 1.0, "optimizer": STOCK}, True),
        ("norm", "v:output.weight", {"vocabulary": 0, "clip_norm": 1.0, "optimizer": STOCK}, False),
        ("norm", "v:output.weight", {"vocabulary": 5, "clip_norm": 0.0, "optimizer": STOCK}, False),
        ("norm", "v:output.weight", {"vocabulary": 5, "clip_norm": 1.0, "optimizer": {"kind": "sgd"}}, False),
    ],
)
def test_a_limit_of_the_embedding_explains_what_it_reaches(
    name: str, tensor: str, spec: dict[str, Any], explained: bool
) -> None:
    (limit,) = (limit for limit in LIMITS if limit.name == f"{name} of an embedding's pieces")
    assert limit.explains("plain", spec, Check("zeroed slots", "gradients", tensor, 0.5, 1e-5)) is explained
    followed = Check("zeroed slots", "parameters from slots", "embedding.weight", 0.5, 1e-5)
    assert not limit.explains("plain", spec, followed)
    assert not limit.explains("plain", spec, Check("zeroed slots", "loss", "loss", 0.5, 1e-5))


def test_a_limit_explains_no_larger_error_than_its_own() -> None:
    adam = next(limit for limit in LIMITS if limit.name.startswith("Adam"))
    spec = {"optimizer": {"epsilon_form": "hat"}}
    small, large, none = (Check("hot state", "parameters", "w", error, 1e-7) for error in (7e-6, 1e-2, math.nan))
    assert adam.explains("plain", spec, small)
    assert not adam.explains("plain", spec, large)
    assert not adam.explains("plain", spec, none)


def test_a_limit_of_a_layer_concerns_the_networks_that_have_it() -> None:
    layers_of = {model: {step.layer for step in registry.part(model, "steps").STEPS} - {""} for model in registry.OURS}
    (pool,) = (limit for limit in concerning(["jax"]) if limit.name == "NaN lost in a max pool")
    assert pool in concerning(["jax"], layers_of["cnn"])
    assert pool not in concerning(["jax"], layers_of["mlp"])
    assert {limit.layer for limit in LIMITS} - {""} <= set.union(*layers_of.values())
    assert set(concerning(["numpy"], ())) == set(concerning(["numpy"]))  # none of NumPy's is of a layer


def test_a_limit_that_shows_from_one_start_alone_explains_nothing_from_another() -> None:
    off = Check("large scores", "gradients", "m:attention4.value", 0.1, 1e-5)
    spec = registry.part("transformer", "spec").Spec().model_dump()
    limit = limits.explaining("torch", "plain", spec, off)
    assert limit
    assert limit.starts == ("large scores",)
    others = (replace(off, check="hot state"), replace(off, tensor="m:attention4.query"), replace(off, group="logits"))
    for other in others:
        assert limits.explaining("torch", "plain", spec, other) is None
