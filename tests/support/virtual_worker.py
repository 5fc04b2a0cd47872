"""The program of a worker on the virtual clock: `python -m tests.support.virtual_worker`."""

from benchmarks import system


def main() -> None:
    """Ask to die with the run first of all: what is imported next takes a second, and many runs are killed meanwhile."""
    system.die_with_parent()
    from tests.support import virtual

    virtual.work_off()


if __name__ == "__main__":
    main()
