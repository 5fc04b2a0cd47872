"""What the models of a family share: state, slots, generators, masks, the update loop. Nothing that is a network."""
