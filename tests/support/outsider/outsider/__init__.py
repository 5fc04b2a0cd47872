"""A framework from elsewhere, as its author would ship it: it imports nothing of samenet."""
