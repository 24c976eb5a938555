"""Alembic's folder: how the registry's tables came to be, step by step."""
