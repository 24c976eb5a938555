"""Asks the volume service over HTTP."""
