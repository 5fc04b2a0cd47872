"""What is typed, what is printed, and which exit code is returned."""
