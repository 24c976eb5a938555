"""The parts that need the cluster: on the kubelet's real pods, and on the nodes that kwok plays."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from devcluster.layout import default_layout

from bench import controller_manager, kwok, objects, operator_cost, pod_overhead, throughput
from bench.figures import Figure, least, most, worst
from bench.parts import Parts
from bench.scene import Scene, make_repository, operator_settings, scene, volume_double
from bench.settings import Settings


async def real_pods(settings: Settings, parts: Parts) -> None:
    """The arms and the overhead of a run's pod, on the kubelet."""
    values = operator_settings(settings.qps, "", doubled_volume=False)
    shape = objects.job_pod_with_processes
    async with scene(default_layout(), "real", values, make_repository, shape) as real:
        about = f"real pods, {settings.qps} requests/s each"
        await _compare(real, [settings.real_pods], settings, parts, "_real", about)
        async with _cleared(real, parts, "overhead of a run's pod", settings):
            parts.figures += await pod_overhead.start(real, settings.repeats)
        async with _cleared(real, parts, "keeper", settings):
            parts.figures += await pod_overhead.keeper(real)


async def kwok_pods(settings: Settings, parts: Parts) -> None:
    """The arms at all sizes with a bound on requests; then without: once the arms, latency, memory, restarts."""
    layout = default_layout()
    with kwok.nodes(layout):
        async with volume_double():
            with parts.part("kwok, bounded"):
                bounded = operator_settings(settings.qps, kwok.RUNTIME_CLASS, doubled_volume=True)
                async with scene(layout, "kwok", bounded) as played:
                    about = f"kwok, {settings.qps} requests/s each"
                    comparison = await _compare(played, settings.sizes, settings, parts, "", about)
                    parts.figures += throughput.slopes(comparison)
            with parts.part("kwok, no bound"):
                usual = operator_settings(0, kwok.RUNTIME_CLASS, doubled_volume=True)
                async with scene(layout, "kwok", usual) as played:
                    await _operator(played, settings, parts)
                    if settings.unbounded:
                        with controller_manager.unbounded(layout):
                            await _compare(
                                played, settings.unbounded, settings, parts, "_unbounded", "kwok, no bound", once=True
                            )


async def _operator(played: Scene, settings: Settings, parts: Parts) -> None:
    async with _cleared(played, parts, "idle", settings):
        parts.figures += await operator_cost.idle(played)
    async with _cleared(played, parts, "latency", settings):
        parts.figures += await operator_cost.latency(played, settings.burst)
    growth = operator_cost.Growth()
    for size in settings.stored:
        async with parts.bounded(f"{size} stored runs", settings.longest_part):
            await growth.measure(played, size)
    async with _cleared(played, parts, "removal of stored runs", settings):
        parts.figures += growth.figures()
        await operator_cost.scale(played, 1)


async def _compare(
    where: Scene, sizes: Sequence[int], settings: Settings, parts: Parts, suffix: str, about: str, *, once: bool = False
) -> throughput.Comparison:
    comparison = throughput.Comparison()
    for size in sizes:
        async with _cleared(where, parts, f"N={size}, {about}", settings):
            await comparison.measure(where, size, 1 if once else settings.repeats_of(size))
    parts.figures += comparison.figures(suffix, about)
    return comparison


@asynccontextmanager
async def _cleared(where: Scene, parts: Parts, name: str, settings: Settings) -> AsyncIterator[None]:
    """A part that leaves nothing to the next one, however it ended."""
    async with parts.bounded(name, settings.longest_part):
        try:
            yield
        finally:
            await where.clear()


def headlines(figures: Sequence[Figure]) -> list[Figure]:
    """The figures that others look for, under plain keys: the worst over all sizes at an equal bound on requests."""
    wanted = (
        ("throughput_vs_jobs", "C/B, lowest of all N", least(1.0)),
        ("throughput_vs_indexed_job", "C/A, lowest of all N", least(0.5)),
        ("mutating_requests_per_run", "writes a run, highest of all N", most(8)),
    )
    found = (worst(figures, rf"{key}_\d+(_real)?", key, label, bar) for key, label, bar in wanted)
    return [figure for figure in found if figure]
