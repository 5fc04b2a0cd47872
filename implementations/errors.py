"""What is told to the user in one message: wrong input, and a framework that cannot run here."""

from typing import Self


class BadInput(ValueError):
    """Something the user gave is wrong; the message names the field and the fix."""


class Unavailable(RuntimeError):
    """A framework cannot run here: `reason` says why, `fix` says what to do about it."""

    def __init__(self, reason: str, fix: str) -> None:
        super().__init__(f"{reason} {fix}")
        self.reason = reason
        self.fix = fix

    @classmethod
    def not_installed(cls, package: str | None, distribution: str = "") -> Self:
        """For an import package that is not there; `distribution` is what pip calls it, where that is another name.

        Only for ModuleNotFoundError: any other ImportError comes from a broken installation, which is a fault.
        """
        return cls(f"{package} is not installed.", f"Install it: pip install {distribution or package}")
