"""Probes and metrics of the operator's own process."""
