"""Imports what a worker imports, and ends: `python -m benchmarks.worker.probe torch mlp/plain mlp/tuned`.

What is missing or broken ends it with a traceback; nothing is built or computed. Begun by interpreters of which nothing is
known, so it must be readable to older ones.
"""

import faulthandler
import importlib
import signal
import sys
from typing import cast

OLDEST = (3, 11)
ADAPTER, COMPILE = "--adapter", "--compile"
"""In place of implementations: the adapter alone, or with it the compiler that tuned mode needs."""


def main(framework: str, *words: str) -> None:
    """The harness, the framework's adapter, and these implementations, each `MODEL/MODE`."""
    if sys.version_info < OLDEST:
        sys.exit("it is Python {}.{}, and {}.{} is needed".format(*sys.version_info[:2], *OLDEST))
    faulthandler.register(signal.SIGUSR1, all_threads=False)  # `protocol.WHERE`, as a worker does
    from benchmarks import system

    system.die_with_parent()
    worker = importlib.import_module("benchmarks.worker.__main__")
    importlib.import_module(worker.ENGINE)
    from implementations import registry
    from implementations.contract import ExtendedFramework

    adapter = registry.adapter(framework)
    for word in words:
        model, _, mode = word.partition("/")
        if mode:
            registry.model_class(model, framework, mode)
        elif word == COMPILE:
            cast(ExtendedFramework, adapter).try_compiler()


if __name__ == "__main__":
    main(*sys.argv[1:])
