"""What the command refuses, before anything is submitted or written."""

import json
from collections.abc import Sequence

import pytest

from tests.benchmarks.sweep.conftest import FILE, Typed
from tests.support import command


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("run = [", ["is not TOML"]),
        ("run = []", ["is no sweep", "kinds: Field required"]),
        ("[kinds]", ["kinds: Dictionary should have at least 1 item"]),
        ("[kinds.a]\nnodes = 0", ["kinds.a.nodes: Input should be greater than or equal to 1"]),
        ("[kinds.'a/b']", ["kinds.a/b", "should match pattern"]),
        ("kind = 1\n[kinds.a]", ["kind: Extra inputs are not permitted"]),
        ("run = ['--profil', 'quick']\n[kinds.a]", ["run = ['--profil', 'quick']", "No such option"]),
        ("run = ['--profile', 'fast']\n[kinds.a]", ["--profile fast", "smoke, quick"]),
        ("run = ['--into', 'here']\n[kinds.a]", ["run: --into", "Leave it out"]),
        ("[kinds.a]\nslurm_partitoin = 'x'", ["a-1", "slurm_partitoin", "docs/cluster.md has names"]),
        ("[kinds.a]\nconstraint = 'x'", ["constraint: no such field", "slurm_constraint"]),
        ("[kinds.a]\ntimeout_min = 'long'", ["a-1", "timeout_min", "int"]),
        ("[kinds.a]\nslurm_mem_gb = 'x'", ["a-1", "submitit refuses"]),
        ("[kinds.a]\nslurm_max_num_timeout = 'x'", ["a-1", "invalid literal"]),
        ("[kinds.a]\nslurm_additional_parameters = 'x'", ["slurm_additional_parameters: is a table"]),
        ("run = ['--budget', 'much']\n[kinds.a]", ["--budget much"]),
        ("[slurm]\nslurm_setup = ['x']\n[kinds.a]", ["slurm_setup", "Leave it out"]),
        ("[kinds.a]\nslurm_nodes = 2", ["slurm_nodes", "Leave it out"]),
        ("[kinds.a]\nslurm_ntasks_per_node = 2", ["slurm_ntasks_per_node", "Leave it out"]),
        ("run = ['--help']\n[kinds.a]", ["--help measures nothing"]),
        ("run = ['-h']\n[kinds.a]", ["--help measures nothing"]),
        ("run = ['--framework', 'nonsense']\n[kinds.a]", ["--framework nonsense: no such framework"]),
        ("run = ['--spec', 'not-there.toml']\n[kinds.a]", ["--spec not-there.toml: cannot be read"]),
    ],
)
def test_a_wrong_file_is_told_before_anything_is_submitted(typed: Typed, text: str, words: Sequence[str]) -> None:
    typed.write(text)
    for options in ([], ["--dry-run"]):
        done = typed.sweep(*options)
        assert done.exit_code == 2, done.output
        for word in words:
            assert word in done.stderr
        assert not typed.folder.exists()


def test_a_folder_of_something_else_is_left_alone(typed: Typed) -> None:
    typed.folder.mkdir()
    (typed.folder / "report.md").write_text("mine")
    done = typed.sweep()
    assert (done.exit_code, "holds something that is no sweep" in done.stderr) == (2, True)
    assert typed.slurm.scripts() == []
    done = command.invoke("sweep", typed.file, "--into", typed.folder.parent / "a%j")
    assert (done.exit_code, "Slurm reads %" in done.stderr) == (2, True)


def test_what_slurm_refuses_is_told_and_what_was_submitted_before_stands(typed: Typed) -> None:
    typed.sweep()
    typed.slurm.hold()
    typed.slurm.refuse("gpu")
    done = typed.sweep()
    assert done.exit_code == 2
    assert [run for run in ("a100-1", "a100-2", "cpu-1") if f"{run}: Slurm refuses it" in done.stderr] == [
        "a100-1",
        "a100-2",
        "cpu-1",
    ]
    assert "invalid partition specified: gpu" in done.stderr
    assert json.loads((typed.folder / "sweep.json").read_text())["jobs"]["a100-1"] == ["1"]


def test_other_options_belong_into_another_folder(typed: Typed) -> None:
    typed.sweep()
    typed.write(FILE.replace("smoke", "quick"))
    done = typed.sweep()
    assert done.exit_code == 2
    assert "holds a sweep with other options" in done.stderr
    typed.write(FILE.replace("nodes = 2", "nodes = 3"))
    assert typed.sweep().exit_code == 0
    assert "a100-3" in typed.states()


def test_without_slurm_or_its_controller_one_is_told_what_to_do(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as without:
        without.setattr("benchmarks.sweep.slurm.shutil.which", lambda name: None if name == "srun" else name)
        done = typed.sweep("--dry-run")
    assert (done.exit_code, "no srun" in done.stderr) == (2, True)
    typed.slurm.go_down()
    done = typed.sweep("--status")
    assert (done.exit_code, "Is Slurm's controller up?" in done.stderr) == (2, True)
    monkeypatch.setenv("PATH", "/nowhere")
    done = typed.sweep("--status")
    assert (done.exit_code, "login node" in done.stderr) == (2, True)
    assert typed.sweep().exit_code == 2
    assert not typed.folder.exists()
