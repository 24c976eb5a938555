"""Prometheus metrics. Labels are bounded: kinds and phases, never names of runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from autopack.agents.usage import Usage

_RECONCILE_BUCKETS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_WORKTREE_BUCKETS = (0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600)


class PrometheusTelemetry:
    """Implements ports.telemetry.Telemetry."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._reconcile = Histogram(
            "autopack_reconcile_seconds",
            "Seconds of one reconcile.",
            ["kind"],
            buckets=_RECONCILE_BUCKETS,
            registry=self.registry,
        )
        self._contention = Counter(
            "autopack_lease_contention_total", "Leases found held by somebody else.", registry=self.registry
        )
        self._worktree = Histogram(
            "autopack_worktree_seconds",
            "Seconds from a pod's creation to its ready worktree.",
            buckets=_WORKTREE_BUCKETS,
            registry=self.registry,
        )
        self._finished = Counter(
            "autopack_runs_finished_total", "Runs that reached a terminal phase.", ["phase"], registry=self.registry
        )
        self._deliveries = Counter(
            "autopack_deliveries_total", "Deliveries of runs that came to an end.", ["state"], registry=self.registry
        )
        self._tokens = Counter(
            "autopack_tokens_total",
            "Tokens that agents say they used; cached is the part of input that came from the provider's cache.",
            ["kind"],
            registry=self.registry,
        )
        self._cost = Counter("autopack_cost_usd_total", "US dollars that agents say they cost.", registry=self.registry)
        self.leader = Gauge("autopack_leader", "1 while this process leads.", registry=self.registry)

    @contextmanager
    def reconcile(self, kind: str) -> Iterator[None]:
        """Time one reconcile."""
        started = perf_counter()
        try:
            yield
        finally:
            self._reconcile.labels(kind).observe(perf_counter() - started)

    def lease_contention(self) -> None:
        """Count one."""
        self._contention.inc()

    def worktree_ready(self, seconds: float) -> None:
        """Observe one."""
        self._worktree.observe(seconds)

    def agent_used(self, usage: Usage) -> None:
        """Add it up."""
        for kind, number in (
            ("input", usage.input_tokens),
            ("cached", usage.cached_tokens),
            ("output", usage.output_tokens),
        ):
            self._tokens.labels(kind).inc(number or 0)
        self._cost.inc((usage.micro_usd or 0) / 1_000_000)

    def run_finished(self, phase: str) -> None:
        """Count one."""
        self._finished.labels(phase).inc()

    def delivery_ended(self, state: str) -> None:
        """Count one."""
        self._deliveries.labels(state).inc()

    def watch_state(self, depth: Callable[[], int], phases: Callable[[], dict[str, int]]) -> None:
        """Read queue depth and runs by phase at each scrape rather than at each change."""
        self.registry.register(_State(depth, phases))

    def watch_registry(self, problem: Callable[[], str | None]) -> None:
        """Ask at each scrape whether the registry can be written."""
        away = Gauge(
            "autopack_registry_away",
            "1 while the registry's database cannot be written: rows wait, runs go on.",
            registry=self.registry,
        )
        away.set_function(lambda: float(problem() is not None))

    def render(self) -> bytes:
        """The text of /metrics."""
        return generate_latest(self.registry)


class _State(Collector):
    def __init__(self, depth: Callable[[], int], phases: Callable[[], dict[str, int]]) -> None:
        self._depth, self._phases = depth, phases

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Called at each scrape."""
        yield GaugeMetricFamily("autopack_workqueue_depth", "Keys that wait for a worker.", value=self._depth())
        runs = GaugeMetricFamily("autopack_runs", "AutopackRuns by phase.", labels=["phase"])
        for phase, count in sorted(self._phases().items()):
            runs.add_metric([phase], count)
        yield runs
