"""The level-triggered core: work queue, reconcilers, and the loop that joins decision and effect."""
