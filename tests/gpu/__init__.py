"""What only a GPU can show; without one each test says that it did not run."""
