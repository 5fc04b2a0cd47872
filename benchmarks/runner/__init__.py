"""Blocks of worker processes seen from outside, and how a run that was stopped goes on."""
