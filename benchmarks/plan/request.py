"""What the user asked for, as far as it chooses cells. No framework is imported."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from benchmarks.plan.profiles import Profile


@dataclass(frozen=True)
class Request:
    """What the user asked for; empty means: what the profile says and the machine has."""

    profile: Profile
    frameworks: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    threads: tuple[int, ...] = ()
    precisions: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()
    phases: tuple[str, ...] = ()
    sets: Mapping[str, Sequence[int | str]] = field(default_factory=dict)
    keyword: str = ""
    pythons: Mapping[str, str] = field(default_factory=dict)
    own_spec: bool = False
    """Whether the network is the user's, which keeps its own measures but the batch."""

    without_data: tuple[str, ...] = ()
    """Models for which there is no data to train on."""

    unnamed: tuple[str, ...] = ()
    """Models that nobody named: few frameworks' training steps at one size."""

    def of(self, model: str) -> "Request":
        """What is asked of one model."""
        if model not in self.unnamed:
            return self
        frameworks = tuple(
            name for name in self.profile.unnamed if name in (self.frameworks or self.profile.frameworks)
        )
        phases = tuple(phase for phase in self.phases or self.profile.phases if phase == "train_step")
        profile = replace(self.profile, name="unnamed", frameworks=frameworks, phases=phases)
        pythons = {name: path for name, path in self.pythons.items() if name in frameworks}
        return replace(self, profile=profile, frameworks=(), phases=(), pythons=pythons)
