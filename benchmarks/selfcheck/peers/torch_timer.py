"""torch.utils.benchmark: `Timer.blocked_autorange`."""

from torch.utils.benchmark import Timer

from benchmarks.selfcheck import peers


def main() -> None:
    """Measure what the command line asks for."""
    arguments = peers.parse_arguments()
    options = {"min_run_time": arguments.seconds} if arguments.seconds else {}
    samples = {}
    for cell in arguments.cells:
        timer = Timer("call()", globals={"call": peers.call(cell)}, num_threads=1)
        samples[cell] = list(timer.blocked_autorange(**options).times)
    peers.answer(arguments.out, samples)


if __name__ == "__main__":
    main()
