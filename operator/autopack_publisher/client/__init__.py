"""Asks the publisher over HTTP."""
