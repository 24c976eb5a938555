"""The publisher, over HTTP."""
