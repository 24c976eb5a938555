"""The volume service over HTTP."""
