"""How many processors this process may use."""

import os


def usable() -> int:
    """By its affinity where the system has one (Linux), else all there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
