"""A time that is only known roughly, in words. Light, for a plan is shown with it."""


def rough(seconds: float) -> str:
    """ "40 s", "4 minutes", "1.5 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} h"
