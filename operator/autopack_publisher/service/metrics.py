"""What the publisher counts."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, generate_latest


class Metrics:
    """One set of counters per service."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "autopack_publisher_requests", "Requests answered.", ("route", "status"), registry=self._registry
        )
        self.answers = Counter(
            "autopack_publisher_answers",
            "Answers about deliveries, by state and reason.",
            ("state", "reason"),
            registry=self._registry,
        )

    def exposition(self) -> bytes:
        """Return all of them in Prometheus' text format."""
        return generate_latest(self._registry)
