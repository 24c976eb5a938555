"""`make demo`: a real cluster, the chart, a batch on this very repository, and what a user wants to see of it."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from autopack.phases import TERMINAL_PHASES, Phase
from scripts import deploy
from scripts.deploy import ROOT, JsonDict, kubectl, kubectl_json

NAMESPACE = "autopack-demo"
PATIENCE_SECONDS = 420


@contextmanager
def step(text: str) -> Iterator[None]:
    """Say what happens and how long it took."""
    print(f"\n==> {text}", flush=True)
    started = time.monotonic()
    yield
    print(f"    ({time.monotonic() - started:.1f} s)", flush=True)


def main() -> int:
    """Exit 0 only if the approved runs succeeded and the other was refused without a pod."""
    with step("a Kubernetes cluster and the operator's image"):
        deploy.cluster_with_images()
    with step(f"helm install charts/autopack into namespace {NAMESPACE}"):
        remove_earlier_demo()
        deploy.install(NAMESPACE, values={"dashboard.enabled": "true"})
    with step("this repository's history onto the volume"):
        print(indent(deploy.import_repository(NAMESPACE, "demo", ROOT)))
    with step("kubectl apply -f examples/runbatch.yaml"):
        print(indent(kubectl("apply", "-n", NAMESPACE, "-f", ROOT / "examples" / "runbatch.yaml")))
    watch()
    show_result()
    return verdict()


def remove_earlier_demo() -> None:
    """Runs are immutable and finished ones stay: a second demo starts from none. The files of the first are kept."""
    if not kubectl("get", "namespace", NAMESPACE, "--ignore-not-found", "-o", "name"):
        return
    if kubectl("get", "crd", "runbatches.autopack.dev", "--ignore-not-found", "-o", "name"):
        kubectl("delete", "runbatches,autopackruns", "--all", "-n", NAMESPACE, "--wait=true")


def runs() -> list[JsonDict]:
    """The AutopackRuns of the demo."""
    items: list[JsonDict] = kubectl_json("get", "autopackruns", "-n", NAMESPACE)["items"]
    return items


def phase(run: JsonDict) -> str:
    """Phase of a run, empty before the first status."""
    return str(run.get("status", {}).get("phase", ""))


def watch() -> None:
    """`kubectl get autopackruns`, again whenever it changed, until every run has ended."""
    print("\n==> kubectl get autopackruns --watch", flush=True)
    deadline, shown = time.monotonic() + PATIENCE_SECONDS, ""
    while time.monotonic() < deadline:
        current = runs()
        summary = str([(run["metadata"]["name"], phase(run), run.get("status", {}).get("reason")) for run in current])
        if summary != shown:
            shown = summary
            print(indent(kubectl("get", "autopackruns", "-n", NAMESPACE)), flush=True)
        if len(current) == 4 and all(phase(run) in TERMINAL_PHASES for run in current):
            return
        time.sleep(0.5)
    print(f"the runs did not end within {PATIENCE_SECONDS} s; kubectl describe autopackruns -n {NAMESPACE} tells more")


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
        print(f"\n==> {title}\n{indent(text)}", flush=True)


def verdict() -> int:
    """Judge the demo by what the cluster says."""
    phases = {run["metadata"]["name"]: phase(run) for run in runs()}
    approved = [name for name in phases if name.startswith("demo-")]
    succeeded = [name for name in approved if phases[name] == Phase.SUCCEEDED]
    refused = phases.get("without-anchor") == Phase.REFUSED
    print(
        f"\n{len(succeeded)} of {len(approved)} approved runs Succeeded; without-anchor: {phases.get('without-anchor')}"
    )
    print(f"Look around: export KUBECONFIG={deploy.DEV / 'kubeconfig'} PATH={deploy.DEV / 'bin'}:$PATH")
    print(f"             kubectl get autopackruns -n {NAMESPACE}")
    print(f"In a browser: kubectl port-forward -n {NAMESPACE} service/autopack-dashboard 8080:80")
    print("              and log in as docs/guide/dashboard.md says")
    print("Stop the cluster: make cluster-down")
    return 0 if len(succeeded) == 3 and refused else 1


def indent(text: str) -> str:
    """Four blanks before each line."""
    return "\n".join(f"    {line}" for line in text.rstrip().splitlines())


if __name__ == "__main__":
    sys.exit(main())
