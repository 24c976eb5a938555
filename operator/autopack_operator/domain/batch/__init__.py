"""What happens next with one RunBatch."""
