"""Dense layer."""
