"""Progress on standard error: one line in a terminal, a line per block elsewhere, with the time that is left."""

import pytest

from benchmarks.cli import progress
from benchmarks.cli.progress import CLEAR, ProgressLine
from benchmarks.runner.progress import Place


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress, "monotonic", clock)
    return clock


def test_elsewhere_a_line_per_block_says_what_is_left(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    """Of the first, in which networks are trained, the others' time does not follow."""
    say = ProgressLine()
    for seconds, done, is_block in ((0, 0.0, True), (5, 0.1, False), (600, 0.25, True), (610, 0.5, True)):
        clock.now = seconds
        say(Place("here", done, is_block))
    say("a sentence")
    assert capsys.readouterr().err.splitlines() == [
        "here, 0:00 elapsed", "here, 10:00 elapsed", "here, 10:10 elapsed, about 0:20 left", "a sentence",
    ]  # fmt: skip


def test_what_a_worker_wrote_for_a_terminal_is_made_visible(capsys: pytest.CaptureFixture[str]) -> None:
    ProgressLine()("lost: \x1b[2Jboom\nwhat was kept is in results")
    assert capsys.readouterr().err == "lost: \\u001b[2Jboom\nwhat was kept is in results\n"


def test_a_run_that_goes_on_counts_from_where_it_began(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    say = ProgressLine()
    say(Place("here", 0.5, is_block=True))
    clock.now = 10
    say(Place("here", 0.75, is_block=True))
    assert capsys.readouterr().err.splitlines()[-1] == "here, 0:10 elapsed, about 0:10 left"


def test_in_a_terminal_one_line_is_written_over(
    clock: Clock, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    say = ProgressLine()
    say(Place("block 1/2  starting", 0.0, is_block=True))
    say(Place("block 1/2  group 1/1", 0.0))
    say("a sentence")
    said = capsys.readouterr().err
    assert said.startswith(f"{CLEAR}block 1/2  starting  0:00 elapsed{CLEAR}block 1/2  group 1/1  0:00 elapsed")
    assert said.endswith(f"{CLEAR}a sentence\n")
