"""Networks made up at random, within what their specification allows, and what the kit says of each."""

from collections.abc import Iterator
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from implementations.equivalence import reach
from implementations.equivalence.kit import Kit
from implementations.equivalence.proof import Candidate
from implementations.equivalence.tolerances import Check
from tests.support.cases import takes_long


def whole(least: int, ordinary: int, most: int) -> st.SearchStrategy[int]:
    """From `least` to `most`. Hypothesis tries what it takes for simplest first, and often: that is to be an ordinary
    network, for a trivial one shows little.
    """
    return st.integers(least - ordinary, most - ordinary).map(lambda n: n + ordinary)


rates = st.one_of(st.sampled_from([0.5, 0.2, 0.9, 0.0]), st.floats(0, 0.9).map(lambda rate: round(rate, 3)))
learning_rates = st.sampled_from([1e-3, 1e-2, 0.1])
adam = st.fixed_dictionaries(
    {
        "kind": st.just("adam"),
        "learning_rate": learning_rates,
        "beta1": st.sampled_from([0.0, 0.5, 0.9]),
        "beta2": st.sampled_from([0.5, 0.99, 0.999]),
        "epsilon": st.sampled_from([1e-8, 1e-3]),
        "epsilon_form": st.sampled_from(["algorithm1", "hat"]),
    }
)
optimizers = st.one_of(
    st.tuples(adam, st.sampled_from([0.01, 0.5, 0.0])).map(
        lambda pair: pair[0] | {"kind": "adamw", "weight_decay": pair[1]}
    ),
    st.fixed_dictionaries({"kind": st.just("sgd"), "learning_rate": learning_rates, "momentum": rates}),
    adam,
)
settings_of_blocks = st.fixed_dictionaries(
    {
        "batch_norm": st.sampled_from([True, False]),
        "dropout": rates,
        "running_variance": st.sampled_from(["unbiased", "biased"]),
        "optimizer": optimizers,
    }
)
"""What all classifiers have."""

IN_TRAINING = "NaN in training"
"""A group of checks of the kit's."""


def tried(
    kit: Kit, implementation: str, preset: Any, networks: st.SearchStrategy[dict[str, Any]], precision: str, count: int
) -> Iterator[tuple[Any, list[Check]]]:
    """`count` of them, each from every start. The same in every run of the same code: Hypothesis draws on the constants
    of the modules that are loaded.
    """
    proofs: list[tuple[Any, list[Check]]] = []

    @settings(
        max_examples=count,
        derandomize=True,
        deadline=None,
        database=None,
        phases=(Phase.generate,),  # a smaller example would be compiled anew, and again
        suppress_health_check=list(HealthCheck),
    )
    @given(networks, st.integers(1, 1000))
    def try_one(network: dict, seed: int) -> None:
        spec = preset.changed(**network, precision=precision, seed=seed)
        starts = [*kit.starts(spec), *kit.stress_starts(spec)]
        candidate = kit.candidate(spec)
        checks = kit.steps(candidate, starts)
        if not spec.problem_with("train_step"):
            checks += not_a_number(kit, candidate, implementation)
        proofs.append((spec, checks))

    try_one()
    yield from proofs


def not_a_number(kit: Kit, candidate: Candidate, implementation: str) -> list[Check]:
    """In training without dropout: one that drops a lone unit would drop its NaN. Where that would be another network to compile for
    seconds, with dropout in predictions alone.
    """
    spec: Any = candidate.spec
    if spec.dropout and not takes_long(implementation):
        spec = spec.changed(dropout=0.0)
        candidate = kit.candidate(spec)
    checks = reach.not_a_number(candidate, kit.states, kit.starts(spec)[0])
    return [check for check in checks if not spec.dropout or check.group != IN_TRAINING]
