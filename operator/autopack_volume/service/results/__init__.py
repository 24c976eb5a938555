"""What an attempt left: read with suspicion, imported into results.git."""
