"""How sure is that? What else the machine did while a block ran."""

from typing import Any

import pytest

from benchmarks.records import record
from tests.support import report_text
from tests.support.synthetic import cell, measured


def page(*stolen_s: float | None, **others: Any) -> str:
    """Of blocks of 10 s on two processors."""
    values = {"cores": 2, "throttled_s": 0.0, "context_switches": 7000, "clock_mhz": 2596.1} | others
    blocks = [
        record.BlockRecord(block=k, wall_s=10, interference=record.Interference(stolen_s=seconds, **values))
        for k, seconds in enumerate(stolen_s)
    ]
    return report_text.page([*measured([(cell("numpy"), 1e-4)]), *blocks])


def test_what_the_host_took_is_a_share_of_all_processors_time() -> None:
    text = page(0.2, 1.0, 0.0)
    assert "The host took at most 5.0% of the processors' time (block 1). No quota stopped the run." in text
    assert "| 1 | 1 | 1.40 to 1.40 | 5.0% | 0% | 7,000 | 2,596 MHz |".replace("1.40", "0.50") in text
    assert "| 5 | 1 | 0.90 to 0.90 | – | – | – | – |" in text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (page(0.0), "No host took processor time away, as far as the system counts it. No quota stopped the run."),
        (page(0.0, throttled_s=2.0), "A quota stopped the run in 1 block: its times are too long there."),
        (page(None, throttled_s=None), "or throttling, took time away was not recorded."),
        (page(), "or throttling, took time away was not recorded."),
    ],
)
def test_whether_the_machine_was_the_runs_alone_is_said(text: str, told: str) -> None:
    assert told in text
