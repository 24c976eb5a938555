"""The registry: what became of every run, as rows in Postgres or in the run's own SQLite file.

It is a projection that may be lost and made again: each row is written to a file first (`outbox`), sent when the
database answers (`delivery`), and sending it twice changes nothing (`store`).
"""
