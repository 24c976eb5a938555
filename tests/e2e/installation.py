"""An installation of the chart in a namespace of its own, and what tests ask of it."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scripts import deploy
from scripts.deploy import kubectl, kubectl_json

from autopack.phases import TERMINAL_PHASES

JsonDict = dict[str, Any]

ANCHOR = json.dumps(
    {
        "format_version": "v2",
        "project_id": "e2e",
        "created_at": "2026-01-06T00:00:00Z",
        "raw_input_digest": "0000000000000000",
        "pivot_intentions": {
            "parallelism_isolation": {"allowed": True, "isolation_model": "four_layer", "max_concurrent_runs": 8}
        },
    }
)


SMALL = {f"{part}.resources.requests.cpu": "50m" for part in ("operator", "volume")}
"""Room for a few installations and their runs on a node with two cores."""


class Installation:
    """Namespace and release of one installation."""

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace

    @classmethod
    @contextmanager
    def fresh(cls, namespace: str, values: Mapping[str, object] | None = None) -> Iterator[Installation]:
        """A new installation in a new namespace; what an earlier test run left under that name goes first."""
        namespace = deploy.own_namespace(namespace)
        remove_namespace(namespace)
        install(namespace, values)
        try:
            yield cls(namespace)
        finally:
            remove_namespace(namespace)

    def import_repository(self, name: str, path: Path) -> None:
        """A repository onto the volume, the way the README says."""
        deploy.import_repository(self.namespace, name, path)

    def apply(self, *manifests: JsonDict) -> None:
        """kubectl apply."""
        text = "\n---\n".join(json.dumps(manifest) for manifest in manifests)
        kubectl("apply", "-n", self.namespace, "-f", "-", stdin=text.encode())

    def create(self, manifest: JsonDict) -> None:
        """kubectl create: what is applied is kept once more in an annotation, which has to be small."""
        kubectl("create", "-n", self.namespace, "-f", "-", stdin=json.dumps(manifest).encode())

    def get(self, kind: str, name: str) -> JsonDict:
        """One object."""
        return kubectl_json("get", kind, name, "-n", self.namespace)

    def all(self, kind: str, selector: str = "") -> list[JsonDict]:
        """Objects of a kind."""
        items: list[JsonDict] = kubectl_json("get", kind, "-n", self.namespace, "-l", selector)["items"]
        return items

    def finished(self, name: str, kind: str = "autopackrun", timeout: float = 180) -> JsonDict:
        """The object once its phase is terminal."""
        return self.wait_for(kind, name, lambda body: phase(body) in TERMINAL_PHASES, timeout)

    def wait_for(self, kind: str, name: str, done: Callable[[JsonDict], bool], timeout: float = 180) -> JsonDict:
        """The object once `done` says so; fails with its status and the operator's log otherwise."""
        deadline = time.monotonic() + timeout
        while True:
            body = self.get(kind, name)
            # An object that no controller has seen yet has none.
            body.setdefault("status", {})
            if done(body):
                return body
            if time.monotonic() > deadline:
                raise AssertionError(self._autopsy(body))
            time.sleep(0.2)

    def in_volume(self, *words: str) -> str:
        """Output of a command in the volume service's pod."""
        return deploy.in_volume(self.namespace, *words)

    def file(self, path: str) -> str:
        """A file on the volume."""
        return self.in_volume("cat", f"/autopack/{path}")

    def git(self, body: JsonDict, *words: str) -> str:
        """git in the shared repository that holds the results of that run's repository."""
        key = body["status"]["repositoryKey"]
        return self.in_volume("git", "--git-dir", f"/autopack/.repos/{key}/results.git", *words)

    def leases_of(self, body: JsonDict) -> list[str]:
        """Names of Leases that belong to that run."""
        uid = body["metadata"]["uid"]
        return [
            lease["metadata"]["name"]
            for lease in self.all("leases")
            if any(owner["uid"] == uid for owner in lease["metadata"].get("ownerReferences", []))
        ]

    def pods_of(self, run: str) -> list[JsonDict]:
        """Pods of that run."""
        return self.all("pods", f"autopack.dev/run={run}")

    def _autopsy(self, body: JsonDict) -> str:
        log = kubectl("logs", "-n", self.namespace, "deploy/autopack-operator", "--tail=30")
        return f"not within time: {json.dumps(body.get('status'), indent=1)}\noperator's log:\n{log}"


@contextmanager
def port_forward(namespace: str, target: str, port: int) -> Iterator[str]:
    """`kubectl port-forward` to a service or a pod; yields the address that leads there."""
    words = ["kubectl", "-n", namespace, "port-forward", target, f":{port}"]
    process = subprocess.Popen(words, env=deploy.environment(), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        found = re.search(r"127\.0\.0\.1:(\d+)", process.stdout.readline())
        assert found is not None
        yield f"http://127.0.0.1:{found[1]}"
    finally:
        process.terminate()
        process.wait(90)
        process.stdout.close()


def phase(body: JsonDict) -> str:
    """status.phase, empty at first."""
    return str(body.get("status", {}).get("phase", ""))


def condition(body: JsonDict, kind: str) -> tuple[str, str]:
    """(status, reason) of a condition; two empty strings when it is absent."""
    for item in body.get("status", {}).get("conditions", []):
        if item["type"] == kind:
            return item["status"], item["reason"]
    return "", ""


def kept(run: JsonDict) -> str:
    """Folder on the volume of what Autopack itself keeps of the run's last attempt."""
    return f".kept/{run['status']['artifacts']}"


def install(namespace: str, values: Mapping[str, object] | None = None) -> None:
    """Install the chart, or upgrade it, small."""
    deploy.install(namespace, values=SMALL | dict(values or {}))


def remove_namespace(name: str) -> None:
    """Uninstall the release, for it has objects outside of the namespace, then delete that; fine when there is none."""
    deploy.run(["helm", "uninstall", deploy.RELEASE, "--namespace", name, "--ignore-not-found"])
    kubectl("delete", "namespace", name, "--ignore-not-found", "--wait=true", timeout=180)


def make_run(name: str, script: str, *, anchor: str | None = ANCHOR, **spec: Any) -> JsonDict:
    """An AutopackRun that executes a shell script on the sample repository."""
    annotations = {"autopack.dev/intention-anchor": anchor} if anchor is not None else {}
    return {
        "apiVersion": "autopack.dev/v1alpha1",
        "kind": "AutopackRun",
        "metadata": {"name": name, "annotations": annotations},
        "spec": {"source": {"repository": "sample", "ref": "main"}, "command": ["sh", "-euc", script]} | spec,
    }


def make_batch(name: str, script: str, ids: list[str], *, anchor: str | None = ANCHOR, **spec: Any) -> JsonDict:
    """A RunBatch whose runs all execute a shell script on the sample repository."""
    annotations = {"autopack.dev/intention-anchor": anchor} if anchor is not None else {}
    return {
        "apiVersion": "autopack.dev/v1alpha1",
        "kind": "RunBatch",
        "metadata": {"name": name, "annotations": annotations},
        "spec": {
            "template": {"source": {"repository": "sample", "ref": "main"}, "command": ["sh", "-euc", script]},
            "runs": [{"id": item} for item in ids],
        }
        | spec,
    }


def secret(name: str, **data: str) -> JsonDict:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data}
