"""What the proof itself was found to notice, in a sentence of the section on equality."""

from typing import Any

from tests.support import report_text
from tests.support.synthetic import cell, measured

DETECTION: dict[str, Any] = {
    "same_code": True,
    "faults": {
        "Nesterov": {"numpy": {"float32": 3, "float64": 4}, "oracle": {"float64": 2}},
        "dampening": {"numpy": {"float32": 0, "float64": 0}},
    },
    "seeds": 2000,
    "false_alarms": 1,
}


def section(detection: dict[str, Any]) -> str:
    return report_text.section(measured([(cell("numpy"), 1e-4)], fault_detection=detection), "Are they equal?")


def test_what_was_planted_noticed_and_raised_in_vain_is_counted() -> None:
    text = section(DETECTION)
    assert "The proof was judged itself (of the same code): 2 of 3 planted faults were noticed" in text
    assert "2,000 seeds without one raised 1 false alarm." in text


def test_other_code_than_was_judged_is_said() -> None:
    text = section(DETECTION | {"same_code": False})
    assert "of older code" in text
    assert "of the same code" not in text


def test_a_network_whose_proof_was_not_judged_is_named() -> None:
    assert "not known yet" not in section(DETECTION | {"networks": ["mlp"]})
    assert "Of the MLP that is not known yet." in section(DETECTION | {"networks": ["cnn"]})


def test_without_a_judgement_it_says_how_to_get_one() -> None:
    text = section({})
    assert "make prove" in text
    assert "planted faults were noticed" not in text
