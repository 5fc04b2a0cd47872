"""When a difference may be called one. Light, for a plan is made with it."""

MARGIN = 0.03
"""Differences inside this margin are called a tie."""

MIN_BLOCKS_FOR_VERDICT = 6
"""With fewer blocks there is an interval, but no verdict."""
