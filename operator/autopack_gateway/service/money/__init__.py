"""What models cost: pure."""
