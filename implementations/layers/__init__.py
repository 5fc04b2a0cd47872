"""Layers, each a folder: its steps for people, and its formulas in every family, side by side."""
