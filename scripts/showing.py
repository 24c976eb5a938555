"""What the demos show of a cluster, and how."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from autopack.phases import TERMINAL_PHASES
from scripts import deploy
from scripts.deploy import JsonDict, kubectl, kubectl_json

PATIENCE_SECONDS = 420


@contextmanager
def step(text: str) -> Iterator[None]:
    """Say what happens and how long it took."""
    print(f"\n==> {text}", flush=True)
    started = time.monotonic()
    yield
    print(f"    ({time.monotonic() - started:.1f} s)", flush=True)


def section(title: str, text: str) -> None:
    """A title, and what belongs to it."""
    print(f"\n==> {title}\n{indent(text)}", flush=True)


def remove_earlier_demo(namespace: str) -> None:
    """Runs are immutable and finished ones stay: a second demo starts from none. The files of the first are kept."""
    if not kubectl("get", "namespace", namespace, "--ignore-not-found", "-o", "name"):
        return
    if kubectl("get", "crd", "runbatches.autopack.dev", "--ignore-not-found", "-o", "name"):
        kubectl("delete", "runbatches,autopackruns", "--all", "-n", namespace, "--wait=true")


def runs(namespace: str) -> list[JsonDict]:
    """The AutopackRuns of the demo."""
    items: list[JsonDict] = kubectl_json("get", "autopackruns", "-n", namespace)["items"]
    return items


def phase(run: JsonDict) -> str:
    """Phase of a run, empty before the first status."""
    return str(run.get("status", {}).get("phase", ""))


def watch(namespace: str, number: int, *options: str) -> None:
    """`kubectl get autopackruns`, again whenever it changed, until that number of runs has ended."""
    print(f"\n==> kubectl get autopackruns {' '.join((*options, '--watch'))}", flush=True)
    deadline, shown = time.monotonic() + PATIENCE_SECONDS, ""
    while time.monotonic() < deadline:
        current = runs(namespace)
        summary = str([(run["metadata"]["name"], phase(run), run.get("status", {}).get("reason")) for run in current])
        if summary != shown:
            shown = summary
            print(indent(kubectl("get", "autopackruns", "-n", namespace, *options)), flush=True)
        if len(current) == number and all(phase(run) in TERMINAL_PHASES for run in current):
            return
        time.sleep(0.5)
    print(f"the runs did not end within {PATIENCE_SECONDS} s; kubectl describe autopackruns -n {namespace} tells more")


def look_around(namespace: str) -> None:
    """How to go on by hand."""
    print(f"Look around: export KUBECONFIG={deploy.DEV / 'kubeconfig'} PATH={deploy.DEV / 'bin'}:$PATH")
    print(f"             kubectl get autopackruns -n {namespace}")
    print(f"In a browser: kubectl port-forward -n {namespace} service/autopack-dashboard 8080:80")
    print("              and log in as docs/guide/dashboard.md says")
    print("Stop the cluster: make cluster-down")


def indent(text: str) -> str:
    """Four blanks before each line."""
    return "\n".join(f"    {line}" for line in text.rstrip().splitlines())
