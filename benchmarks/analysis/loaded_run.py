"""A run among others, by the name that it has on their page."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from benchmarks.analysis.cell_results import CellResult
from benchmarks.analysis.ranking import ComparisonGroup, comparison_groups
from benchmarks.analysis.results import Results


@dataclass(frozen=True)
class LoadedRun:
    """One of several runs."""

    name: str
    results: Results

    @cached_property
    def groups(self) -> list[ComparisonGroup]:
        """What it ranks."""
        return comparison_groups(self.results)

    @cached_property
    def entries(self) -> Mapping[str, CellResult]:
        """Its cells by id."""
        return {entry.id: entry for entry in self.results.entries}

    def network(self, model: str) -> tuple[str, str] | None:
        """What must be the same for two times of a model to be compared; nothing where the run has it not."""
        networks = [network for network in self.results.run.networks if network.model == model]
        facts_of = [(of.spec_sha256, of.dataset.model_dump_json(exclude_none=True)) for of in networks]
        return facts_of[0] if facts_of else None
