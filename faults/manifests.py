"""Objects that the campaign makes."""

from __future__ import annotations

import json
from typing import Any

JsonDict = dict[str, Any]

API_VERSION = "autopack.dev/v1alpha1"
ANCHOR = json.dumps(
    {
        "format_version": "v2",
        "project_id": "faults",
        "created_at": "2026-01-06T00:00:00Z",
        "raw_input_digest": "0000000000000000",
        "pivot_intentions": {
            "parallelism_isolation": {"allowed": True, "isolation_model": "four_layer", "max_concurrent_runs": 8}
        },
    }
)
CLAIM = "claim"
MANAGED = {"app.kubernetes.io/managed-by": "autopack-operator"}


def run(name: str, *args: str, **spec: object) -> JsonDict:
    """An AutopackRun whose pod the played kubelet understands."""
    return {
        "apiVersion": API_VERSION,
        "kind": "AutopackRun",
        "metadata": {"name": name, "annotations": {"autopack.dev/intention-anchor": ANCHOR}},
        "spec": _template(*args) | spec,
    }


def batch(name: str, ids: list[str], *args: str, **spec: object) -> JsonDict:
    """A RunBatch of such runs."""
    return {
        "apiVersion": API_VERSION,
        "kind": "RunBatch",
        "metadata": {"name": name, "annotations": {"autopack.dev/intention-anchor": ANCHOR}},
        "spec": {"template": _template(*args), "runs": [{"id": item} for item in ids]} | spec,
    }


def _template(*args: str) -> JsonDict:
    return {
        "source": {"repository": "played", "ref": "main"},
        "command": ["play"],
        "args": list(args),
        "retry": {"backoffSeconds": 0, "agent": 1},
        "terminationGracePeriodSeconds": 1,
    }


def namespace(name: str) -> JsonDict:
    """Under the Pod Security Standard `restricted`."""
    labels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn", "audit")}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


PROFILES: dict[str, JsonDict] = {
    "lean": {"resources": {"limits": {"memory": "64Mi"}, "requests": {"memory": "32Mi"}}},
    "small": {"diskQuota": "8Mi"},
}
"""Profiles that some workloads name, and what they have beyond the default one."""


def played_profile(runtime_class: str) -> JsonDict:
    """What played runs are allowed; the RuntimeClass leads them to the played node."""
    return {"defaultImage": "localhost/played:1", "runtimeClassName": runtime_class}


def profile(name: str, spec: JsonDict) -> JsonDict:
    """A RunProfile."""
    return {"apiVersion": API_VERSION, "kind": "RunProfile", "metadata": {"name": name}, "spec": spec}


def volume(name: str, claim_namespace: str, folder: str = "/nonexistent") -> JsonDict:
    """A volume. By default one that nothing is ever written to: the scheduler asks for it."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "capacity": {"storage": "1Mi"},
            "accessModes": ["ReadWriteMany"],
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": "",
            "hostPath": {"path": folder},
            "claimRef": {"namespace": claim_namespace, "name": CLAIM},
        },
    }


def claim(volume_name: str) -> JsonDict:
    """Bound to it."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": CLAIM},
        "spec": {
            "accessModes": ["ReadWriteMany"],
            "resources": {"requests": {"storage": "1Mi"}},
            "storageClassName": "",
            "volumeName": volume_name,
        },
    }


def foreign_pod(name: str) -> JsonDict:
    """Somebody else's, under a name and a label that the operator uses."""
    container = {
        "name": "run",
        "image": "localhost/absent:1",
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": MANAGED | {"autopack.dev/attempt": "1"}},
        "spec": {
            "nodeSelector": {"kubernetes.io/hostname": "nowhere"},
            "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [container],
        },
    }


def foreign_lease(name: str) -> JsonDict:
    """Somebody else's."""
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": name, "labels": MANAGED},
        "spec": {"holderIdentity": "somebody else"},
    }
