"""The Transformer: one specification, one file per framework."""
