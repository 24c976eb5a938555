"""What the gateway counts."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_WAITS = (0.005, 0.02, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 600)


class Metrics:
    """One set of counters per gateway."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "autopack_gateway_requests",
            "Requests of runs that were answered.",
            ("provider", "status"),
            registry=self._registry,
        )
        self.refused = Counter(
            "autopack_gateway_refused",
            "Requests of runs that the gateway itself refused.",
            ("reason",),
            registry=self._registry,
        )
        self.retries = Counter(
            "autopack_gateway_retries",
            "Refusals of a provider that were tried again.",
            ("provider", "status"),
            registry=self._registry,
        )
        self.tokens = Counter(
            "autopack_gateway_tokens", "Tokens that counted.", ("provider", "model", "kind"), registry=self._registry
        )
        self.cost = Counter(
            "autopack_gateway_cost_usd", "What they cost.", ("provider", "model"), registry=self._registry
        )
        self.wait_seconds = Histogram(
            "autopack_gateway_wait_seconds",
            "Time from a request's arrival to the first byte that is sent to the provider.",
            ("provider",),
            buckets=_WAITS,
            registry=self._registry,
        )
        self.upstream_seconds = Histogram(
            "autopack_gateway_first_byte_seconds",
            "Time from there to the first byte of the provider's answer.",
            ("provider",),
            buckets=_WAITS,
            registry=self._registry,
        )
        self.width = Gauge(
            "autopack_gateway_concurrency",
            "How many requests a provider gets at once now.",
            ("provider",),
            registry=self._registry,
        )
        self.under_way = Gauge(
            "autopack_gateway_under_way", "Requests at a provider.", ("provider",), registry=self._registry
        )
        self.waiting = Gauge(
            "autopack_gateway_waiting", "Requests that wait for a turn.", ("provider",), registry=self._registry
        )
        self.active = Gauge(
            "autopack_gateway_active", "1 for the active gateway, 0 for the standby.", registry=self._registry
        )

    def exposition(self) -> bytes:
        """Return all of them in Prometheus' text format."""
        return generate_latest(self._registry)
