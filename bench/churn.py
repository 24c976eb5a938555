"""Whether memory holds steady: `python -m bench.churn` starts 5 runs a second on kwok's nodes for an hour.

Each of them is deleted a while after its end. Prints how the operator's memory grows; the last line is a JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import time

from devcluster.layout import default_layout
from scripts import deploy

from bench import kwok, objects
from bench.api import CORE, RUNS
from bench.scene import Scene, operator_settings, scene, volume_double

RUNS_PER_SECOND = 5
KEPT_SECONDS = 60
SAMPLE_SECONDS = 10.0
WARM_UP = 0.2
"""This share of the time is left out of the slope: caches and memory pools fill first."""


async def churn(churned: Scene, minutes: float) -> list[tuple[float, float]]:
    """Start runs at the rate; returns (minutes since the start, MiB resident)."""
    samples: list[tuple[float, float]] = []
    started = time.monotonic()
    number = 0
    while (passed := time.monotonic() - started) < minutes * 60:
        if passed >= len(samples) * SAMPLE_SECONDS:
            samples.append((passed / 60, churned.operator().resident_mib()))
        due = int(passed * RUNS_PER_SECOND)
        await churned.runs.create(RUNS, "autopackruns", (_short_lived(each) for each in range(number, due)))
        number = due
        await asyncio.sleep(0.2)
    await churned.settled(300)
    left = len((await churned.runs.get(CORE, "pods", labelSelector="app.kubernetes.io/component=run"))["items"])
    print(f"{number} runs in {minutes:g} minutes; {left} pods are left, of the last {KEPT_SECONDS} s")
    return samples


def _short_lived(number: int) -> dict[str, object]:
    body = objects.run(f"churn-{number}")
    body["spec"]["ttlSecondsAfterFinished"] = {"succeeded": KEPT_SECONDS, "failed": KEPT_SECONDS}
    return body


def slope(samples: list[tuple[float, float]]) -> float:
    """MiB an hour, after the warm-up."""
    counted = samples[int(len(samples) * WARM_UP) :]
    grown, _ = statistics.linear_regression([minute for minute, _ in counted], [mib for _, mib in counted])
    return grown * 60


async def measure(minutes: float) -> None:
    """Print the samples, then the JSON line."""
    deploy.cluster_with_images()
    with kwok.nodes(default_layout()):
        async with volume_double():
            values = operator_settings(0, kwok.RUNTIME_CLASS, doubled_volume=True)
            async with scene(default_layout(), "churn", values) as churned:
                samples = await churn(churned, minutes)
    for minute, mib in samples:
        print(f"{minute:6.1f} min {mib:8.1f} MiB")
    figures = {"minutes": minutes, "runs_per_second": RUNS_PER_SECOND, "last_mib": round(samples[-1][1], 1)}
    print(json.dumps(figures | {"slope_mib_per_hour": round(slope(samples), 2)}))


def main() -> None:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.churn", description="Memory over an hour of churn.")
    parser.add_argument("--minutes", type=float, default=60.0)
    asyncio.run(measure(parser.parse_args().minutes))


if __name__ == "__main__":
    main()
