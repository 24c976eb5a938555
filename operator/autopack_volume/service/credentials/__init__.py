"""Credentials for reading repositories: which one an address gets, and how git gets it."""
