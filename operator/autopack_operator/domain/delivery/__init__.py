"""What becomes of a finished run's work outside of the volume: pure decisions."""
