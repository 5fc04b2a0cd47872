"""Side effects that a model must not have: remembering a batch, sharing arrays, changing what it was given.

Each of these faults leaves every number of a single step right, and makes the timings meaningless.
"""

from collections.abc import Callable

import numpy as np

from implementations.contract import Arrays, DeviceBatch, Model
from implementations.equivalence import tolerances
from implementations.equivalence.proof import Candidate
from implementations.equivalence.repetition import Start
from implementations.equivalence.tolerances import Check
from implementations.initialisation import stored

NAME = "manners"


def checks(candidate: Candidate, make: Callable[[], Model], start: Start) -> list[Check]:
    """All of them; `make` builds another model of the same specification."""
    every = [
        *_state_comes_back(candidate, start),
        _prediction_moves_nothing(candidate, start),
        *_results_stay(candidate, start),
        *_sees_what_is_there(candidate, start),
        *_models_are_apart(candidate, make, start),
    ]
    return tolerances.worst_by_group(every)


def _state_comes_back(candidate: Candidate, start: Start) -> list[Check]:
    """`state` returns what was loaded, with all digits. Both are copies: later changes of one do not reach the other."""
    unit, dtype = tolerances.UNIT_ROUNDOFF[tolerances.STORED[candidate.arithmetic]], np.dtype(candidate.spec.dtype)
    counters = {name for name, tensor in candidate.spec.tensors().items() if tensor.role == "counter"}
    full = {n: v if n in counters else (v * (1 + 1e-9)).astype(dtype) for n, v in start.state.items()}
    given = {name: _aligned(value) for name, value in full.items()}
    candidate.model.load_state(given)
    candidate.model.train_step(candidate.batch(start.batch))
    untouched = _same(given, full)
    batch = stored(candidate.spec, start.batch)
    handed_over = {name: _aligned(array) for name, array in batch.items()}
    on_device = {name: candidate.to_device(array) for name, array in handed_over.items()}
    candidate.model.load_state(given)
    for array in (*handed_over.values(), *given.values()):
        array += 1
    expected = {name: (value.astype(np.float64), np.abs(value.astype(np.float64)), 0.0) for name, value in full.items()}
    copied = all(np.array_equal(candidate.to_host(on_device[name]), array) for name, array in batch.items())
    return [
        *tolerances.elementwise(NAME, "state comes back", candidate.model.state(), expected, unit),
        tolerances.exact(NAME, "inputs untouched", "state", untouched),
        tolerances.exact(NAME, "what was handed over is copied", "batch", copied),
    ]


def _prediction_moves_nothing(candidate: Candidate, start: Start) -> Check:
    model = candidate.model
    model.load_state(start.state)
    state, masks = model.state(), candidate.masks_of_next_step(start.samples)
    model.predict(candidate.batch(start.batch))
    still = _same(model.state(), state) and _same(_copies(model.draw_masks(start.samples)), masks)
    return tolerances.exact(NAME, "prediction moves nothing", "state and generator", still)


def _results_stay(candidate: Candidate, start: Start) -> list[Check]:
    """A loss and logits that are held are the same after the next call."""
    model, to_host = candidate.model, candidate.to_host
    batch, other = candidate.batch(start.batch), candidate.batch(_with_other_inputs(candidate, start))
    held = {"loss": model.train_step(batch), "logits": model.predict(batch)}
    before = {name: np.array(to_host(value)) for name, value in held.items()}
    model.train_step(other)
    model.predict(other)
    return [
        tolerances.exact(NAME, "results stay", name, np.array_equal(before[name], to_host(value), equal_nan=True))
        for name, value in held.items()
    ]


def _sees_what_is_there(candidate: Candidate, start: Start) -> list[Check]:
    """Where a batch on the device can be written to: new numbers in the same arrays give new results."""
    model, to_host = candidate.model, candidate.to_host
    batch, new = candidate.batch(start.batch), candidate.batch(_with_other_inputs(candidate, start))
    generator = model.random_state()

    def results(batch: DeviceBatch) -> list[np.ndarray]:
        model.load_state(start.state)
        model.set_random_state(generator)
        return [np.array(to_host(model.predict(batch))), np.array(to_host(model.train_step(batch)))]

    results(batch)
    model.predict(batch)
    try:
        for name in _inputs(candidate):
            batch[name][...] = new[name]
    except (TypeError, ValueError):  # arrays of JAX and TensorFlow cannot be written to: nothing to be seen
        return []
    at_once = np.array_equal(to_host(model.predict(batch)), to_host(model.predict(new)))
    logits, loss = (np.array_equal(one, other) for one, other in zip(results(batch), results(new), strict=True))
    return [
        tolerances.exact(NAME, "sees what is there", "logits", at_once and logits),
        tolerances.exact(NAME, "sees what is there", "loss", loss),
    ]


def _models_are_apart(candidate: Candidate, make: Callable[[], Model], start: Start) -> list[Check]:
    """Two models share nothing, and draw the same masks from the same seed."""
    one = make()
    first_draw = _copies(one.draw_masks(start.samples))
    one.load_state(start.state)
    before = one.state()
    two = make()
    seeded = _same(_copies(two.draw_masks(start.samples)), first_draw)
    two.load_state({name: value * 2 for name, value in start.state.items()})
    two.train_step(candidate.batch(start.batch))
    return [
        tolerances.exact(NAME, "models are apart", "state", _same(one.state(), before)),
        tolerances.exact(NAME, "the generator is seeded", "first masks", seeded),
    ]


def _inputs(candidate: Candidate) -> list[str]:
    return [name for name, array in candidate.spec.arrays().items() if array.role == "input"]


def _with_other_inputs(candidate: Candidate, start: Start) -> Arrays:
    """The same targets, with the inputs of other samples; real numbers are halved."""
    inputs = {name: start.batch[name][::-1].copy() for name in _inputs(candidate)}
    return start.batch | {name: array if array.dtype.kind in "iu" else array * 0.5 for name, array in inputs.items()}


def _copies(arrays: Arrays) -> Arrays:
    return {name: np.array(value) for name, value in arrays.items()}


def _same(one: Arrays, other: Arrays) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


def _aligned(array: np.ndarray) -> np.ndarray:
    """A copy at an address at which a framework might go on using the memory that it is given."""
    room = np.empty(array.nbytes + 64, np.uint8)
    begin = -room.ctypes.data % 64
    aligned = room[begin : begin + array.nbytes].view(array.dtype).reshape(array.shape)
    aligned[...] = array
    return aligned
