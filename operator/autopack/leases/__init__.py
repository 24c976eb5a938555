"""Leases: who may work on something, one at a time, whatever keeps the record (files here, Lease objects elsewhere)."""
