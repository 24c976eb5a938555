"""What of a volume may be removed after a time, and what takes up how much of it."""
