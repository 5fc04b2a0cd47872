"""The machine in the line below the title."""

from typing import Any

import pytest

from tests.support import report_text
from tests.support.synthetic import cell, measured

SAID = "2026-01-02, profile quick, 6 blocks."


@pytest.mark.parametrize(
    ("machine", "told"),
    [
        ({}, ""),
        ({"cpu": "Intel(R) Xeon(R)"}, "Intel(R) Xeon(R), "),
        ({"cpu": "AMD", "cores": 2, "gpus": []}, "AMD, 2 cores, no GPU, "),
        ({"cpu": "AMD", "gpus": [{"name": "NVIDIA A (Laptop)"}]}, "AMD, NVIDIA A (Laptop), "),
    ],
)
def test_the_machine_stands_below_the_title_as_it_is_called(machine: dict[str, Any], told: str) -> None:
    assert report_text.document(measured([(cell("numpy"), 1e-4)]), machine).subtitle == told + SAID
