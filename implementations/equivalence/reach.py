"""What reaches what: where a NaN must come out, and what a prediction must not depend on. Both the network's own, in its module `extremes`."""

from types import ModuleType

import numpy as np

from implementations.equivalence import tolerances
from implementations.equivalence.proof import Candidate
from implementations.equivalence.repetition import Start
from implementations.equivalence.tolerances import Check


def not_a_number(candidate: Candidate, states: ModuleType, start: Start) -> list[Check]:
    """NaN somewhere: NaN in the logits that it reaches alone, in the loss, and in trained parameters that had none."""
    model = candidate.model
    state, host, reached = states.poisoned(candidate.spec, start.state, start.batch)
    batch = candidate.batch(host)
    model.load_state(state)
    logits = np.asarray(candidate.to_host(model.predict(batch)))
    loss = np.asarray(candidate.to_host(model.train_step(batch)))
    tensors, after = candidate.spec.tensors(), model.state()
    trained = [
        name for name, tensor in tensors.items() if tensor.role == "parameter" and np.isfinite(state[name]).all()
    ]
    verdicts = {
        ("NaN comes out", "logits"): bool(np.isnan(logits[reached]).all() and np.isfinite(logits[~reached]).all()),
        ("NaN in training", "loss"): bool(np.isnan(loss)),
        ("NaN in training", "parameters"): any(np.isnan(after[name]).any() for name in trained),
    }
    return [tolerances.exact("not a number", *which, holds) for which, holds in verdicts.items()]


def not_looked_at(candidate: Candidate, states: ModuleType, start: Start) -> list[Check]:
    """With other inputs where some logits must not look: these the same, bit for bit, and others not; nothing where all see all."""
    found = states.not_looked_at(candidate.spec, start.batch) if hasattr(states, "not_looked_at") else None
    if found is None:
        return []
    other, same = found
    candidate.model.load_state(start.state)
    one, two = (
        np.asarray(candidate.to_host(candidate.model.predict(candidate.batch(batch)))) for batch in (start.batch, other)
    )
    blind, seen = bool((one[same] == two[same]).all()), bool((one[~same] != two[~same]).any())
    return [
        tolerances.exact("what comes later", "is not looked at", "logits", blind),
        tolerances.exact("what comes later", "is seen from there on", "logits", seen),
    ]
