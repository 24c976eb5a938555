"""`python -m bench`: everything that can be measured on one machine, ratios side by side in one run.

Prints progress, a table, and one JSON object as its last line. Needs the embedded cluster (`make cluster`): processes
are looked at through /proc, and requests through the API server's audit log.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys

from scripts import deploy

from bench import baseline, gateway, objects, on_cluster, worktrees
from bench.figures import document, table
from bench.parts import Parts, end_tidily
from bench.settings import FULL, LARGE, MAX_QPS, QUICK, Settings

EXPECTED = ("worktree_vs_git", "throughput_vs_jobs", "rss_mib_at_10000", "restart_seconds_at_10000")
"""Keys that others look for: null in the JSON line of a run that has no value for them."""


async def measure(settings: Settings, parts: Parts) -> None:
    """All parts that the settings name, one after the other: two at once would measure each other."""
    with parts.part("cluster"):
        deploy.cluster_with_images()
        if settings.real_pods:
            with parts.part("real pods"):
                await on_cluster.real_pods(settings, parts)
        with parts.part("kwok"):
            await on_cluster.kwok_pods(settings, parts)


def main() -> int:
    """Measure, print, compare; returns the exit code: 1 when --check found a regression or a part was not measured."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Speed, scale and cost, side by side.")
    parser.add_argument("--quick", action="store_true", help="small sizes and few repeats: within 5 minutes")
    parser.add_argument("--repeats", type=int, help=f"of each comparison with N below {LARGE}, where it is one")
    usual = f"{FULL.qps} requests/s, from N={LARGE} on {FULL.large_qps}"
    parser.add_argument("--qps", type=int, help=f"bound on each controller, kwok (default: {usual})")
    parser.add_argument("--sizes", help="N of the kwok arms, as 100,1000,5000")
    parser.add_argument("--unbounded", help="N of the arms without a bound on requests, as 100,1000")
    parser.add_argument("--stored", help="numbers of stored runs, as 0,1000,10000")
    parser.add_argument("--real-pods", help="N of the arms on the kubelet; 0 for none")
    parser.add_argument("--no-worktrees", action="store_true", help="leave out what needs no cluster")
    parser.add_argument("--check", action="store_true", help=f"fail when a ratio is worse than in {baseline.PATH.name}")
    parser.add_argument("--save", action="store_true", help=f"make this run's ratios {baseline.PATH.name}")
    options = parser.parse_args()
    given = {name: vars(options)[name] for name in ("sizes", "unbounded", "stored", "real_pods")}
    settings = (QUICK if options.quick else FULL).changed(given, options.repeats, options.qps)
    try:
        refuse_impossible(settings)
    except ValueError as error:
        parser.error(str(error))
    end_tidily()
    known = baseline.load() if options.check else {}
    parts = Parts()
    asyncio.run(measure(settings, parts))
    if not options.no_worktrees:
        worktrees.measure(settings.trees, parts)
        gateway.measure(parts)
    headlines = on_cluster.headlines(parts.figures, settings.by_bound()) + worktrees.headlines(parts.figures)
    figures = headlines + parts.figures
    print(f"\n{settings}\n\n{table(figures, parts.lost)}\n\nseconds: {parts.seconds}\n")
    also = {"qps": settings.qps, "large_qps": settings.large_qps, "not_measured": parts.lost, "seconds": parts.seconds}
    line = document(figures, dict.fromkeys(EXPECTED) | also)
    problems = _regressions(line, known) if options.check else []
    if options.save:
        baseline.save(json.loads(line))
    for problem in problems:
        print(problem)
    print(line)
    return 1 if problems or parts.lost else 0


def refuse_impossible(settings: Settings) -> None:
    """Say at once what would only show after minutes. Raises ValueError."""
    for size in (*settings.sizes, *settings.unbounded, *([settings.real_pods] if settings.real_pods else ())):
        objects.axes(size)
    if not 1 <= settings.qps <= MAX_QPS:
        raise ValueError(f"--qps is 1 to {MAX_QPS}, not {settings.qps}; without a bound are the arms of --unbounded")


def _regressions(line: str, known: dict[str, float]) -> list[str]:
    try:
        found = baseline.regressions(json.loads(line), known)
    except ValueError as error:
        return [str(error)]
    return [f"regressed by more than {baseline.TOLERATED:.0%}: {each}" for each in found]


if __name__ == "__main__":
    sys.exit(main())
