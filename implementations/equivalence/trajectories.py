"""Many steps in a row: in float64 side by side without correction, in float32 each step from where the last one ended."""

from collections.abc import Sequence

import numpy as np

from implementations.contract import Arrays, Oracle
from implementations.equivalence import generator, proof, rounding, tolerances
from implementations.equivalence.proof import Candidate
from implementations.equivalence.repetition import Start, samples_of
from implementations.equivalence.tolerances import Check

Batches = Sequence[Arrays]

TWINS = 3
"""Runs with rounding at random, each of them another one."""


def free_run(candidate: Candidate, oracle: Oracle, start: Start, batches: Batches, steps: int) -> list[Check]:
    """`steps` training steps side by side without correction (float64), and one Check per group at the end.

    The losses are compared at every step, the whole state at steps 1, 10, 100, ... and the last. There its masks are judged, too: a
    dropout that ended on the way is replayed like any other.
    """
    model, spec = candidate.model, candidate.spec
    model.load_state(start.state)
    oracle.load_state(start.state)
    on_device = [candidate.batch(batch) for batch in batches]
    checks: list[Check] = []
    for step in range(1, steps + 1):
        k = (step - 1) % len(batches)
        masks = candidate.masks_of_next_step(samples_of(batches[k]))
        actual = {"loss": np.asarray(candidate.to_host(model.train_step(on_device[k])))}
        expected = {"loss": np.asarray(oracle.repeat_step(batches[k], masks))}
        if step == steps or set(str(step)) <= {"0", "1"}:
            actual, expected = actual | model.state(), expected | oracle.state()
        checks += tolerances.drift(start.check, actual, expected, spec)
    return tolerances.worst_by_group([*checks, *masks_here(candidate, start.check, batches[0])])


def is_chaotic(candidate: Candidate, oracle: Oracle, start: Start, batches: Batches, steps: int) -> bool:
    """Whether in float64 rounding alone, at random, leads the oracle so far from itself that a free run says nothing.

    So it is with two samples in a batch: their normalised values are 1 and -1, and turn round where they are near each other.
    """
    noise = rounding.Noise(2 * tolerances.UNIT_ROUNDOFF["float64"], np.float64, seed=1)
    for _ in range(TWINS):
        twin = oracle.in_arithmetic(np.float64, rounding.arithmetic("float64", noise))
        oracle.load_state(start.state)
        twin.load_state(start.state)
        for step in range(steps):
            batch = batches[step % len(batches)]
            masks = candidate.model.draw_masks(samples_of(batch))
            for model in (oracle, twin):
                model.repeat_step(batch, masks)
        apart = tolerances.drift(start.check, twin.state(), oracle.state(), candidate.spec)
        if any(not check.error * tolerances.FACTOR <= check.budget for check in apart):
            return True
    return False


def diverges(candidate: Candidate, oracle: Oracle, state: Arrays, batches: Batches, steps: int) -> bool:
    """Whether one of some trainings of the oracle's, with masks of the candidate's, comes to numbers that float32 does not hold."""
    most = np.finfo(np.float32).max
    for _ in range(TWINS):
        oracle.load_state(state)
        for step in range(steps):
            batch = batches[step % len(batches)]
            with np.errstate(all="ignore"):
                oracle.repeat_step(batch, candidate.model.draw_masks(samples_of(batch)))
        if not all(np.max(np.abs(value), initial=0) < most for value in oracle.state().values()):
            return True
    return False


def restarted_run(candidate: Candidate, oracle: Oracle, start: Start, batches: Batches, steps: int) -> list[Check]:
    """The candidate trains on undisturbed; in every step the oracle begins where the candidate's last one ended.

    Whatever a model carries along beside its `state` shows here. Every step has its own budgets. In float32 a free run
    says nothing: the first ReLU that flips sends two correct runs apart.
    """
    candidate.model.load_state(start.state)
    checks = [
        check
        for step in range(steps)
        for check in next_step(candidate, oracle, start.check, batches[step % len(batches)])
    ]
    checks += masks_here(candidate, start.check, batches[0])
    flips = sum(int(check.error) for check in checks if check.group == proof.FLIPS)
    judged = tolerances.worst_by_group(check for check in checks if check.group != proof.FLIPS)
    return [*judged, Check(start.check, proof.FLIPS, f"in {steps} steps", flips, steps * tolerances.MOST_FLIPS)]


def masks_here(candidate: Candidate, name: str, batch: Arrays) -> list[Check]:
    """The masks of the next step from where the candidate stands."""
    samples = samples_of(batch)
    masks = candidate.masks_of_next_step(samples)
    return generator.mask_checks(name, masks, candidate.spec, samples, candidate.arithmetic)


def next_step(candidate: Candidate, oracle: Oracle, name: str, batch: Arrays) -> list[Check]:
    """One prediction and one step from where the candidate stands: nothing is loaded before."""
    model, on_device = candidate.model, candidate.batch(batch)
    here = _here(candidate, name, batch)
    masks = candidate.masks_of_next_step(here.samples)
    before, generator = model.state(), model.random_state()
    logits = np.asarray(candidate.to_host(model.predict(on_device)))
    loss = np.asarray(candidate.to_host(model.train_step(on_device)))
    said = proof.asker(candidate, on_device, before, generator)
    return proof.compare(candidate, oracle, here, proof.Observation(logits, loss, model.state(), masks, said))


def next_prediction(candidate: Candidate, oracle: Oracle, name: str, batch: Arrays) -> list[Check]:
    """One prediction from where the candidate stands: nothing is loaded before."""
    return proof.judge_prediction(candidate, oracle, _here(candidate, name, batch))


def _here(candidate: Candidate, name: str, batch: Arrays) -> Start:
    """The candidate's state as a start."""
    state = {n: np.asarray(v, np.float64) for n, v in candidate.model.state().items()}
    return Start(name, state, batch)


def two_runs(candidate: Candidate, start: Start, batches: Batches, steps: int) -> float:
    """The same training twice: the largest difference of any tensor relative to its size; 0 where all bits agree."""
    states = []
    generator = candidate.model.random_state()
    for _ in range(2):
        candidate.model.load_state(start.state)
        candidate.model.set_random_state(generator)
        for step in range(steps):
            candidate.model.train_step(candidate.batch(batches[step % len(batches)]))
        states.append(candidate.model.state())
    one, other = states
    return max(tolerances.relative_distance(name, one, other) for name in other)
