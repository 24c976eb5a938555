"""Part 2 and 3: what the operator sends when nothing happens, how fast it answers, what it holds in memory."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import Any

from scripts.deploy import kubectl

from autopack.phases import Phase
from bench import objects
from bench.api import CORE, RUNS
from bench.arms import LEADER_LEASE, run_to_pod
from bench.audit import Mark
from bench.figures import Figure, most
from bench.scene import Scene
from bench.statistics_of import log_log_slope, percentile

JsonDict = dict[str, Any]

IDLE_SECONDS = 30.0
SINGLE_RUNS = 20
PATIENCE_SECONDS = 300.0
SETTLE_SECONDS = 5.0


async def idle(scene: Scene) -> list[Figure]:
    """Requests of an operator that has nothing to do."""
    await scene.settled()
    await asyncio.sleep(SETTLE_SECONDS)
    mark, cpu = scene.audit.mark(), scene.operator().cpu_seconds()
    await asyncio.sleep(IDLE_SECONDS)
    sent = [each for each in scene.audit.since(mark, [scene.runs.namespace]) if each.user == scene.operator_user]
    # A watch is logged when it ends, which it does by itself every few minutes.
    others = [each for each in sent if each.name != LEADER_LEASE and each.verb != "watch"]
    used = (scene.operator().cpu_seconds() - cpu) / IDLE_SECONDS
    return [
        Figure("idle_requests_per_second", "idle: requests/s, the leader's Lease included", [len(sent) / IDLE_SECONDS]),
        Figure("idle_other_requests", "idle: requests but the leader's Lease", [len(others)], most(0)),
        Figure("idle_cpu", "idle: operator, share of a core", [used]),
    ]


async def latency(scene: Scene, burst: int) -> list[Figure]:
    """From the create of a run to the request that makes its pod: one at a time, and many at once; no bound."""
    mark = scene.audit.mark()
    for number in range(SINGLE_RUNS):
        await scene.runs.create(RUNS, "autopackruns", [objects.run(f"single-{number}")])
        await asyncio.sleep(0.5)
    single = run_to_pod(scene.audit.since(mark, [scene.runs.namespace]))
    await scene.clear()
    mark = scene.audit.mark()
    await scene.runs.create(RUNS, "autopackruns", (objects.run(f"burst-{number}") for number in range(burst)))
    many = await _pods_of(scene, mark, burst)
    await scene.clear()
    alone, at_once = "idle, no bound: create to pod POST", f"{burst} at once, no bound: create to pod POST"
    return [
        Figure("idle_latency_p50", f"{alone}, p50 s", [percentile(single, 50)], most(0.1)),
        Figure("idle_latency_p99", f"{alone}, p99 s", [percentile(single, 99)]),
        Figure("burst_latency_p50", f"{at_once}, p50 s", [percentile(many, 50)]),
        Figure("burst_latency_p99", f"{at_once}, p99 s", [percentile(many, 99)], most(5)),
    ]


async def _pods_of(scene: Scene, mark: Mark, count: int) -> list[float]:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        await asyncio.sleep(1)
        found = run_to_pod(scene.audit.since(mark, [scene.runs.namespace]))
        if len(found) == count:
            return found
        if time.monotonic() > deadline:
            raise SystemExit(f"{len(found)} of {count} runs have a pod after {PATIENCE_SECONDS:.0f} s")


@dataclass
class Growth:
    """Memory and restarts by number of stored runs."""

    resident: dict[int, float] = field(default_factory=dict)
    peak: dict[int, float] = field(default_factory=dict)
    restart: dict[int, float] = field(default_factory=dict)
    _model: JsonDict = field(default_factory=dict)
    _stored: int = 0

    async def measure(self, scene: Scene, size: int) -> None:
        """Store finished runs, up to so many, while the operator is away; then start it, look at it, and restart it."""
        if not self._model:
            self._model = await _finished_status(scene)
        await scale(scene, 0)
        await _store(scene, self._model, range(self._stored, size))
        self._stored = max(self._stored, size)
        await scale(scene, 1)
        await scene.settled(PATIENCE_SECONDS)
        await asyncio.sleep(SETTLE_SECONDS)
        self.restart[size] = await _restart(scene, size)
        await asyncio.sleep(SETTLE_SECONDS)
        self.resident[size], self.peak[size] = scene.operator().resident_mib(), scene.operator().peak_mib()
        print(f"{size} stored runs: {self.resident[size]:.0f} MiB, restart {self.restart[size]:.1f} s", flush=True)

    def figures(self) -> list[Figure]:
        """The lines of the table."""
        found = []
        for size, value in self.resident.items():
            bar = most(250) if size == max(self.resident) and size >= 10_000 else None
            found.append(Figure(f"rss_mib_at_{size}", f"{size} stored runs: operator, MiB resident", [value], bar))
            found.append(Figure(f"peak_mib_at_{size}", f"{size} stored runs: operator, MiB at most", [self.peak[size]]))
        for size, value in self.restart.items():
            bar = most(30) if size >= 10_000 else None
            label = f"{size} stored runs, no bound: restart, s"
            found.append(Figure(f"restart_seconds_at_{size}", label, [value], bar))
        base = self.resident.get(0)
        grown = [(n, value - base) for n, value in self.resident.items() if n and base is not None]
        restarts = [(n, value) for n, value in self.restart.items() if n]
        for key, label, points in (("rss", "memory above that of none", grown), ("restart", "restart", restarts)):
            if len(points) > 1:
                text = f"{label}, {points[0][0]} to {points[-1][0]} stored runs, log-log slope"
                found.append(Figure(f"slope_{key}", text, [log_log_slope(points)], most(1.1)))
        return found


async def scale(scene: Scene, replicas: int) -> None:
    """Stop or start the operator, and wait until it has."""
    where = ["-n", scene.runs.namespace]
    kubectl("scale", "deployment/autopack-operator", f"--replicas={replicas}", *where)
    if replicas:
        kubectl("rollout", "status", "deployment/autopack-operator", "--timeout=120s", *where, timeout=150)
    else:
        selector = ["-l", "app.kubernetes.io/component=operator"]
        kubectl("wait", "pod", "--for=delete", "--timeout=120s", *selector, *where, timeout=150)


async def _finished_status(scene: Scene) -> JsonDict:
    """The status of a run as the operator leaves it."""
    await scene.runs.create(RUNS, "autopackruns", [objects.run("finished")])
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        found = await scene.runs.glance(RUNS, "autopackruns", "finished")
        if found.get("status", {}).get("phase") == Phase.SUCCEEDED:
            await scene.clear()
            return dict(found["status"])
        if time.monotonic() > deadline:
            raise SystemExit(f"a run did not succeed: {json.dumps(found.get('status'))}")
        await asyncio.sleep(0.5)


async def _store(scene: Scene, model: JsonDict, numbers: range) -> None:
    names = [f"stored-{number}" for number in numbers]
    await scene.runs.create(RUNS, "autopackruns", (objects.run(name) for name in names))
    await scene.runs.put_statuses(RUNS, "AutopackRun", "autopackruns", names, model)


async def _restart(scene: Scene, size: int) -> float:
    """Seconds from the deletion of the operator's pod until its successor has made the pod of a run that is new, and
    has nothing left to do.
    """
    mark, started = scene.audit.mark(), time.monotonic()
    # Returns when the old one is gone and cannot take the new run any more.
    kubectl("delete", "pod", "-l", "app.kubernetes.io/component=operator", "-n", scene.runs.namespace)
    await scene.runs.create(RUNS, "autopackruns", [objects.run(f"probe-{size}")])
    while not run_to_pod(scene.audit.since(mark, [scene.runs.namespace])):
        if time.monotonic() - started > PATIENCE_SECONDS:
            raise SystemExit(f"not converged {PATIENCE_SECONDS:.0f} s after a restart with {size} stored runs")
        await asyncio.sleep(0.3)
    await scene.settled(PATIENCE_SECONDS)
    seconds = time.monotonic() - started
    await scene.runs.clear(CORE, "pods", labelSelector=f"autopack.dev/run=probe-{size}")
    return seconds
