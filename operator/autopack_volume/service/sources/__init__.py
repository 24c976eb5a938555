"""Repositories: fetched, imported, looked up, repaired."""
