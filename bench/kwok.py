"""Nodes without machines on the same API server, for as long as a benchmark needs them.

Nothing lands there by itself: the nodes are tainted. Pods that name the RuntimeClass get the toleration and the node
selector from the API server, so an administrator's RunProfile is all that sends runs there.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from devcluster.layout import Layout
from devcluster.progress import Progress
from scripts.deploy import kubectl, kubectl_json

from devcluster import binaries

JsonDict = dict[str, Any]

RUNTIME_CLASS = "bench-kwok"
LABEL = "bench.autopack.dev/kwok"
NODES = 4
READY_SECONDS = 60.0
STAGES = Path(__file__).with_name("kwok-stages.yaml")


@contextmanager
def nodes(layout: Layout) -> Iterator[subprocess.Popen[bytes]]:
    """Play the nodes; they and the RuntimeClass are gone afterwards, whatever an earlier benchmark left."""
    program = binaries.ensure_kwok(layout, Progress()) / "kwok"
    with tempfile.TemporaryFile() as log:
        arguments = ["--config", str(STAGES), "--kubeconfig", str(layout.kubeconfig)]
        arguments += ["--manage-nodes-with-label-selector", f"{LABEL}=true", "--node-lease-duration-seconds", "40"]
        # Pods that do not run are not reached either: the addresses only must not be those of a real network.
        arguments += ["--cidr", "198.19.0.0/16", "--node-ip", "198.19.255.1", "-v", "WARN"]
        player = subprocess.Popen([program, *arguments], stdout=log, stderr=subprocess.STDOUT)
        try:
            kubectl("apply", "-f", "-", stdin=json.dumps(_objects()).encode())
            _wait_until_ready(player)
            yield player
        finally:
            kubectl("delete", "node,runtimeclass", "-l", f"{LABEL}=true", "--ignore-not-found")
            player.terminate()
            player.wait(10)


def _objects() -> JsonDict:
    labels = {LABEL: "true"}
    taint = {"key": LABEL, "value": "true", "effect": "NoSchedule"}
    made: list[JsonDict] = [
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": f"bench-kwok-{number}", "labels": labels},
            "spec": {"taints": [taint]},
        }
        for number in range(NODES)
    ]
    made.append(
        {
            "apiVersion": "node.k8s.io/v1",
            "kind": "RuntimeClass",
            "metadata": {"name": RUNTIME_CLASS, "labels": labels},
            "handler": "kwok",
            "scheduling": {
                "nodeSelector": labels,
                "tolerations": [{"key": LABEL, "operator": "Equal", "value": "true", "effect": "NoSchedule"}],
            },
        }
    )
    return {"apiVersion": "v1", "kind": "List", "items": made}


def _wait_until_ready(player: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        found = kubectl_json("get", "nodes", "-l", f"{LABEL}=true")["items"]
        if len(found) == NODES and all(_ready(node) for node in found):
            return
        if player.poll() is not None or time.monotonic() > deadline:
            raise SystemExit(f"kwok's nodes are not ready after {READY_SECONDS:.0f} s (kwok: {player.poll()})")
        time.sleep(0.5)


def _ready(node: JsonDict) -> bool:
    tainted = any(taint["key"].startswith("node.kubernetes.io/") for taint in node["spec"].get("taints", ()))
    conditions = node.get("status", {}).get("conditions", ())
    return not tainted and any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
