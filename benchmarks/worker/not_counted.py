"""What a resource without a counter is recorded with: a reason."""


class NotCounted(RuntimeError):
    """There is no counter for this here; the message says why."""


def reason_of(problem: Exception) -> str:
    """One line for a record."""
    name = "" if isinstance(problem, NotCounted) else f"{type(problem).__name__}: "
    return f"{name}{problem}".splitlines()[0][:500]
