"""The model gateway over HTTP."""
