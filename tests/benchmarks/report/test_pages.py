"""The two renderings: reproducible, complete without network or script, safe with any text in them."""

import base64
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from markdown_it import MarkdownIt

import benchmarks.report
from benchmarks import wording, writing
from benchmarks.analysis import results
from benchmarks.records import record, records_file
from benchmarks.report import charts, html, markdown, sections
from benchmarks.writing import Unwritable
from tests.support import ROOT, report_text, synthetic
from tests.support.hostile_names import HOSTILE, hostile_machine, hostile_records
from tests.support.parsed_page import Page
from tests.support.synthetic import cell, measured

TABLES = {"results.csv", "results.jsonl", "columns.csv"}
PAGES = ("report.html", "steps.html")


def rendered(
    records: list[record.Record], drawn: bool = False, machine: dict[str, Any] | None = None
) -> tuple[str, str]:
    """Markdown and HTML without a folder, and without pictures unless they are wanted."""
    document = sections.document(results.gather(records, [], machine or {}))
    drawings = charts.draw(document.figures()) if drawn else {}
    return markdown.render(document, drawings), html.render(document, drawings)


def files(folder: Path) -> dict[str, str]:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def test_same_records_same_bytes_in_every_process(quick_folder: Path, tmp_path: Path) -> None:
    code = "import sys, pathlib, benchmarks.report as r; r.write(pathlib.Path(sys.argv[1]))"
    runs = []
    for seed in ("1", "2"):
        folder = tmp_path / seed
        folder.mkdir()
        for name in ("records.jsonl", "environment.json"):
            (folder / name).write_bytes((quick_folder / name).read_bytes())
        environment = os.environ | {"PYTHONHASHSEED": seed}
        runs.append(subprocess.Popen([sys.executable, "-c", code, str(folder)], env=environment, cwd=ROOT))
    assert [run.wait(60) for run in runs] == [0, 0]
    assert files(tmp_path / "1") == files(tmp_path / "2") == files(quick_folder)


def test_a_second_report_is_the_same_and_leaves_the_records_alone(tmp_path: Path) -> None:
    folder = synthetic.save(tmp_path, measured([(cell("numpy"), 1e-4), (cell("torch"), 2e-4)]), {})
    before = files(folder)
    written = benchmarks.report.write(folder)
    first = files(folder)
    assert benchmarks.report.write(folder) == written
    assert files(folder) == first
    assert before.items() <= first.items()
    names = {f"{page}.{kind}" for page in ("report", "steps") for kind in ("md", "html")}
    assert {path.name for path in written if path.suffix != ".svg"} == names | TABLES


@pytest.mark.parametrize("name", PAGES)
def test_a_page_needs_nothing_else(quick_folder: Path, name: str) -> None:
    source = (quick_folder / name).read_text(encoding="utf-8")
    page = Page(source)
    assert page.tags["link"] == page.tags["img"] == page.tags["iframe"] == 0
    assert not [name for name in page.attributes if name.startswith("on")]
    assert {link for link in page.links if not link.startswith("#")} <= {"report.html", "steps.html"}
    assert not re.findall(r"url\((?!#)|@import", source)
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-" in source


@pytest.mark.parametrize("name", PAGES)
def test_its_own_script_is_the_only_one_that_may_run(quick_folder: Path, name: str) -> None:
    source = (quick_folder / name).read_text(encoding="utf-8")
    (script,) = re.findall(r"<script>(.*?)</script>", source, flags=re.DOTALL)
    assert script == (ROOT / "benchmarks" / "report" / "templates" / "page.js").read_text(encoding="utf-8")
    allowed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert re.findall(r"'sha256-([^']+)'", source) == [allowed]
    assert not re.search(r"\b(eval|innerHTML|Function|fetch|XMLHttpRequest)\b", script)


@pytest.mark.parametrize("name", PAGES)
def test_ids_are_unique_and_links_lead_somewhere(quick_folder: Path, name: str) -> None:
    page = Page((quick_folder / name).read_text(encoding="utf-8"))
    assert max(Counter(page.ids).values()) == 1
    pages = {path.name for path in quick_folder.glob("*.html")}
    assert {link.removeprefix("#") for link in page.links} <= {*page.ids, *pages}


def test_the_contents_lead_to_every_section_after_the_answer(quick_folder: Path) -> None:
    source = (quick_folder / "report.html").read_text(encoding="utf-8")
    anchors = [section.anchor for section in report_text.document(synthetic.quick()).sections]
    assert anchors[0] == "headline"
    contents = Page(source.partition("<nav")[2].partition("</nav>")[0])
    assert contents.links == [*(f"#{anchor}" for anchor in anchors[1:]), "steps.html"]


def test_what_a_section_found_is_read_before_it_is_opened(quick_folder: Path) -> None:
    source = (quick_folder / "report.html").read_text(encoding="utf-8")
    open_ = re.sub(r"<details>.*?</details>(?=\s*</section>)", "", source, flags=re.DOTALL)
    summaries = [section.summary for section in report_text.document(synthetic.quick()).sections if section.summary]
    assert len(summaries) > 6
    read = " ".join(Page(open_).reading)
    for summary in summaries:
        assert " ".join(summary.split()) in read
    assert "Cells with a hole or without a rank" in " ".join(Page(source).reading)
    assert "Cells with a hole or without a rank" not in read


def test_the_code_of_every_step_has_a_page_of_its_own(quick_folder: Path) -> None:
    report, steps = (Page((quick_folder / name).read_text(encoding="utf-8")) for name in PAGES)
    code = [item for item in synthetic.quick() if item.kind == "source"]
    assert len(code) == 9
    for item in code:
        assert " ".join(item.code.split()) in steps.text
        assert " ".join(item.code.split()) not in report.text
    for title in (step[1] for step in synthetic.STEPS):
        assert title in steps.text
    assert "steps.html" in report.text


def test_every_chart_has_a_caption_a_reading_help_and_a_table(quick_folder: Path) -> None:
    source = (quick_folder / "report.html").read_text(encoding="utf-8")
    page, narrow = Page(source), source.count("</svg>\n<svg")  # the second form of the answer's chart
    assert narrow == 1
    assert (
        page.tags["figure"]
        == page.tags["figcaption"]
        == page.tags["svg"] - narrow
        == page.text.count("How to read this")
        > 5
    )
    folded = source.count("<table aria-label=")
    assert page.tags["table"] == page.tags["caption"] + folded > page.tags["figure"]
    assert folded


def test_pictures_stand_beside_the_markdown(quick_folder: Path) -> None:
    text = (quick_folder / "report.md").read_text(encoding="utf-8")
    linked = re.findall(r"\]\((figures/[^)]+\.svg)\)", text)
    assert sorted(linked) == sorted(str(p.relative_to(quick_folder)) for p in quick_folder.glob("figures/*.svg"))
    for name in linked:
        ElementTree.parse(quick_folder / name)


def test_both_renderings_say_the_same(quick_folder: Path) -> None:
    page = Page((quick_folder / "report.html").read_text(encoding="utf-8")).text
    text = (quick_folder / "report.md").read_text(encoding="utf-8")
    for line in re.findall(r"^\| (.+?) \|", text, flags=re.MULTILINE):
        if not line.startswith("---"):
            assert re.sub(r"\\(.)", r"\1", line).strip() in page


def test_partial_is_the_first_thing_said(quick_folder: Path) -> None:
    text = (quick_folder / "report.md").read_text(encoding="utf-8")
    assert "partial results" in text.splitlines()[0]
    assert "**Partial results: 1 of 11 planned cells" in text.partition("\n## ")[0]
    assert (
        Page((quick_folder / "report.html").read_text(encoding="utf-8").partition("<main>")[0]).text.count("Partial")
        == 1
    )


def test_learning_shows_whether_the_ends_are_identical() -> None:
    other = synthetic.learning("jax", dropout=0.0, precision="float64", digest="0" * 64)
    table = (
        rendered([*synthetic.quick(), other])[0]
        .partition("Final accuracy, float64, 2 threads, dropout 0")[2]
        .split("\n\n")[1]
    )
    ends = {line.split("|")[1].strip(): line.split("|")[-2].strip() for line in table.splitlines()[2:]}
    assert ends == {"NumPy": "f" * 8, "PyTorch": "f" * 8, "Keras-TensorFlow": "f" * 8, "JAX": "0" * 8}


def renderer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Put this in the renderer's place."""
    (tmp_path / "renderer").mkdir()
    (tmp_path / "renderer/vl_convert.py").write_text(code, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "renderer"), prepend=os.pathsep)


def test_without_the_renderer_there_are_tables_and_a_hint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    renderer(tmp_path, monkeypatch, "raise ImportError(name='vl_convert')")
    folder = synthetic.save(tmp_path, measured([(cell("numpy"), 1e-4), (cell("torch"), 2e-4)]))
    written = benchmarks.report.write(folder)
    assert not [path for path in written if path.suffix == ".svg"]
    for path in (folder / "report.md", folder / "report.html"):
        assert "pip install vl-convert-python" in path.read_text(encoding="utf-8")
        assert "python -m benchmarks report FOLDER" in path.read_text(encoding="utf-8")


PANIC = """
class Panic(BaseException):
    "As those of a library in Rust are."

def vegalite_to_svg(*_, **__):
    raise Panic("oneshot canceled")
"""


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (PANIC, "vl_convert.Panic: oneshot canceled"),
        ("import os\nos.abort()", "it ended with signal 6"),
        ("import os\nos._exit(3)", "it ended with exit code 3"),
    ],
    ids=["panic", "aborted", "ended"],
)
def test_a_renderer_that_fails_takes_no_more_than_its_charts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, told: str
) -> None:
    renderer(tmp_path, monkeypatch, code)
    folder = synthetic.save(tmp_path, measured([(cell("numpy"), 1e-4), (cell("torch"), 2e-4)]))
    said: list[str] = []
    assert not [path for path in benchmarks.report.write(folder, said.append) if path.suffix == ".svg"]
    assert said[0] == f"no charts: the renderer vl_convert says: {told}"
    assert "or failed" in (folder / "report.md").read_text(encoding="utf-8")


def test_a_report_follows_no_link_out_of_its_folder(tmp_path: Path) -> None:
    folder = synthetic.save(tmp_path / "run", measured([(cell("numpy"), 1e-4), (cell("torch"), 2e-4)]))
    (tmp_path / "mine").write_text("mine", encoding="utf-8")
    (folder / "report.md").symlink_to(tmp_path / "mine")
    benchmarks.report.write(folder)
    assert (tmp_path / "mine").read_text(encoding="utf-8") == "mine"
    assert not (folder / "report.md").is_symlink()
    shutil.rmtree(folder / "figures")
    (tmp_path / "pictures").mkdir()
    (folder / "figures").symlink_to(tmp_path / "pictures")
    with pytest.raises(Unwritable, match="figures: is a link to another place"):
        benchmarks.report.write(folder)
    assert not list((tmp_path / "pictures").iterdir())


def test_a_page_over_several_runs_does_not_replace_the_report_of_one(tmp_path: Path) -> None:
    folders = [synthetic.save(tmp_path / name, measured([(cell("numpy"), 1e-4)])) for name in ("a", "b")]
    with pytest.raises(records_file.BadRecords, match="holds a run with a report of its own"):
        benchmarks.report.write_together(folders, folders[0])
    assert [path.name for path in folders[0].iterdir()] == ["records.jsonl"]


@pytest.mark.usefixtures("undrawn")
def test_the_report_is_the_last_that_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    monkeypatch.setattr(writing, "text", lambda path, content: order.append(path.name))
    benchmarks.report.write(synthetic.save(tmp_path, measured([(cell("numpy"), 1e-4)])))
    assert order[-1] == "report.md"


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_text(name: str) -> None:
    text, source = rendered(hostile_records(name), drawn=True, machine=hostile_machine(name))
    page = Page(source)
    assert page.tags["script"] == 1
    assert page.tags["img"] == page.tags["iframe"] == 0
    assert not [attribute for attribute in page.attributes if attribute.startswith("on")]
    for character in "\x00\x1b\u202e\u200f":
        assert character not in source + text
    assert wording.clean(name) in page.text
    for picture in re.findall(r"<svg.*?</svg>", source, flags=re.DOTALL):
        ElementTree.fromstring(picture)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_break_no_markdown(name: str) -> None:
    parser = MarkdownIt("commonmark").enable("table")
    text, _ = rendered(hostile_records(name), machine=hostile_machine(name))
    page = Page(parser.render(text))
    assert page.tags["script"] == page.tags["img"] == 0
    assert page.tags["h1"] == 1
    assert page.links == ["steps.md"]
    for block in re.findall(r"(?:^\|.*\|\n)+", text, flags=re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1


def failing(cells: list[record.Cell]) -> list[record.Record]:
    outcomes = [record.OutcomeRecord(cell=of, block=0, status="failed", reason="out of memory") for of in cells]
    return [synthetic.run(cells), *outcomes]


@pytest.mark.parametrize(
    ("records", "sentence"),
    [
        ([synthetic.run([])], "Nothing was timed"),
        ([synthetic.run([cell("numpy")])], "the run ended before its turn"),
        (failing([cell("numpy"), cell("torch")]), "out of memory"),
        (measured([(cell("numpy"), 1e-4)]), "NumPy alone is ranked"),
        (measured([(cell("numpy"), 1e-4)], blocks=1), "NumPy alone is ranked"),
        (measured([(cell("numpy", batch=b), 1e-4) for b in (1, 32)]), "NumPy alone is ranked"),
        (
            [synthetic.run([cell("numpy")]), *(synthetic.timing(cell("numpy"), b, 1e-4) for b in range(6))],
            "proved equal",
        ),
    ],
    ids=["empty", "nothing ran", "all failed", "one cell", "one block", "one framework", "no proof"],
)
def test_little_to_report_is_still_a_page(records: list[record.Record], sentence: str) -> None:
    text, source = rendered(records, drawn=True)
    assert sentence in text
    assert sentence in Page(source).text
    document = report_text.document(records)
    assert Page(source).tags["h2"] == len(document.sections) < 12
    assert all(section.blocks or section.summary for section in document.sections)


def test_a_floor_that_failed_has_no_ranking() -> None:
    products = cell("torch", phase="products")
    failed = record.OutcomeRecord(cell=products, block=0, status="failed", reason="out of memory")
    plan = [cell("numpy"), products]
    timed = [item for item in measured([(cell("numpy"), 1e-4)]) if not isinstance(item, record.RunRecord)]
    text = rendered([synthetic.run(plan), *timed, failed])[0]
    assert "matrix products" not in text.partition("## 2. Which is fastest at every size?")[2].partition("\n## ")[0]
    assert "out of memory" in text.partition("Coverage")[2]


def test_broken_files_are_named(tmp_path: Path) -> None:
    folder = synthetic.save(tmp_path, [synthetic.run([])])
    with (folder / "records.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"kind": "timing", "cel')
    (folder / "environment.json").write_text("[1, 2", encoding="utf-8")
    benchmarks.report.write(folder)
    text = (folder / "report.md").read_text(encoding="utf-8")
    assert "records.jsonl line 2 was set aside" in text
    assert "environment.json was set aside" in text


def test_no_records_no_report(tmp_path: Path) -> None:
    with pytest.raises(records_file.BadRecords):
        benchmarks.report.write(tmp_path)
    assert not list(tmp_path.iterdir())
