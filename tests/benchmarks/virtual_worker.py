"""The program of a worker on the virtual clock: `python -m tests.benchmarks.virtual_worker`."""

from benchmarks import environment


def main() -> None:
    """Ask to die with the run first of all: what is imported next takes a second, and many runs are killed meanwhile."""
    environment.die_with_parent()
    from tests.benchmarks import virtual

    virtual.work_off()


if __name__ == "__main__":
    main()
