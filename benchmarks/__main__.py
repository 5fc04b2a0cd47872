"""`python -m benchmarks`."""

from benchmarks.cli.commands import program

if __name__ == "__main__":
    program()
