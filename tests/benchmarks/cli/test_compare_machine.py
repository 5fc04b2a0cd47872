"""Machine or code: what moved together between two runs is told apart from what moved alone, on records made up for it."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from benchmarks.records.record import COPY, PEAK, PRODUCTS, Cell, Record
from tests.support import synthetic
from tests.support.synthetic import cell
from tests.support.two_runs import NUMPY, TORCH, US_100, Folders, quiet, with_version

NAMES = ("numpy", "torch", "jax")


def run(
    factors: Mapping[str, float] | None = None,
    floors: float | Mapping[str, float] = 1.0,
    phases: Sequence[str] = (PRODUCTS, PEAK),
    names: Sequence[str] = NAMES,
    blocks: int = 6,
    noise: float = 0.004,
    **options: Any,
) -> list[Record]:
    """Frameworks with their floors; each takes its factor as long, and the floors theirs."""
    factors = dict.fromkeys(names, 1.0) | dict(factors or {})
    cells = [(cell(name, batch=batch), factors[name] * US_100) for name in names for batch in (32, 256)]
    of_floor = floors if isinstance(floors, Mapping) else dict.fromkeys(names, floors)
    beside = [(cell(name, phase), of_floor[name] * US_100) for name in names for phase in phases]
    times: list[Record] = [
        synthetic.timing(of, k, seconds, noise=0.004, ranked=False, flops_per_call=10**8)  # a rate beyond the cells'
        for of, seconds in beside
        for k in range(blocks)
    ]
    return [*synthetic.measured(cells, blocks, noise, **options), *times]


def all_by(factor: float, **others: float) -> dict[str, float]:
    return dict.fromkeys(NAMES, factor) | others


def verdicts(answer: Mapping[str, Any]) -> dict[str, str]:
    """By framework, of what counts."""
    return {row["id"].split("/")[1]: row["verdict"] for row in answer["cells"] if row["counts"]}


@pytest.mark.parametrize(("factor", "told"), [(2.0, "2.00x"), (1.2, "1.20x"), (0.5, "0.50x")])
def test_where_all_moved_and_matrix_products_too_it_was_the_machine(folders: Folders, factor: float, told: str) -> None:
    folders.save(run(), run(all_by(factor), floors=factor))
    answer = folders.found(code=6)
    assert answer["summary"].startswith(f"Everything moved by about {told} (")
    assert (
        ", matrix products too: the machine, not the code. No regression of B against A was found" in answer["summary"]
    )
    assert set(verdicts(answer).values()) == {"tied"}
    (change,) = answer["machine"]
    assert (change["device"], change["threads"], change["phases"]) == ("cpu", 2, [PRODUCTS, PEAK])
    assert change["comparison"]["ratio"]["value"] == pytest.approx(factor, rel=0.01)
    row = next(row for row in answer["cells"] if row["id"] == NUMPY.id)
    assert row["comparison"]["ratio"]["value"] == pytest.approx(factor, rel=0.01)
    assert row["without"]["ratio"]["value"] == pytest.approx(1, rel=0.01)


def test_another_code_is_not_acquitted(folders: Folders) -> None:
    """Floors run through the harness too: a commit that takes away a thread slows all of it."""
    folders.save(run(), run(all_by(2.0), floors=2.0, code={"commit": "def456", "dirty": False}))
    told = "too: the machine, or something in this code that all share (threads, the harness). No regression"
    assert told in folders.found(code=6)["summary"]


def test_what_is_slower_still_with_the_factor_taken_out_is_a_regression(folders: Folders) -> None:
    folders.save(run(), run(all_by(2.0, torch=2.4), floors=2.0))
    answer = folders.found(code=5)
    assert answer["summary"].startswith("Everything moved by about 2.00x (")
    assert (
        "matrix products too: the machine. The comparison of B with A fails (with that taken out): 2 slower"
        in answer["summary"]
    )
    assert verdicts(answer) == {"numpy": "tied", "torch": "slower", "jax": "tied"}
    text = folders.compare().stdout
    line = next(line for line in text.splitlines() if line.startswith("slower"))
    assert "1.20" in line
    assert "2.40" in line
    assert "measured" in text


@pytest.mark.parametrize(
    ("factors", "floors", "code", "slower"),
    [
        ({"torch": 1.2}, 1.0, 5, {"torch"}),
        (all_by(1.5), 1.0, 5, {"numpy", "torch", "jax"}),
        ({}, 2.0, 0, set()),
        ({}, 1.0, 0, set()),
        (all_by(2.0), {"numpy": 2.0, "torch": 1.0, "jax": 1.0}, 5, {"numpy", "torch", "jax"}),
        (all_by(0.5), 2.0, 0, set()),
        (all_by(8.0), 1.2, 5, {"numpy", "torch", "jax"}),
    ],
    ids=["one framework", "all, and no floor", "floors alone", "nothing", "one library's floor", "floors the other way", "much more than the floors"],
)  # fmt: skip
def test_what_did_not_move_together_is_not_the_machine(
    folders: Folders, factors: dict[str, float], floors: float | dict[str, float], code: int, slower: set[str]
) -> None:
    folders.save(run(), run(factors, floors))
    answer = folders.found(code=code)
    assert (answer["machine"], "machine" in answer["summary"]) == ([], False)
    assert {name for name, verdict in verdicts(answer).items() if verdict == "slower"} == slower


def test_a_slowdown_may_hide_in_a_machine_that_got_faster(folders: Folders) -> None:
    folders.save(run(), run(floors=0.9))
    answer = folders.found(code=0)
    assert 0.1 < answer["could_have_missed"]["slowdown"] < 0.13
    (warning,) = (text for text in answer["warnings"] if "floors" in text)
    assert warning.endswith("faster in B and the cells did not follow: a slowdown as large may hide in that.")
    folders.found("--need", "10%", code=3)
    folders.save(run(), run(all_by(0.9), floors=0.9))
    assert folders.found(code=6)["could_have_missed"]["slowdown"] < 0.05


def test_cells_too_noisy_to_say_whether_they_moved_do_not_bear_the_floors_out(folders: Folders) -> None:
    folders.save(run(noise=0.3), run(noise=0.3, floors=1.1))
    assert folders.found()["machine"] == []


def test_floors_of_a_framework_with_a_new_version_tell_nothing(folders: Folders) -> None:
    """NumPy's BLAS is slower: all of NumPy and its products with it."""
    only, slow = run(names=["numpy"]), run({"numpy": 2.0}, 2.0, names=["numpy"])
    folders.save(only, with_version(slow, "numpy", blas="another"))
    assert folders.found(code=5)["machine"] == []
    folders.save(only, slow)
    folders.found(code=6)


def test_a_new_version_is_held_against_those_that_stayed(folders: Folders) -> None:
    new = run(all_by(2.0, torch=2.4), floors={"numpy": 2.0, "torch": 3.0, "jax": 2.0})
    folders.save(run(), with_version(new, "torch", torch="2.14.0"))
    answer = folders.found(code=5)
    assert answer["machine"][0]["comparison"]["ratio"]["value"] == pytest.approx(2, rel=0.01)
    assert verdicts(answer) == {"numpy": "tied", "torch": "slower", "jax": "tied"}


@pytest.mark.parametrize(("code_of_b", "code"), [("abc123", 6), ("def456", 5)])
def test_without_floors_the_same_program_tells_unless_the_code_changed(
    folders: Folders, code_of_b: str, code: int
) -> None:
    folders.save(run(phases=()), run(all_by(2.0), phases=(), code={"commit": code_of_b, "dirty": False}))
    answer = folders.found(code=code)
    assert ("what has the same code and version too: the machine" in answer["summary"]) == (code == 6)
    assert any("No floor (matrix products, one large product) was timed" in text for text in answer["warnings"])


def test_a_copy_is_called_a_copy(folders: Folders) -> None:
    folders.save(run(phases=(COPY,)), run(all_by(2.0), floors=2.0, phases=(COPY,)))
    assert "large copies too: the machine" in folders.found(code=6)["summary"]


def test_floors_that_do_not_agree_widen_the_margin_of_what_is_left(folders: Folders) -> None:
    folders.save(run(), run(all_by(2.2), floors={"numpy": 1.8, "torch": 2.0, "jax": 2.2}))
    answer = folders.found(code=6)
    assert answer["machine"][0]["left"] == pytest.approx(0.1, abs=0.02)
    assert re.search(r"\(margin 3%, wider by (9|10|11)[.\d]*%, as far as the floors disagree\)", answer["summary"])
    assert answer["could_have_missed"]["slowdown"] > 0.1  # as much may be hidden in what was taken out


def test_a_gpu_may_change_alone(folders: Folders) -> None:
    def on_both(factor: float) -> list[Record]:
        cells: list[tuple[Cell, float]] = [(cell("torch"), US_100), (cell("torch", device="cuda:0"), factor * US_100)]
        floors = [(cell("torch", PEAK, device=of.who.device), seconds) for of, seconds in cells]
        return quiet(*cells) + [
            synthetic.timing(of, k, seconds, noise=0.004, ranked=False) for of, seconds in floors for k in range(6)
        ]

    folders.save(on_both(1.0), on_both(2.0))
    assert "Everything on cuda:0 with 2 threads moved by about 2.00x" in folders.found(code=6)["summary"]


def test_five_blocks_are_too_few_for_a_machine(folders: Folders) -> None:
    folders.save(run(), run(all_by(2.0), floors=2.0, blocks=5))
    assert folders.found(code=3)["machine"] == []


# Held against an implementation


def test_against_takes_out_what_that_implementation_moved_by(folders: Folders) -> None:
    folders.save(run(), run(all_by(2.0, torch=2.4), floors=1.0))
    assert verdicts(folders.found(code=5)) == dict.fromkeys(NAMES, "slower")
    answer = folders.found("--against", "numpy", code=5)
    assert (answer["against"], answer["machine"]) == ("numpy", [])
    assert "fails (each cell held against numpy): 2 slower" in answer["summary"]
    assert any(text.startswith("numpy itself is slower or faster in B in 2 of 2 cells") for text in answer["warnings"])
    assert verdicts(answer) == {"torch": "slower", "jax": "tied"}
    rows = {row["id"]: row for row in answer["cells"]}
    assert rows[cell("torch").id]["without"]["ratio"]["value"] == pytest.approx(1.2, rel=0.01)
    assert rows[NUMPY.id]["counts"] is False


def test_against_is_paired_within_a_block(folders: Folders) -> None:
    """Blocks that differ by much, all frameworks alike: the ratio of ratios does not know of it."""

    def drifting(factor: float) -> list[Record]:
        return [
            r.model_copy(update={"elapsed_s": [(1 + r.block) * s for s in r.elapsed_s]}) if r.kind == "timing" else r
            for r in run({"torch": factor})
        ]

    folders.save(drifting(1.0), drifting(1.2))
    assert set(verdicts(folders.found()).values()) == {"not settled"}
    assert verdicts(folders.found("--against", "numpy", code=5)) == {"torch": "slower", "jax": "tied"}


def test_a_cell_that_the_other_implementation_has_not_is_only_shown(folders: Folders) -> None:
    more = [(cell("torch", batch=7), US_100)]
    folders.save([*quiet((cell("torch"), US_100), *more)], [*quiet((cell("torch"), US_100), *more)])
    rows = folders.rows("--against", "numpy")
    assert (rows[more[0][0].id]["counts"], rows[more[0][0].id]["verdict"]) == (False, "not settled")
    assert "numpy has no such cell in both runs" in rows[more[0][0].id]["note"]
    assert rows[cell("torch").id]["verdict"] == "tied"


def test_a_missing_cell_of_the_other_implementation_still_fails(folders: Folders) -> None:
    extra = cell("numpy", batch=7)
    folders.save(quiet((cell("torch"), US_100), (extra, US_100)), quiet((cell("torch"), US_100)))
    assert folders.rows("--against", "numpy", code=5)[extra.id]["verdict"] == "missing"


@pytest.mark.parametrize("reference", ["torch", "numpy"])
def test_what_is_unequal_fails_whatever_it_is_held_against(folders: Folders, reference: str) -> None:
    """Whether the reference itself is unequal, or another cell that the reference has not."""
    extra = [] if reference == "torch" else [(cell("torch", batch=7), US_100)]
    before, after = ([*quiet((TORCH, US_100), *extra)] for _ in range(2))
    wrong = extra[0][0] if extra else TORCH
    folders.save(before, [*after, synthetic.proof(wrong, 3, error=5.0)])
    assert folders.rows("--against", reference, code=1)[wrong.id]["verdict"] == "unequal"


def test_against_what_a_run_does_not_have_is_refused_with_what_it_has(folders: Folders) -> None:
    folders.save(run(), run())
    done = folders.compare("--against", "cupy")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == f"Error: {folders.a} has no implementation cupy. It has numpy, torch and jax.\n"
