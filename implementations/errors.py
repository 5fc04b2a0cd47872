"""What is told to the user in one message: wrong input, and a framework that cannot run here."""


class BadInput(ValueError):
    """Something the user gave is wrong; the message names the field and the fix."""


class Unavailable(RuntimeError):
    """A framework cannot run here: `reason` says why, `fix` says what to do about it."""

    def __init__(self, reason: str, fix: str) -> None:
        super().__init__(f"{reason} {fix}")
        self.reason = reason
        self.fix = fix
