"""Cells of recurrent layers: what happens at one step."""
