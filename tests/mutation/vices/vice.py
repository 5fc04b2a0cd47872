"""A vice of a plug-in: what it is, what it would gain, and who tells it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Changes = tuple[tuple[str, str], ...]
"""Old text and new."""


@dataclass(frozen=True)
class Vice:
    """One change of the outsider, and who tells it: a part of the first thing that is said, or nothing."""

    name: str
    gains: str
    added: str = ""
    """Methods at the end of the model's class; what they replace has been defined above them."""

    model: Changes = ()
    adapter: Changes = ()
    phase: str = "train_step"
    spec: dict[str, Any] = field(default_factory=dict)
    verify: str = ""
    run: str = ""
    why: str = ""
    """Where one of them does not tell it: why that is no fault, or beyond what is claimed."""

    alone: bool = False
    """It changes the whole process: `run` starts a real worker for it."""

    chance: bool = False
    """Whether `run` tells it is left to chance."""

    def as_expected(self, answer: Mapping[str, Any]) -> bool:
        """Whether those who should tell it did, in their words, and the others said nothing."""
        expected = {"verify": self.verify} | ({} if self.chance else {"run": self.run})
        return all(words in answer[who] if words else not answer[who] for who, words in expected.items())
