"""`python -m tests.support.stalled_worker`: a worker on the virtual clock that is stalled while NumPy's calls per round are found."""

from benchmarks import system


def main() -> None:
    """The same as `virtual_worker`, with stalls in the first and the third block."""
    system.die_with_parent()
    from tests.support import virtual

    virtual.STALL = {0: 40.0, 2: 40.0}
    virtual.work_off()


if __name__ == "__main__":
    main()
