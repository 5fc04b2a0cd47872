"""The convolutional network: one specification, one file per framework."""
