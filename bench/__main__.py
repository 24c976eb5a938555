"""`python -m bench`: everything that can be measured on one machine, ratios side by side in one run.

Prints progress, a table, and one JSON object as its last line. Needs the embedded cluster (`make cluster`): processes
are looked at through /proc, and requests through the API server's audit log.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
from collections.abc import Sequence

from devcluster.layout import default_layout
from scripts import deploy

from bench import baseline, controller_manager, kwok, operator_cost, pod_overhead, throughput
from bench.figures import Figure, document, least, most, table
from bench.scene import Scene, make_repository, operator_settings, scene, volume_double
from bench.settings import FULL, QUICK, Settings

NOT_QUICK = ("rss_mib_at_10000", "restart_seconds_at_10000")
"""Keys that others look for, and that a quick run has no value for."""


async def measure(settings: Settings) -> list[Figure]:
    """All parts that the settings name, one after the other: two at once would measure each other."""
    deploy.cluster_with_images()
    found: list[Figure] = []
    if settings.real_pods:
        found += await _on_real_pods(settings)
    with kwok.nodes(default_layout()):
        async with volume_double():
            found += await _on_kwok(settings)
    return found


async def _on_real_pods(settings: Settings) -> list[Figure]:
    values = operator_settings(settings.qps, "", doubled_volume=False)
    async with scene(default_layout(), "real", values, prepare=make_repository) as real:
        comparison = throughput.Comparison()
        await comparison.measure(real, settings.real_pods, settings.repeats)
        return comparison.figures("_real", "real pods") + await pod_overhead.measure(real, settings.repeats)


async def _on_kwok(settings: Settings) -> list[Figure]:
    layout = default_layout()
    bounded = operator_settings(settings.qps, kwok.RUNTIME_CLASS, doubled_volume=True)
    async with scene(layout, "kwok", bounded) as played:
        comparison = throughput.Comparison()
        for size in settings.sizes:
            await comparison.measure(played, size, settings.repeats_of(size))
    found = comparison.figures("", f"kwok, {settings.qps} requests/s each") + throughput.slopes(comparison)
    usual = operator_settings(0, kwok.RUNTIME_CLASS, doubled_volume=True)
    async with scene(layout, "kwok", usual) as played:
        if settings.unbounded:
            found += await _unbounded(played, settings.unbounded)
        found += await operator_cost.idle(played)
        found += await operator_cost.latency(played, settings.burst)
        if settings.stored:
            growth = operator_cost.Growth()
            await growth.measure(played, settings.stored)
            found += growth.figures()
    return found


async def _unbounded(played: Scene, sizes: Sequence[int]) -> list[Figure]:
    comparison = throughput.Comparison()
    with controller_manager.unbounded(default_layout()):
        for size in sizes:
            await comparison.measure(played, size, 1)
    return comparison.figures("_unbounded", "kwok, no bound")


def headlines(figures: Sequence[Figure]) -> list[Figure]:
    """The figures that others look for, under plain keys: the worst over all sizes at an equal bound on requests."""
    return [
        throughput.worst(figures, "throughput_vs_jobs", "C/B, lowest of all N", least(1.0)),
        throughput.worst(figures, "throughput_vs_indexed_job", "C/A, lowest of all N", least(0.5)),
        throughput.worst(figures, "mutating_requests_per_run", "writes a run, highest of all N", most(8)),
    ]


def worktrees(quick: bool) -> dict[str, object]:
    """The part without a cluster, in a process of its own."""
    arguments = ["--rounds", "3", "--files", "2000"] if quick else []
    command = [sys.executable, "-m", "bench.worktrees", *arguments]
    done = subprocess.run(command, cwd=deploy.ROOT, check=True, capture_output=True, text=True)
    *lines, last = done.stdout.splitlines()
    print("\n".join(lines), flush=True)
    found: dict[str, object] = json.loads(last)
    return found


def main() -> int:
    """Measure, print, compare; returns the exit code: 1 when --check found a regression."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Speed, scale and cost, side by side.")
    parser.add_argument("--quick", action="store_true", help="small sizes and one repeat: within 5 minutes")
    parser.add_argument("--repeats", type=int, help="of each comparison (default: 5, or 1 when quick)")
    parser.add_argument("--sizes", help="N of the kwok arms, as 100,1000,5000")
    parser.add_argument("--unbounded", help="N of the arms without a bound on requests, as 100,1000")
    parser.add_argument("--check", action="store_true", help=f"fail when a ratio is worse than in {baseline.PATH.name}")
    parser.add_argument("--save", action="store_true", help=f"make this run's ratios {baseline.PATH.name}")
    options = parser.parse_args()
    settings = (QUICK if options.quick else FULL).changed(options.repeats, options.sizes, options.unbounded)
    known = baseline.load() if options.check else {}
    figures = asyncio.run(measure(settings))
    trees = worktrees(options.quick)
    figures = [*headlines(figures), *figures]
    print(f"\n{settings}\n\n{table(figures)}\n")
    line = document(figures, dict.fromkeys(NOT_QUICK) | trees)
    problems = baseline.regressions(json.loads(line), known) if options.check else []
    if options.save:
        baseline.save(json.loads(line))
    for problem in problems:
        print(f"regressed by more than {baseline.TOLERATED:.0%}: {problem}")
    print(line)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
