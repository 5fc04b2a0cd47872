"""When a worker looks for garbage: not while a framework is imported, and not again among what it has built."""

import gc
import weakref
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.worker import __main__ as worker
from benchmarks.worker.protocol import Job, Part, Task
from implementations import registry
from tests.support.synthetic import cell


@pytest.fixture(autouse=True)
def afterwards_all_is_looked_through() -> Iterator[None]:
    yield
    gc.enable()
    gc.unfreeze()


def job() -> Job:
    timed = cell("torch")
    return Job(tasks=[Task(who=timed.who, spec={}, dataset="")], parts=[Part(cells=[timed])], block=0, seed=1)


def test_an_import_is_not_interrupted_even_where_it_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    enabled: list[bool] = []

    def broken(name: str) -> None:
        enabled.append(gc.isenabled())
        raise ImportError(name)

    monkeypatch.setattr(registry, "adapter", broken)
    frozen = gc.get_freeze_count()
    channel: Any = None
    with pytest.raises(ImportError, match="torch"):
        worker._start(job(), [], channel)
    assert enabled == [False]
    assert gc.isenabled()
    assert gc.get_freeze_count() > frozen


def test_what_proofs_leave_is_collected_and_what_they_built_is_set_aside() -> None:
    class Thing:
        """Something that holds itself."""

        def __init__(self) -> None:
            self.itself = self

    kept, left = [], []

    def prove(*_: Any) -> None:
        kept.append(Thing())
        left.append(weakref.ref(Thing()))

    networks: Any = SimpleNamespace(of=lambda who: SimpleNamespace(prove=prove))
    channel: Any = SimpleNamespace(event=lambda *_, **__: None)
    gc.disable()
    frozen = gc.get_freeze_count()
    worker._prove_all(job(), networks, channel)
    assert [one() for one in left] == [None]
    assert gc.get_freeze_count() > frozen
    assert not any(one is kept[0] for one in gc.get_objects())
