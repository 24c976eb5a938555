"""Attempts: prepared, resumed, committed, and what is pinned of them."""
