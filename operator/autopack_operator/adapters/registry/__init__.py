"""The registry's database: Postgres, or a SQLite file of the operator's own."""
