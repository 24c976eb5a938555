"""`python -m faults full|quick|FILE`: play all plans, a sample of them, or those of a file."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from scripts import deploy

from faults.campaign import campaign, store
from faults.plan import Plan, Plans
from faults.recipes import plans, sample
from faults.workloads import WORKLOADS

QUICK_TRIALS = 160


async def _play(given: list[Plan], lanes: int, most: int | None, category: str) -> int:
    async with campaign() as running:
        lives = await running.record({plan.workload for plan in given} or WORKLOADS)
        chosen = [plan for plan in given or plans(lives) if category in {"", plan.category}]
        chosen = sample(chosen, most) if most is not None else chosen
        print(f"{len(chosen)} plans: {store('plans.json', chosen)}", flush=True)
        await running.play(chosen, lives, lanes)
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
    parser.add_argument("--category", default="", help="only the plans of one category, such as kills")
    arguments = parser.parse_args()
    deploy.devcluster("up")
    deploy.kubectl("apply", "--server-side", "--force-conflicts", "-f", deploy.ROOT / "crds")
    stored = arguments.what not in {"full", "quick"}
    given = Plans.model_validate_json(Path(arguments.what).read_text()).plans if stored else []
    return asyncio.run(
        _play(given, arguments.lanes, QUICK_TRIALS if arguments.what == "quick" else None, arguments.category)
    )


if __name__ == "__main__":
    sys.exit(main())
