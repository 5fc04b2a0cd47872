"""One process, one framework, nothing timed but its import: memory and energy of some training steps and a prediction.

`python -m benchmarks.worker.resource_worker` speaks with the runner as `benchmarks.worker` does, and is as light as it can be until
the framework is imported: NumPy, pytest and the rest of the harness come after that, and are in nobody's import time.
"""

import gc
import os
from collections.abc import Callable
from time import perf_counter

from benchmarks.records.record import InstalledRecord, StartRecord
from benchmarks.worker.protocol import Channel, Job, Says, begin
from implementations import precisions, registry
from implementations.contract import Framework


def main() -> None:
    """Size up the installation, wait for the turn, then import and measure."""
    channel, job, _ = begin()
    if code := in_a_copy(lambda: channel.send(installed(job.who.framework))):
        reason = f"the process that looked it up ended with {f'signal {-code}' if code < 0 else f'exit code {code}'}"
        channel.send(InstalledRecord(framework=job.who.framework, reason=reason))
    channel.ask(Says.READY)
    start = perf_counter()
    adapter = registry.adapter(job.who.framework)
    channel.send(StartRecord(who=job.who, import_s=perf_counter() - start))
    adapter.start(job.who.threads)
    precisions.enter(adapter, job.who.precision)
    gc.freeze()  # or else the framework's own objects, a million, are looked through again for each size
    measure(job, adapter, channel)
    channel.ask(Says.DONE)


def measure(job: Job, adapter: Framework, channel: Channel) -> None:
    """Memory and energy of every size, in the order of the job."""
    from benchmarks.worker.builder import Builder
    from benchmarks.worker.resources import Resources

    resources = Resources(Builder(job.tasks[0], adapter))
    for cell in job.cells[:1]:
        resources.memory(cell)  # what is loaded for the first model of all belongs to none
    for cell in job.cells:
        channel.send(resources.measure(cell))


def in_a_copy(work: Callable[[], None]) -> int:
    """Do this in a copy of the process, so that the names of thousands of files are not in the memory of this one.

    Returns the copy's exit code: 0 where all went well, the negative number of the signal that ended it.
    """
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = 1
    try:
        work()
        code = 0
    finally:
        os._exit(code)


def installed(framework: str) -> InstalledRecord:
    """Bytes on disk of the framework, or what went wrong."""
    from benchmarks.worker import installed_size
    from benchmarks.worker.not_counted import reason_of

    try:
        return installed_size.measure(framework, registry.distributions(framework))
    except Exception as problem:  # whatever the files of a distribution hold, a size is not worth a run
        return InstalledRecord(framework=framework, reason=reason_of(problem))


if __name__ == "__main__":
    main()
