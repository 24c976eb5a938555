"""`make demo`: a real cluster, the chart, a batch on this very repository, and what a user wants to see of it."""

from __future__ import annotations

import sys

from autopack.phases import Phase
from scripts import deploy
from scripts.deploy import ROOT, kubectl
from scripts.showing import indent, look_around, phase, remove_earlier_demo, runs, section, step, watch

NAMESPACE = "autopack-demo"


def main() -> int:
    """Exit 0 only if the approved runs succeeded and the other was refused without a pod."""
    with step("a Kubernetes cluster and the operator's image"):
        deploy.cluster_with_images()
    with step(f"helm install charts/autopack into namespace {NAMESPACE}"):
        remove_earlier_demo(NAMESPACE)
        deploy.install(NAMESPACE, values={"dashboard.enabled": "true"})
    with step("this repository's history onto the volume"):
        print(indent(deploy.import_repository(NAMESPACE, "demo", ROOT)))
    with step("kubectl apply -f examples/runbatch.yaml"):
        print(indent(kubectl("apply", "-n", NAMESPACE, "-f", ROOT / "examples" / "runbatch.yaml")))
    watch(NAMESPACE, 4)
    show_result()
    return verdict()


def show_result() -> None:
    """What a user wants to see at the end."""
    sections = {
        "kubectl get runbatches": kubectl("get", "runbatches", "-n", NAMESPACE),
        "kubectl get autopackruns -o wide": kubectl("get", "autopackruns", "-n", NAMESPACE, "-o", "wide"),
        "why was without-anchor refused?": kubectl(
            "get", "autopackrun", "without-anchor", "-n", NAMESPACE, "-o", "jsonpath={.status.message}"
        ),
        "its pods": kubectl("get", "pods", "-n", NAMESPACE, "-l", "autopack.dev/run=without-anchor") or "none",
        "the artifacts on the volume": deploy.in_volume(NAMESPACE, "autopack-runtime", "tree"),
        "the branches made": deploy.in_volume(NAMESPACE, "autopack-runtime", "branches", "--repository", "demo"),
        "Leases left (the leader's only)": kubectl("get", "leases", "-n", NAMESPACE),
        "output of demo-files": kubectl("logs", "-n", NAMESPACE, "demo-files-a1", "-c", "run"),
    }
    for title, text in sections.items():
        section(title, text)


def verdict() -> int:
    """Judge the demo by what the cluster says."""
    phases = {run["metadata"]["name"]: phase(run) for run in runs(NAMESPACE)}
    approved = [name for name in phases if name.startswith("demo-")]
    succeeded = [name for name in approved if phases[name] == Phase.SUCCEEDED]
    refused = phases.get("without-anchor") == Phase.REFUSED
    print(
        f"\n{len(succeeded)} of {len(approved)} approved runs Succeeded; without-anchor: {phases.get('without-anchor')}"
    )
    look_around(NAMESPACE)
    return 0 if len(succeeded) == 3 and refused else 1


if __name__ == "__main__":
    sys.exit(main())
