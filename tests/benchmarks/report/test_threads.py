"""Scaling over threads: speed-up against the fewest, with its interval."""

import re

from tests.support.report_text import page, section
from tests.support.synthetic import cell, measured


def test_speed_up_against_the_fewest() -> None:
    cells = [(cell("numpy", threads=threads), 1e-3 / threads) for threads in (1, 2, 4)]
    cells += [(cell("torch", threads=threads), 1e-3) for threads in (1, 4)]
    text = section(measured(cells, noise=0.002), "Scaling over threads")
    numpy = next(line for line in text.splitlines() if line.startswith("| NumPy"))
    torch = next(line for line in text.splitlines() if line.startswith("| PyTorch"))
    assert numpy.split(" | ")[1] == "1.00"
    assert numpy.split(" | ")[2].startswith(("1.99 (", "2.00 (", "2.01 ("))
    assert torch.split(" | ")[2] == "–"
    assert re.fullmatch(r"[\d.]+ \([\d.]+ to [\d.]+\)", numpy.split(" | ")[2])
    told = text.partition("With the most threads (95% interval; blocks): ")[2].partition("\n")[0]
    assert "PyTorch, float32 1.00" in told
    assert "NumPy, float32 3.9" in told or "NumPy, float32 4.0" in told


def test_one_number_of_threads_does_not_scale_and_screen_one_lists_what_would_say_it() -> None:
    timed = [[(cell("numpy", threads=threads), 1e-3) for threads in some] for some in ((1,), (1, 2))]
    one, two = map(page, map(measured, timed))
    assert "Scaling over threads" not in one
    assert "Scaling over threads" in two
    unsaid = "What more or fewer threads do: --threads 1,all."
    assert unsaid in one
    assert unsaid not in two
