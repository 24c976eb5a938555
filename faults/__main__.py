"""`python -m faults full|quick|FILE`: play all plans, a sample of them, or those of a file."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from scripts import deploy

from faults import nodes
from faults.campaign import campaign, store
from faults.plan import Plan, Plans
from faults.recipes import database_plans, disk_plans, memory_plans, node_plans, plans, real_plans, sample
from faults.workloads import ORDINARY, WORKLOADS

QUICK_TRIALS = 160
REAL_TRIALS = 110
PLAYED = frozenset({"database"})
"""Categories for which no image is built, if one of them is all that is asked for."""

STOPPED = 130
"""Exit code of what a signal has stopped."""


async def _play(given: list[Plan], arguments: argparse.Namespace) -> int:
    async with campaign() as running:
        lives = await running.record({plan.workload for plan in given} or WORKLOADS)
        ordinary = {name: life for name, life in lives.items() if name in ORDINARY}
        chosen = given or plans(ordinary) + real_plans(ordinary, REAL_TRIALS) + memory_plans() + disk_plans()
        chosen += [] if given else database_plans(ordinary)
        if arguments.nodes:
            chosen += node_plans(ordinary)
        if arguments.what == "quick":
            chosen = sample(chosen, QUICK_TRIALS)
        chosen = [plan for plan in chosen if arguments.category in {"", plan.category}]
        print(f"{len(chosen)} plans: {store('plans.json', chosen)}", flush=True)
        await running.play(chosen, lives, arguments.lanes, arguments.real_lanes, arguments.minutes)
        tally = running.tally
    if tally.odd:
        print(f"play the wrong ones again with: make faults PLAN={store('wrong.json', tally.odd)}", flush=True)
    print(tally.line(), flush=True)
    return 1 if tally.violations or tally.never_fired else 0


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="faults", description=__doc__)
    parser.add_argument("what", help="full, quick, or a file of plans")
    parser.add_argument("--lanes", type=int, default=8, help="namespaces in which trials are played at the same time")
    parser.add_argument("--real-lanes", type=int, default=2, help="the same, for trials with real pods")
    parser.add_argument(
        "--nodes",
        action=argparse.BooleanOptionalAction,
        help="at the end also kill kubelet, containerd, API server and etcd (default: full, embedded cluster)",
    )
    parser.add_argument("--minutes", type=float, default=60, help="no trial begins after that")
    parser.add_argument("--category", default="", help="only the plans of one category, such as kills")
    arguments = parser.parse_args()
    stored = arguments.what not in {"full", "quick"}
    given = Plans.model_validate_json(Path(arguments.what).read_text()).plans if stored else []
    deploy.devcluster("up")
    if arguments.nodes is None:
        arguments.nodes = arguments.what == "full" and nodes.killable()
    if arguments.nodes and not nodes.killable():
        parser.error("--nodes: only components of the embedded cluster can be killed; use CLUSTER=embedded")
    deploy.kubectl("apply", "--server-side", "--force-conflicts", "-f", deploy.ROOT / "crds")
    if any(plan.real for plan in given) if stored else arguments.category not in PLAYED:
        deploy.cluster_with_images()
    try:
        return asyncio.run(_play(given, arguments))
    except KeyboardInterrupt:
        print("stopped before its end; nothing of it is left on the cluster", flush=True)
        return STOPPED


if __name__ == "__main__":
    sys.exit(main())
