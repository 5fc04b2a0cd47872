"""When the GPU pays: best against best, hedged, in a sentence and as a table. No GPU was at hand for these made-up records."""

import pytest

from benchmarks.records import record
from benchmarks.report import markdown
from tests.support import report_text
from tests.support.synthetic import cell, measured


def page(records: list[record.Record]) -> str:
    text = markdown.render(report_text.document(records), {"x": ""})
    return text.partition("When does the GPU pay?")[2].partition("\n## ")[0]


def both(blocks: int = 6) -> list[record.Record]:
    """The GPU takes 100 µs for anything; the CPU as long as there is to do. NumPy is twice as slow as PyTorch on the CPU."""
    cells = []
    for batch in (1, 32, 512):
        for width in (64, 1024):
            work = 1e-6 * batch * width / 64
            cells += [
                (cell("numpy", batch=batch, width=width), 2 * (1e-5 + work)),
                (cell("torch", batch=batch, width=width), 1e-5 + work),
            ]
            cells.append((cell("torch", batch=batch, width=width, device="cuda:0"), 1e-4))
    return measured(cells, blocks=blocks, noise=0.002)


def rows(text: str) -> dict[str, list[str]]:
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| batch")]
    return {line[0]: line[1:] for line in lines}


def test_best_against_best_at_every_size() -> None:
    found = rows(page(both()))
    assert len(found) == 6
    assert found["batch 1, width 64"][-1] == "the CPU is faster"
    assert found["batch 512, width 1024"][-1] == "the GPU pays"
    assert found["batch 512, width 64"][2].startswith("5.")
    assert all(
        row[0].startswith("PyTorch on cpu: ") and row[1].startswith("PyTorch on cuda:0: ") for row in found.values()
    )
    low, high = map(float, found["batch 512, width 64"][3].split(" to "))
    assert low < 5.2 < high


def test_from_which_batch_on_it_pays_is_said_at_each_width() -> None:
    assert "at width 64 the GPU pays from batch 512 on (measured at 1, 32 and 512)" in page(both())


def test_few_blocks_say_nothing() -> None:
    assert "from which batch on the GPU pays was not settled" in page(both(blocks=2))
    assert {row[-1] for row in rows(page(both(blocks=2))).values()} == {"not settled"}


UNSAID = "From when a GPU pays: --device cpu,cuda"


@pytest.mark.parametrize("device", ["cpu", "cuda:0"])
def test_with_one_device_alone_there_is_no_section_and_screen_one_lists_what_would_say_it(device: str) -> None:
    alone = report_text.page(measured([(cell("torch", device=device), 1e-4)]))
    assert "When does the GPU pay?" not in alone
    assert UNSAID in alone


def test_with_both_screen_one_does_not_list_it() -> None:
    assert UNSAID not in report_text.page(both())


def test_one_that_was_not_proved_fights_no_duel() -> None:
    records = [r for r in both() if r.kind != "proof" or r.who.device == "cpu" or r.axes["batch"] != 512]
    assert len(rows(page(records))) == 4
