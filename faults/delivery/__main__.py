"""`python -m faults.delivery --deliveries 1000`: so many deliveries, each with a fault at one of its requests.

Needs no cluster. What is moved away from by somebody else is not among the number: it must not be delivered.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections import Counter

from faults.delivery.campaign import play, record, workplace
from faults.delivery.plans import cycle, delivery_plans
from faults.lane import Verdict
from faults.plan import Kind

REPORT_EVERY = 100


class _Count:
    """What the last line says."""

    def __init__(self) -> None:
        self.wrong: Counter[str] = Counter()
        self.by_fault: Counter[str] = Counter()
        self.played = self.moved = self.never_fired = 0

    def take(self, verdict: Verdict) -> None:
        self.played += 1
        self.by_fault[verdict.plan.fault.kind] += 1
        self.moved += verdict.plan.fault.kind is Kind.REMOTE_MOVED
        self.never_fired += not verdict.fired
        self.wrong.update(said.partition(":")[0] for said in verdict.wrong)
        if verdict.wrong or not verdict.fired:
            print(f"WRONG {verdict.trial} {verdict.plan}: {'; '.join(verdict.wrong) or 'never fired'}", flush=True)
        if self.played % REPORT_EVERY == 0:
            print(f"{self.played} deliveries, {self.wrong.total()} wrong", flush=True)


async def _play(deliveries: int, lanes: int) -> int:
    count, begun = _Count(), time.monotonic()
    async with workplace() as folder:
        plans = delivery_plans(await asyncio.to_thread(record, folder))
        print(f"{len(plans)} plans", flush=True)
        opened = await play(cycle(plans, deliveries), lanes, folder, count.take)
        arrived = [lane.arrived() for lane in opened]
        line = {
            "deliveries": count.played - count.moved,
            "moved": count.moved,
            "branches": sum(branches for branches, _ in arrived),
            "pull_requests": sum(pulls for _, pulls in arrived),
            "doubled": count.wrong["doubled"],
            "lost": count.wrong["lost"],
            "forced_over": count.wrong["forced"],
            "wrong": count.wrong.total(),
            "never_fired": count.never_fired,
            "publishers_started": sum(lane.publisher.starts for lane in opened),
            "by_fault": dict(sorted(count.by_fault.items())),
            "seconds": round(time.monotonic() - begun),
        }
        print(json.dumps(line), flush=True)
    return 1 if count.wrong or count.never_fired else 0


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="faults.delivery", description=__doc__)
    parser.add_argument("--deliveries", type=int, default=1000, help="how many have to arrive")
    parser.add_argument("--lanes", type=int, default=2, help="hosts, each with a publisher, at the same time")
    arguments = parser.parse_args()
    return asyncio.run(_play(arguments.deliveries, arguments.lanes))


if __name__ == "__main__":
    sys.exit(main())
