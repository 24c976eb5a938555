"""The parts that need the cluster: on the kubelet's real pods, and on the nodes that kwok plays."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from devcluster.layout import default_layout

from bench import arms, controller_manager, kwok, objects, operator_cost, pod_overhead, throughput
from bench.figures import Figure, least, most, worst
from bench.parts import Parts
from bench.scene import Scene, copy_mirrors, make_repository, operator_settings, scene, volume_double
from bench.settings import CLUSTER_QPS, Settings


async def real_pods(settings: Settings, parts: Parts) -> None:
    """The arms and the overhead of a run's pod, on the kubelet."""
    values = operator_settings(CLUSTER_QPS, "", doubled_volume=False)
    shape = objects.job_pod_with_processes
    async with scene(default_layout(), "real", values, make_repository, shape) as real:
        copy_mirrors(real)
        compared = Arms(real, settings, parts, CLUSTER_QPS, arms.ARMS_OF_PROCESSES)
        await compared.compare("real pods", "_real", {settings.real_pods: settings.real_repeats})
        async with _cleared(real, parts, "overhead of a run's pod", settings.longest_part):
            parts.figures += await pod_overhead.start(real, settings.repeats)
        async with _cleared(real, parts, "keeper", settings.longest_part):
            parts.figures += await pod_overhead.keeper(real)


async def kwok_pods(settings: Settings, parts: Parts) -> None:
    """The arms at all sizes with a bound on requests; then without: once the arms, latency, memory, restarts."""
    layout = default_layout()
    with kwok.nodes(layout):
        async with volume_double():
            for qps, sizes in settings.by_bound().items():
                # Restarted before the scene is made: what that needs of it shows that it works again.
                with parts.part(f"kwok, {qps} requests/s each"), controller_manager.bounded(layout, qps):
                    bounded = operator_settings(qps, kwok.RUNTIME_CLASS, doubled_volume=True)
                    async with scene(layout, "kwok", bounded) as played:
                        wanted = {size: settings.repeats_of(size) for size in sizes}
                        comparison = await Arms(played, settings, parts, qps).compare("kwok", "", wanted)
                        parts.figures += throughput.slopes(comparison)
            with parts.part("kwok, no bound"):
                usual = operator_settings(0, kwok.RUNTIME_CLASS, doubled_volume=True)
                async with scene(layout, "kwok", usual) as played:
                    await _operator(played, settings, parts)
                    if settings.unbounded:
                        with controller_manager.unbounded(layout):
                            once = dict.fromkeys(settings.unbounded, 1)
                            await Arms(played, settings, parts, 0).compare("kwok", "_unbounded", once)


async def _operator(played: Scene, settings: Settings, parts: Parts) -> None:
    async with _cleared(played, parts, "idle", settings.longest_part):
        parts.figures += await operator_cost.idle(played)
    async with _cleared(played, parts, "latency", settings.longest_part):
        parts.figures += await operator_cost.latency(played, settings.burst)
    growth = operator_cost.Growth()
    for size in settings.stored:
        async with parts.bounded(f"{size} stored runs", settings.longest_part):
            await growth.measure(played, size)
    async with _cleared(played, parts, "removal of stored runs", settings.longest_part):
        parts.figures += growth.figures()
        await operator_cost.scale(played, 1)


@dataclass(frozen=True)
class Arms:
    """The comparison in one place under one bound: `qps` requests a second for each controller, 0 for none."""

    where: Scene
    settings: Settings
    parts: Parts
    qps: int
    kinds: arms.Arms = field(default_factory=lambda: arms.ARMS)

    async def compare(self, place: str, suffix: str, repeats: Mapping[int, int]) -> throughput.Comparison:
        """Measure all sizes, each so often. `suffix` tells the keys of this place and bound from those of others."""
        bound = f"{self.qps} requests/s each" if self.qps else "no bound"
        comparison = throughput.Comparison(f"{place}, {bound}", suffix, self.kinds)
        for size, often in repeats.items():
            longest = self.settings.longest_of(size, often, self.qps)
            async with _cleared(self.where, self.parts, f"N={size}, {comparison.about}", longest):
                await comparison.measure(self.where, size, often)
        self.parts.figures += comparison.figures()
        return comparison


@asynccontextmanager
async def _cleared(where: Scene, parts: Parts, name: str, longest: float) -> AsyncIterator[None]:
    """A part that leaves nothing to the next one, however it ended."""
    async with parts.bounded(name, longest):
        try:
            yield
        finally:
            await where.clear()


def headlines(figures: Sequence[Figure], bounds: Iterable[int]) -> list[Figure]:
    """The figures that others look for, under plain keys: the worst over all sizes at an equal bound on requests.

    `bounds` are those on kwok's nodes, in requests a second.
    """
    about = f"kwok: {' and '.join(map(str, bounds))} requests/s each, real pods: {CLUSTER_QPS}"
    wanted = (
        ("throughput_vs_jobs", f"C/B, lowest of all N ({about})", least(1.0)),
        ("throughput_vs_indexed_job", f"C/A, lowest of all N ({about})", least(0.5)),
        ("mutating_requests_per_run", f"writes a run, highest of all N ({about})", most(8)),
    )
    found = (worst(figures, rf"{key}_\d+(_real)?", key, label, bar) for key, label, bar in wanted)
    return [figure for figure in found if figure]
