"""Which cells, in which order, for how long. Nothing here starts a process or reads a clock."""
