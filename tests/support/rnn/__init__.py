"""What tests of the recurrent network share."""
