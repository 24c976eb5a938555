"""Delivering a local run: with the user's own git, and with the token that gh, glab or tea would take."""
