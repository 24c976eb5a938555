"""What the service counts."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest


class Metrics:
    """One set of counters per service."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        seconds = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 600)
        self.requests = Counter(
            "autopack_volume_requests", "Requests answered.", ("route", "status"), registry=self._registry
        )
        self.fetch_seconds = Histogram(
            "autopack_volume_fetch_seconds", "Time of fetches.", registry=self._registry, buckets=seconds
        )
        self.import_seconds = Histogram(
            "autopack_volume_import_seconds", "Time of commits of results.", registry=self._registry, buckets=seconds
        )

        self.bytes = Gauge(
            "autopack_volume_bytes", "Bytes of the volume by what takes them up.", ("kind",), registry=self._registry
        )
        self.removed = Counter(
            "autopack_volume_removed", "What retention removed from the volume.", ("kind",), registry=self._registry
        )

    def exposition(self) -> bytes:
        """Return all of them in Prometheus' text format."""
        return generate_latest(self._registry)
