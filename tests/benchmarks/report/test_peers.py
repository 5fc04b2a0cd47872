"""Peers stand beside the ranking, and ours over them with an interval: losses too."""

from benchmarks.analysis import ranking
from benchmarks.records.record import Record
from tests.support import report_text, synthetic

BLOCKS = 6


def test_ours_is_held_against_each_peer_in_both_modes_and_the_peer_is_not_ranked() -> None:
    peer, plain = synthetic.cell("peer-torch"), synthetic.cell("torch")
    timed = [(peer, 1e-3), (plain, 2e-3), (synthetic.cell("torch", mode="tuned"), 5e-4)]
    found: list[Record] = [synthetic.run([cell for cell, _ in timed], blocks=BLOCKS)]
    for cell, seconds in timed:
        for block in range(BLOCKS):
            found.append(synthetic.timing(cell, block, seconds, noise=0.001, ranked=cell is not peer))
            found += [synthetic.proof(cell, block)] if cell is not peer else []
    told = report_text.page(found).partition("Beside peers")[2].partition("\n\n*")[0]
    rows = [[field.strip() for field in line.split("|")[2:-1]] for line in told.splitlines() if "256" in line]
    assert [(row[0], row[3][:3], row[5]) for row in rows] == [
        ("PyTorch by the book", "1", "peer"),
        ("PyTorch", "2.0", "slower"),
        ("PyTorch tuned", "0.5", "faster"),
    ]
    ranked = [
        place.entry.cell
        for group in ranking.comparison_groups(report_text.gathered(found))
        for place in group.places
        if place.ranks
    ]
    assert peer not in ranked
