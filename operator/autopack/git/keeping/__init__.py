"""Keeping what a run made and no ref of its own reaches: found in its object stores, pinned by one commit."""
