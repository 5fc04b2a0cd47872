"""The multilayer perceptron: one specification, one file per framework."""
