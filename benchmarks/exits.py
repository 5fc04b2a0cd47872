"""Exit codes. Where several apply, the smallest is given, but INTERRUPTED before all others."""

GOOD = 0
UNEQUAL = 1
USAGE = 2
"""Wrong input: the options, the data, a folder, or two runs that may not be compared."""
FAILED = 3
"""Some cells have no time, or no proof where one was asked for."""
NOTHING = 4
REGRESSION = 5
"""Only `compare`: a cell became slower or is missing, or a run's null control failed."""
INTERRUPTED = 130
