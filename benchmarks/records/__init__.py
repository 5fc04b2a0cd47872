"""The stored result: one JSON object per line, every sample kept."""
