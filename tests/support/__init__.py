"""What several tests stand on: made-up runs and machines, processes in the background, models that misbehave."""
