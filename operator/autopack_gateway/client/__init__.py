"""Asks the model gateway over HTTP."""
