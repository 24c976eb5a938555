"""Whether memory holds steady: `python -m bench.churn` starts 5 runs a second on kwok's nodes for an hour.

Each of them is deleted a while after its end. Prints how the operator's memory grows, with a bar; the last line is a
JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from collections.abc import Mapping

from devcluster.layout import default_layout
from scripts import deploy

from bench import kwok, objects
from bench.api import CORE, RUNS
from bench.figures import Figure, document, most, table
from bench.parts import end_tidily
from bench.scene import Scene, operator_settings, scene, volume_double

RUNS_PER_SECOND = 5
KEPT_SECONDS = 60
SAMPLE_SECONDS = 10.0
WARM_UP = 0.2
"""This share of the time is left out of the slope: caches and memory pools fill first."""

STEADY_MIB_PER_HOUR = 10.0
"""An hour has 18,000 runs: this is half a kilobyte of each, less than anything that could be kept of one."""

SHORTEST_MINUTES = 1.0
"""Less gives too few samples for a slope."""


async def churn(churned: Scene, minutes: float) -> list[tuple[float, float]]:
    """Start runs at the rate; returns (minutes since the start, MiB resident). Ends the process when the operator's
    ends: a new one begins with little memory, so crashes would pass for steadiness. So would runs that fail.
    """
    samples: list[tuple[float, float]] = []
    operator = churned.operator()
    started = time.monotonic()
    number = 0
    while (passed := time.monotonic() - started) < minutes * 60:
        if passed >= len(samples) * SAMPLE_SECONDS:
            samples.append((passed / 60, operator.resident_mib()))
        due = int(passed * RUNS_PER_SECOND)
        await churned.runs.create(RUNS, "autopackruns", (_short_lived(each) for each in range(number, due)))
        number = due
        await asyncio.sleep(0.2)
    await churned.settled(300)
    if failed := failures(await churned.metrics()):
        raise SystemExit(f"{failed:g} of {number} runs did not succeed")
    left = len((await churned.runs.get(CORE, "pods", labelSelector="app.kubernetes.io/component=run"))["items"])
    print(f"{number} runs in {minutes:g} minutes; {left} pods are left, of the last {KEPT_SECONDS} s")
    return samples


def failures(metrics: Mapping[str, float]) -> float:
    """How many runs ended otherwise than well."""
    ended = ((name, count) for name, count in metrics.items() if name.startswith("autopack_runs_finished_total"))
    return sum(count for name, count in ended if 'phase="Succeeded"' not in name)


def _short_lived(number: int) -> dict[str, object]:
    body = objects.run(f"churn-{number}")
    body["spec"]["ttlSecondsAfterFinished"] = {"succeeded": KEPT_SECONDS, "failed": KEPT_SECONDS}
    return body


def slope(samples: list[tuple[float, float]]) -> float:
    """MiB an hour, after the warm-up."""
    counted = samples[int(len(samples) * WARM_UP) :]
    grown, _ = statistics.linear_regression([minute for minute, _ in counted], [mib for _, mib in counted])
    return grown * 60


def figures_of(samples: list[tuple[float, float]]) -> list[Figure]:
    """The lines of the table."""
    about = f"{RUNS_PER_SECOND} runs/s for {samples[-1][0]:.0f} minutes, no bound"
    counted = f"operator's memory, MiB an hour, the first {WARM_UP:.0%} of the time left out"
    return [
        Figure("slope_mib_per_hour", f"{about}: {counted}", [slope(samples)], most(STEADY_MIB_PER_HOUR)),
        Figure("first_mib", f"{about}: operator, MiB resident at first", [samples[0][1]]),
        Figure("last_mib", f"{about}: operator, MiB resident at last", [samples[-1][1]]),
    ]


async def measure(minutes: float) -> None:
    """Print the samples, a table, then the JSON line."""
    deploy.cluster_with_images()
    with kwok.nodes(default_layout()):
        async with volume_double():
            values = operator_settings(0, kwok.RUNTIME_CLASS, doubled_volume=True)
            async with scene(default_layout(), "churn", values) as churned:
                samples = await churn(churned, minutes)
    for minute, mib in samples:
        print(f"{minute:6.1f} min {mib:8.1f} MiB")
    figures = figures_of(samples)
    print(f"\n{table(figures, {})}\n")
    print(document(figures, {"minutes": minutes, "runs_per_second": RUNS_PER_SECOND}))


def main() -> None:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.churn", description="Memory over an hour of churn.")
    parser.add_argument("--minutes", type=float, default=60.0, help=f"{SHORTEST_MINUTES:g} or more")
    minutes = parser.parse_args().minutes
    if not minutes >= SHORTEST_MINUTES:
        parser.error(f"--minutes is {SHORTEST_MINUTES:g} or more, not {minutes:g}")
    end_tidily()
    asyncio.run(measure(minutes))


if __name__ == "__main__":
    main()
