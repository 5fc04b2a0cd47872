"""A network of another kind, as its author would ship it: tokens in, a maximum over windows, a label at every position."""
