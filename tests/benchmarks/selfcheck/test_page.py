from collections.abc import Sequence
from dataclasses import replace

from benchmarks.report import markdown
from benchmarks.selfcheck import load, page, units
from benchmarks.selfcheck.trials import Trial
from tests.support import synthetic_trials


def rendered(trials: Sequence[Trial]) -> str:
    return markdown.render(page.page(trials, {"cpu": "a processor"}, {"took": "12 min"}), {})


def test_the_page_says_what_was_done_and_what_came_out() -> None:
    text = rendered(synthetic_trials.sittings(8))
    assert "All 8 hold" in text
    assert "On no workload was another timer nearer the truth" in text
    for words in (*units.WORKLOADS.values(), load.DESCRIPTION, "a processor", "12 min"):
        assert markdown.escape(words) in text
    assert "Over all its 72 trials" in text
    assert "defaults" not in text


def test_losses_are_published() -> None:
    text = rendered(synthetic_trials.sittings(8, off=-0.04, peers_off=0.01))
    assert "DOES NOT HOLD" in text
    assert "- matrix: torch.utils.benchmark is nearer the truth (1.0% beside 4.0%)." in text


def test_tools_at_their_defaults_have_a_table_of_their_own() -> None:
    trials = list(synthetic_trials.sittings(3))
    by_default = [replace(t, by_default=True, seconds=40.0) for t in trials if t.method != "samenet"]
    text = rendered([*trials, *by_default])
    assert "The other timers at their defaults" in text
    assert "40.0 s" in text
