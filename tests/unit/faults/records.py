"""Records of a trial in which all is well, and what a test changes in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from faults.calls import Call
from faults.injector import Sent
from faults.ledger import Execution
from faults.record import Record
from faults.stage import Evidence
from faults.volume import Commit
from faults.witness import Seen

JsonDict = dict[str, Any]

UID = "11111111-1111-1111-1111-111111111111"


def run(phase: str, attempt: int = 1, **status: Any) -> JsonDict:
    return {
        "kind": "AutopackRun",
        "metadata": {"name": "t1", "uid": UID},
        "status": {"phase": phase, "attempt": attempt} | status,
    }


def pod(phase: str, attempt: int = 1, owner: str = UID, workspace: str = "") -> JsonDict:
    mounts = [{"subPath": workspace or f"workspaces/t1/a{attempt}"}]
    return {
        "kind": "Pod",
        "metadata": {
            "name": f"t1-a{attempt}",
            "uid": f"pod-{attempt}",
            "labels": {"autopack.dev/attempt": str(attempt)},
            "ownerReferences": [{"name": "t1", "uid": owner}],
        },
        "spec": {"containers": [{"volumeMounts": mounts}]},
        "status": {"phase": phase, "containerStatuses": [{"name": "run", "state": _STATES.get(phase, {})}]},
    }


_STATES: dict[str, JsonDict] = {"Running": {"running": {}}, "Succeeded": {"terminated": {"startedAt": "now"}}}


def committed(digest: str = "abc") -> JsonDict:
    return {"manifestSHA256": digest, "conditions": [{"type": "ArtifactsCommitted", "status": "True"}]}


def seen(at: float, body: JsonDict, event: str = "MODIFIED") -> Seen:
    return Seen(at, event, body["kind"], body)


def sent(at: float, verb: str = "update") -> Sent:
    return Sent(at, "operator-0", Call(verb, "autopackruns/status", "t1"))


def good() -> Record:
    """One run, one attempt, one success."""
    life = Execution("t1", UID, 1, "t1-a1", first=2.0, last=3.0, alive=False)
    return Record(
        name="t1",
        history=[
            seen(0, run("", 0), "ADDED"),
            seen(1, run("Preparing")),
            seen(1.5, pod("Pending"), "ADDED"),
            seen(2, pod("Running")),
            seen(3, pod("Succeeded")),
            seen(4, run("Succeeded", **committed())),
        ],
        sent=[sent(1), sent(4)],
        evidence=Evidence(
            executions=[life],
            acknowledged={(UID, 1): ["one", "two"]},
            stored={(UID, 1): ["one", "two"]},
            commits={(UID, 1): Commit(3.5, ("one", "two"), "abc", 0, alive=False, removed_workspace=True)},
        ),
        final={"AutopackRun ~": {"phase": "Succeeded"}, "Pod ~-a1": {"phase": "Succeeded"}, "Leases": 0},
        decoys=({"Pod foreign": {"spec": 1}}, {"Pod foreign": {"spec": 1}}),
        idle_from=4.0,
    )


def about_poison(at: float, verb: str = "create", resource: str = "pods") -> Sent:
    return Sent(at, "operator-0", Call(verb, resource, "poison-a1"))


Plant = Callable[[Record], None]
