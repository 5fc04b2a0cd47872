"""The implementations: one network per folder, written once per framework, and the proof that they agree."""
