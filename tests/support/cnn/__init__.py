"""What tests of the convolutional network share."""
