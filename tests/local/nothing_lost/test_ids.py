"""Every name that may be a run id can be run, even one that Autopack uses for a file of its own."""

from __future__ import annotations

import pytest
from tests.local.nothing_lost.agents import Agents, shell

from autopack.supervisor import SupervisorOptions

NAMES = ["lock", "autopack-plan.json", "autopack-ready.json", "leases", "runs", "gone-x", "new-x"]


@pytest.mark.parametrize("run_id", NAMES)
def test_a_name_of_ours_is_a_run_id_like_any_other(agents: Agents, run_id: str) -> None:
    result = agents.work("echo A >n; git add n; git commit -qm a; echo B >m", run_id)
    assert result.branch == f"autopack/{run_id}"
    assert agents.lost("A\n", "B\n") == []


def test_names_of_ours_run_beside_each_other(agents: Agents) -> None:
    options = SupervisorOptions(command=shell("echo $AUTOPACK_RUN_ID >n"))
    results = agents.scene.supervisor(options).execute_parallel(NAMES, max_workers=4)
    assert [name for name, result in results.items() if not result.success] == []
    assert agents.lost(*(f"{name}\n" for name in NAMES)) == []
