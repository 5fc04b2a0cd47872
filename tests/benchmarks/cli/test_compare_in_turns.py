"""Two implementations of one run, which took turns: the same verdicts, the same exit codes, ratios paired round by round."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from benchmarks.analysis import comparability, ranking
from benchmarks.records import record
from benchmarks.records.record import Cell, Record
from tests.support import synthetic
from tests.support.command import invoke
from tests.support.synthetic import cell
from tests.support.two_runs import MACHINE, TORCH, US_100, controls, found, quiet, unequal, with_version

NEXT = cell("torch@next")


class Folder:
    """One results folder and the command on it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def save(self, records: Sequence[Record]) -> None:
        synthetic.save(self.path, records, MACHINE)

    def compare(self, *arguments: str) -> Result:
        return invoke("compare", self.path, *(arguments or ("torch", "torch@next")))

    def found(self, *options: str, code: int = 0) -> dict[str, Any]:
        return found(lambda *more: self.compare("torch", "torch@next", *options, *more), code)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "run")


def turns(factor: float, noise: float = 0.001, blocks: int = 6, drift: float = 0.0) -> list[Record]:
    """Blocks in which the whole machine is slower than in the one before, by `drift`."""
    records = quiet((TORCH, US_100), (NEXT, factor * US_100), blocks=blocks, noise=noise)
    return [
        item.model_copy(update={"elapsed_s": [(1 + drift) ** item.block * s for s in item.elapsed_s]})
        if item.kind == "timing"
        else item
        for item in records
    ]


@pytest.mark.parametrize(
    ("factor", "verdict", "code"),
    [(1.25, "slower", 5), (0.8, "faster", 0), (1.0, "tied", 0), (1.03, "not settled", 0)],
)
def test_verdicts_of_the_second_against_the_first(folder: Folder, factor: float, verdict: str, code: int) -> None:
    folder.save(turns(factor, noise=0.004))
    answer = folder.found(code=code)
    (row,) = answer["cells"]
    assert (row["id"], row["verdict"], row["counts"]) == (NEXT.id, verdict, True)
    assert row["comparison"]["ratio"]["value"] == pytest.approx(factor, rel=0.01)
    assert [answer["runs"][name]["implementation"] for name in "AB"] == ["torch", "torch@next"]
    assert answer["warnings"] == []


def test_the_order_of_the_names_says_which_was_before(folder: Folder) -> None:
    folder.save(turns(1.25))
    assert folder.compare("torch", "torch@next").exit_code == 5
    assert folder.compare("torch@next", "torch").exit_code == 0
    lines = folder.compare().stdout.splitlines()
    assert lines[0] == "The comparison of B with A fails: 1 slower (margin 3%)."
    assert [line.partition(",")[0] for line in lines if line[:2] in ("A:", "B:")] == [
        f"A: torch of {folder.path}", f"B: torch@next of {folder.path}",
    ]  # fmt: skip


def test_the_ratio_is_the_one_that_the_ranking_has(folder: Folder) -> None:
    folder.save(turns(1.05, drift=0.2))
    results = comparability.side("A", folder.path).results
    entries = {entry.id: entry for entry in results.entries}
    expected = ranking.compare(entries[NEXT.id], entries[TORCH.id])
    assert expected is not None
    comparison = folder.found(code=5)["cells"][0]["comparison"]
    assert comparison["ratio"] == {
        "value": expected.ratio.value, "low": expected.ratio.low, "high": expected.ratio.high, "blocks": 6,
    }  # fmt: skip
    assert expected.ratio.high / expected.ratio.low < 1.02  # blocks that differ by 20% each do not blur it


@pytest.mark.parametrize("names", [("torch", "torch@old"), ("jax", "torch@next")])
def test_a_name_that_the_run_does_not_have_is_refused_with_those_it_has(folder: Folder, names: tuple[str, str]) -> None:
    folder.save(turns(1.0))
    done = folder.compare(*names)
    missing = next(name for name in names if name in ("torch@old", "jax"))
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == (
        f"Error: {folder.path} has no implementation {missing}. It has numpy, torch and torch@next.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("torch", "torch"), "torch is named twice"),
        (("torch", "torch@next", "--against", "numpy"), "--anyway and --against are for two folders"),
        (("torch", "torch@next", "--anyway"), "--anyway and --against are for two folders"),
    ],
)
def test_what_makes_no_sense_within_a_run_is_refused(folder: Folder, arguments: tuple[str, ...], words: str) -> None:
    folder.save(turns(1.0))
    done = folder.compare(*arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


def test_one_block_cannot_tell(folder: Folder) -> None:
    folder.save(turns(2.0, blocks=1))
    assert folder.found(code=3)["summary"] == (
        "Whether B is slower than A could not be told, because a verdict needs 6 blocks: "
        "1 with fewer than 6 blocks (margin 3%)."
    )
    assert (
        "Could have missed any slowdown (mlp cpu t2 float32 plain train_step batch256 width128): 1 block there"
        in folder.compare().stdout
    )


@pytest.mark.parametrize(("need", "code"), [("20%", 0), ("5%", 3)])
def test_what_is_needed_must_not_have_been_missed(folder: Folder, need: str, code: int) -> None:
    folder.save(turns(1.0, noise=0.05))
    assert 0.05 < folder.found("--need", need, code=code)["could_have_missed"]["slowdown"] < 0.2


def test_the_margin_is_what_the_user_says(folder: Folder) -> None:
    folder.save(turns(1.1))
    assert folder.found(code=5)["cells"][0]["verdict"] == "slower"
    assert folder.found("--margin", "20%")["cells"][0]["verdict"] == "tied"


def without(records: Sequence[Record], of: Cell) -> list[Record]:
    return [item for item in records if item.kind != "timing" or item.cell != of]


def test_a_cell_that_the_second_could_not_run_is_missing(folder: Folder) -> None:
    failed = record.OutcomeRecord(cell=NEXT, block=0, status="failed", reason="out of memory")
    folder.save([*without(turns(1.0), NEXT), failed])
    (row,) = folder.found(code=5)["cells"]
    assert (row["id"], row["verdict"], row["note"]) == (NEXT.id, "missing", "B: out of memory")


def test_a_cell_that_the_second_computes_wrongly_is_unequal(folder: Folder) -> None:
    folder.save([*without(turns(1.0), NEXT), *(unequal(NEXT, block) for block in range(6))])
    assert folder.found(code=1)["cells"][0]["verdict"] == "unequal"
    folder.save([*turns(1.0), synthetic.proof(NEXT, 3, error=5.0)])
    assert folder.found(code=1)["cells"][0]["verdict"] == "unequal"
    assert folder.compare("torch@next", "torch").exit_code == 3  # it was not equal before either: nothing counts


def test_two_that_share_no_block_are_not_compared(folder: Folder) -> None:
    apart = [
        item
        for item in turns(1.0)
        if item.kind != "timing" or item.cell.who.framework == "numpy" or (item.block < 3) == (item.cell == TORCH)
    ]
    folder.save(apart)
    (row,) = folder.found(code=3)["cells"]
    assert (row["verdict"], row["comparison"]) == ("not settled", None)


def test_a_failed_null_control_fails_once(folder: Folder) -> None:
    folder.save([*synthetic.measured([(TORCH, US_100), (NEXT, US_100)], noise=0.001), *controls(TORCH, 1.2)])
    answer = folder.found(code=5)
    assert "1 failed null control" in answer["summary"]
    assert len(answer["failures"]) == 1


def test_the_versions_of_the_two_are_listed(folder: Folder) -> None:
    folder.save(with_version(turns(1.0), "torch@next", torch="2.14.0", cuda="13.0"))
    versions = [tuple(row.values()) for row in folder.found()["versions"]]
    assert ("torch@next", "torch", "2.13.0", "2.14.0") in versions
    assert ("torch@next", "cuda", None, "13.0") in versions


def test_two_frameworks_may_be_compared_as_well(folder: Folder) -> None:
    folder.save(turns(1.0))
    assert "1 tied" in folder.compare("numpy", "torch").stdout
