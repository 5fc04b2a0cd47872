"""Is this implementation the same network? Gates, replay of dropout, verdicts. NumPy only."""
