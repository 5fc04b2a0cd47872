"""The pages: links lead somewhere, commands run, what is generated is up to date, sentences are short."""

import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path

import numpy as np
import pytest

from benchmarks.cli.commands import main
from benchmarks.plan.profiles import PROFILES
from implementations import registry
from tests.support import LIGHT, ROOT, generated_pages, prose
from tests.support.command import invoke, save_npz
from tests.support.fresh_process import python

WRITTEN = ["README.md", "CONTRIBUTING.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md")))]
PAGES = dict.fromkeys([*WRITTEN, *generated_pages.PAGES])
TEXTS = {page: (ROOT / page).read_text(encoding="utf-8") for page in PAGES}
COMMANDS = dict.fromkeys(
    line.replace(".venv/bin/python", "python")
    for text in TEXTS.values()
    for block in prose.blocks(text, "console")
    for line in block.splitlines()
)
LONG = {
    "python -m benchmarks run --model all --profile zoo": "list --model all --profile zoo",
    "python -m benchmarks run --spec my.toml --data my.npz": "list --spec my.toml --data my.npz",
    "python -m benchmarks run --profile smoke --framework numpy --spec mnist --phase train_step --set batch=16": "run --profile smoke --framework numpy --spec mnist --phase train_step --set batch=16 --set width=16",
    "python -m benchmarks verify --framework numpy --set batch=32": "verify --framework numpy --precision float32 --set batch=2 --set width=4",
}
"""What takes long; here what they would do is asked for, or the same at a small size."""


@pytest.mark.parametrize("page", generated_pages.PAGES)
def test_a_generated_page_is_up_to_date(page: str) -> None:
    assert TEXTS[page] == generated_pages.PAGES[page](), f"{page} is out of date: make docs"


@pytest.mark.parametrize("page", PAGES)
def test_its_links_lead_somewhere(page: str) -> None:
    for link in prose.links(TEXTS[page]):
        path, _, anchor = link.partition("#")
        target = ((ROOT / page).parent / path).resolve() if path else ROOT / page
        assert target.exists(), link
        assert ROOT in (target, *target.parents), link
        assert not anchor or anchor in prose.anchors(target), link


@pytest.mark.parametrize("page", [page for page in WRITTEN if page not in generated_pages.PAGES])
def test_its_sentences_are_short(page: str) -> None:
    lengths = list(map(prose.length, prose.sentences(TEXTS[page])))
    assert sum(lengths) / len(lengths) <= 20
    assert max(lengths) <= 40


@pytest.mark.parametrize("page", PAGES)
def test_the_files_that_it_names_are_there(page: str) -> None:
    named = re.findall(r"`((?:\.ci|benchmarks|docs|examples|implementations|results|tests)/[\w./-]*\w)`", TEXTS[page])
    assert [path for path in named if not re.search("[A-Z]{3}|results/gpu", path) and not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_the_options_that_it_names_are_there(page: str) -> None:
    known = {name for command in main.commands.values() for option in command.params for name in option.opts}
    known |= {
        "--array",
        "--constraint",
        "--exclusive",
        "--output",
        "--requeue",
        "--time",
        "--wrap",
        "--nv",
    }  # of sbatch, apptainer
    known |= {
        "--help",
        "--version",
        *re.findall(r'add_argument\("(--\w+)"', (ROOT / "examples" / "train.py").read_text(encoding="utf-8")),
    }
    assert set(re.findall(r"(?<![\w-])--[a-z][\w-]+", TEXTS[page])) - known == set()


@pytest.mark.parametrize("page", PAGES)
def test_make_knows_the_targets_that_it_names(page: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"`make ([a-z-]+)", TEXTS[page]):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


@pytest.mark.parametrize("command", [command for command in COMMANDS if command.startswith("make ")])
def test_make_knows_the_command(command: str) -> None:
    """What it does is run by CI (`make test`), or takes minutes."""
    done = subprocess.run([*shlex.split(command), "--dry-run"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "python -m" in done.stdout or ".ci/" in done.stdout


@pytest.mark.parametrize("command", [command for command in COMMANDS if command.startswith("python -m benchmarks ")])
@pytest.mark.usefixtures("undrawn")
def test_the_command_runs(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for run in ("example", "zoo"):
        shutil.copytree(ROOT / "results" / run, tmp_path / "results" / run)
    (tmp_path / "my.toml").write_text(prose.blocks(TEXTS["docs/choosing.md"], "toml")[0], encoding="utf-8")
    save_npz(tmp_path / "my.npz", x=np.zeros((400, 64)), y=np.tile(np.arange(10), 40))
    monkeypatch.chdir(tmp_path)
    done = invoke(*shlex.split(LONG.get(command, command.removeprefix("python -m benchmarks "))))
    assert done.exit_code == 0, done.output[-3000:]
    assert done.stdout


@pytest.mark.parametrize("command", [command for command in COMMANDS if command.startswith("python examples/")])
def test_the_example_runs(command: str) -> None:
    done = python(*shlex.split(command)[1:], site=LIGHT)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "accuracy" in done.stdout


def test_there_is_no_other_kind_of_command() -> None:
    assert all(command.startswith(("make ", "python -m benchmarks ", "python examples/")) for command in COMMANDS)
    assert set(LONG) <= set(COMMANDS)


@pytest.mark.parametrize("block", prose.blocks(TEXTS["docs/choosing.md"], "toml"))
def test_the_specification_is_one(block: str, tmp_path: Path) -> None:
    (tmp_path / "my.toml").write_text(block, encoding="utf-8")
    model = tomllib.loads(block)["model"]
    spec = registry.part(model, "spec").Spec.load(tmp_path / "my.toml")
    assert spec != registry.part(model, "spec").Spec()


@pytest.mark.parametrize("block", prose.blocks(TEXTS["docs/choosing.md"], "python"))
def test_the_program_trains(block: str, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(block.replace("torch", "numpy"), "docs/choosing.md", "exec"), {})
    assert len(capsys.readouterr().out.splitlines()) == 5


def test_the_networks_and_their_presets_are_all_there() -> None:
    for model in registry.OURS:
        presets = ", ".join(f"`{name}`" for name in registry.part(model, "spec").Spec.PRESETS)
        assert re.search(rf"^\| `{model}` \| .* \| {presets} \|", TEXTS["docs/choosing.md"], re.MULTILINE), model


def test_the_profiles_are_all_there() -> None:
    assert set(re.findall(r"^\| `(\w+)` \| .* \| .* \|$", TEXTS["docs/choosing.md"], re.MULTILINE)) >= set(PROFILES)


@pytest.mark.parametrize(("number", "example"), [(0, "outsider"), (1, "stranger")])
def test_a_plug_ins_project_offers_what_the_worked_example_does(number: int, example: str) -> None:
    points = tomllib.loads(prose.blocks(TEXTS["docs/plugin.md"], "toml")[number])["project"]["entry-points"]
    (group, offered), *others = points.items()
    assert not others
    (installed,) = (ROOT / "tests" / "support" / example).glob("*.dist-info/entry_points.txt")
    assert installed.read_text(encoding="utf-8").split() == [f"[{group}]", *f"{example} = {offered[example]}".split()]


@pytest.mark.parametrize("folder", ["implementations", "benchmarks"])
def test_the_architecture_names_every_module(folder: str) -> None:
    for path in (ROOT / folder).glob("*.py"):
        assert path.name == "__init__.py" or path.name in TEXTS["docs/architecture.md"]
