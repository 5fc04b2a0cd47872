"""Two nodes of two kinds, one command, one report."""

from benchmarks.records.record import TimingRecord
from tests.cluster.conftest import Sweeping, kind


def test_two_kinds_end_in_one_report(sweeping: Sweeping) -> None:
    old, new = (kind(name, f'slurm_constraint = "{name}"') for name in ("old", "new"))
    sweeping.ask(1, old, new)
    shown = sweeping.sweep("--dry-run")
    assert (shown.returncode, sweeping.folder.exists()) == (0, False)
    assert "old-1                would be submitted" in shown.stdout
    assert 'slurm_constraint = "new"' in shown.stdout

    ended = sweeping.sweep("--wait")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert [sweeping.state(run) for run in ("old-1", "new-1")] == ["done 1 of 1 blocks"] * 2
    assert [record.node for run in ("old-1", "new-1") for record in sweeping.blocks(run)] == ["n1", "n2"]
    assert any(isinstance(record, TimingRecord) for record in sweeping.records("new-1"))
    report = (sweeping.folder / "report.md").read_text()
    assert "| old-1 |" in report
    assert "| n2 |" in report

    again = sweeping.sweep()
    assert (again.returncode, again.stderr) == (0, "")  # nothing is submitted
