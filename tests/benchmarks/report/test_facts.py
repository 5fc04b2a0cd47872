"""The machine in the line below the title, and how many blocks there are."""

from typing import Any

import pytest

from benchmarks.records import record
from benchmarks.report import facts
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


def test_a_run_that_was_cut_short_says_how_many_blocks_it_has() -> None:
    timed = measured([(cell("numpy"), 1e-4)], blocks=3)
    first, *others = timed
    assert isinstance(first, record.RunRecord)
    assert facts.blocks(report_text.gathered(timed)) == "3 blocks"
    short = report_text.gathered([first.model_copy(update={"blocks": 6}), *others])
    assert facts.blocks(short) == "3 of 6 blocks"
    ended = [record.BlockRecord(block=number, wall_s=10) for number in range(4)]
    assert facts.blocks(report_text.gathered([*timed, *ended])) == "4 blocks"


def test_of_several_networks_each_has_its_name() -> None:
    first, *others = measured([(cell("numpy"), 1e-4)])
    assert isinstance(first, record.RunRecord)
    (network,) = first.networks
    of_two = first.model_copy(
        update={
            "networks": [
                network.model_copy(update={"summary": "8-4"}),
                network.model_copy(update={"model": "cnn", "title": "CNN", "summary": "8x8x1-4"}),
            ]
        }
    )
    assert (
        report_text.document([of_two, *others]).subtitle
        == f"MLP 8-4; CNN 8x8x1-4; AMD EPYC 7B13, 2 cores, no GPU, {SAID}"
    )
