"""`python -m faults full|quick|FILE`: play all plans, a sample of them, or those of a file."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from scripts import deploy

from faults import nodes
from faults.campaign import Campaign, campaign, store
from faults.delivery import campaign as deliveries
from faults.delivery import plans as delivery
from faults.plan import Plan, Plans
from faults.recipes import Undisturbed, database_plans, disk_plans, memory_plans, node_plans, plans, real_plans, sample
from faults.workloads import ORDINARY, WORKLOADS

QUICK_TRIALS = 160
REAL_TRIALS = 110
DELIVERY_LANES = 2
PLAYED = frozenset({"database", delivery.CATEGORY})
"""Categories for which no image is built, if one of them is all that is asked for."""

STOPPED = 130
"""Exit code of what a signal has stopped."""


async def _play(given: list[Plan], arguments: argparse.Namespace) -> int:
    async with campaign() as running, deliveries.workplace() as folder:
        chosen, lives = await _choose(running, folder, given, arguments)
        print(f"{len(chosen)} plans: {store('plans.json', chosen)}", flush=True)
        on_cluster = [plan for plan in chosen if plan.category != delivery.CATEGORY]
        await running.play(on_cluster, lives, arguments.lanes, arguments.real_lanes, arguments.minutes)
        # Afterwards: these need the machine, and not the cluster.
        to_deliver = [plan for plan in chosen if plan.category == delivery.CATEGORY]
        tally = running.tally
        last = tally.begun + 60 * arguments.minutes
        await deliveries.play(to_deliver, min(arguments.lanes, DELIVERY_LANES), folder, tally.count, last)
    if tally.odd:
        print(f"play the wrong ones again with: make faults PLAN={store('wrong.json', tally.odd)}", flush=True)
    print(tally.line(), flush=True)
    return 1 if tally.violations or tally.never_fired else 0


async def _choose(
    running: Campaign, folder: Path, given: list[Plan], arguments: argparse.Namespace
) -> tuple[list[Plan], dict[str, Undisturbed]]:
    """Return the plans, and the lives that those on the cluster are compared with."""
    wanted = {plan.category for plan in given} or {arguments.category}
    lives: dict[str, Undisturbed] = {}
    if wanted != {delivery.CATEGORY}:
        on_cluster = {plan.workload for plan in given if plan.category != delivery.CATEGORY}
        lives = await running.record(on_cluster or WORKLOADS)
    if given:
        return [plan for plan in given if arguments.category in {"", plan.category}], lives
    ordinary = {name: life for name, life in lives.items() if name in ORDINARY}
    chosen: list[Plan] = []
    if ordinary:
        chosen = plans(ordinary) + real_plans(ordinary, REAL_TRIALS) + memory_plans() + disk_plans()
        chosen += database_plans(ordinary)
        if arguments.nodes:
            chosen += node_plans(ordinary)
    to_deliver: list[Plan] = []
    if wanted & {"", delivery.CATEGORY}:
        to_deliver = delivery.delivery_plans(await asyncio.to_thread(deliveries.record, folder))
    if arguments.what == "quick":
        chosen, to_deliver = sample(chosen, QUICK_TRIALS), to_deliver[:: delivery.EVERY_NTH]
    return [plan for plan in chosen if arguments.category in {"", plan.category}] + to_deliver, lives


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
