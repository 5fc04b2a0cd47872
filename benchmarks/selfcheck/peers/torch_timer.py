"""torch.utils.benchmark: `Timer.blocked_autorange`."""

from torch.utils.benchmark import Timer

from benchmarks.selfcheck import peers


def main() -> None:
    """Measure what the command line asks for."""
    asked = peers.asked()
    options = {"min_run_time": asked.seconds} if asked.seconds else {}
    samples = {}
    for cell in asked.cells:
        timer = Timer("call()", globals={"call": peers.call(cell)}, num_threads=1)
        samples[cell] = list(timer.blocked_autorange(**options).times)
    asked.answer(samples)


if __name__ == "__main__":
    main()
