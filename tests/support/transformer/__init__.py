"""What tests of the Transformer share."""
