"""Pods that the operator could try to create: the one it does create, and changes to it."""

from __future__ import annotations

import copy
from typing import Any

from autopack.file_layout import AttemptPaths, mirror
from autopack_operator.domain.api.profile import RunProfileSpec
from autopack_operator.domain.api.run import AutopackRunSpec
from autopack_operator.domain.api.status import AutopackRunStatus
from autopack_operator.domain.pod.manifest import run_pod
from autopack_operator.domain.pod.settings import PodSettings
from autopack_operator.domain.views import Attempt, RunView

JsonDict = dict[str, Any]
Path = tuple[str | int, ...]

UID = "0f8fad5b-d9cb-469f-a165-70867728950e"
ABSENT: Any = object()
"""As a changed value: the key is taken away."""


def operators_pod(namespace: str) -> JsonDict:
    """What the operator makes for a plain run, by its own code."""
    spec = {"source": {"repository": "sample"}, "command": ["true"]}
    paths = AttemptPaths("sample-run", UID, 1)
    run = RunView(
        namespace=namespace,
        name="sample-run",
        uid=UID,
        resource_version="1",
        generation=1,
        created_at="2026-01-01T00:00:00Z",
        deleting=False,
        anchor=None,
        owner=None,
        spec=spec,
        status=AutopackRunStatus(),
    )
    key = mirror("n-sample").split("/")[1]
    attempt = Attempt(1, key, "0" * 40, paths.workspace, paths.artifacts, paths.kept)
    settings = PodSettings("autopack-runs", "autopack-operator:0.1.0", "Never", "autopack-run")
    profile = RunProfileSpec(default_image="autopack-operator:0.1.0")
    return run_pod(run, AutopackRunSpec.model_validate(spec), profile, attempt, settings, "autopack/sample-run")


def changed(pod: JsonDict, path: Path, value: Any) -> JsonDict:
    """A copy of `pod` with one place set to `value`; one past the end of a list appends."""
    result = copy.deepcopy(pod)
    place: Any = result
    for step in path[:-1]:
        place = place[step]
    last = path[-1]
    if value is ABSENT:
        del place[last]
    elif isinstance(place, list) and last == len(place):
        place.append(value)
    else:
        place[last] = value
    return result


RUN = ("spec", "containers", 0)
KEEPER = ("spec", "initContainers", 1)
LABELS = ("metadata", "labels")
MOUNT = (*RUN, "volumeMounts", 2)

REFUSED: dict[str, tuple[Path, Any, str]] = {
    "not labelled as a run": ((*LABELS, "app.kubernetes.io/component"), "other", "labels of a run's pod"),
    "no run uid": ((*LABELS, "autopack.dev/run-uid"), ABSENT, "labels of a run's pod"),
    "another account": (("spec", "serviceAccountName"), "autopack-operator", "service account autopack-run"),
    "a token": (("spec", "automountServiceAccountToken"), ABSENT, "mount no token"),
    "the host's network": (("spec", "hostNetwork"), True, "namespaces or ports"),
    "the host's processes": (("spec", "hostPID"), True, "namespaces or ports"),
    "the host's memory": (("spec", "hostIPC"), True, "namespaces or ports"),
    "processes shared with the keeper": (("spec", "shareProcessNamespace"), True, "namespaces or ports"),
    "a port of the host": ((*RUN, "ports"), [{"containerPort": 80, "hostPort": 80}], "namespaces or ports"),
    "a host path": (("spec", "volumes", 3), {"name": "x", "hostPath": {"path": "/"}}, "only emptyDir volumes"),
    "a secret": (("spec", "volumes", 3), {"name": "x", "secret": {"secretName": "s"}}, "only emptyDir volumes"),
    "a config map": (("spec", "volumes", 3), {"name": "x", "configMap": {"name": "c"}}, "only emptyDir volumes"),
    "a projected token": (
        ("spec", "volumes", 3),
        {"name": "x", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}},
        "only emptyDir volumes",
    ),
    "another claim": (
        ("spec", "volumes", 0, "persistentVolumeClaim", "claimName"),
        "theirs",
        "only emptyDir volumes and the claim autopack-runs",
    ),
    "the whole volume": ((*MOUNT, "subPath"), ABSENT, "folders of one attempt"),
    "all attempts of a run": ((*MOUNT, "subPath"), "sample-run", "folders of one attempt"),
    "all workspaces": ((*MOUNT, "subPath"), "workspaces", "folders of one attempt"),
    "all workspaces of a run": ((*MOUNT, "subPath"), "workspaces/a1-0f8fad5b", "folders of one attempt"),
    "the results repository": (
        (*MOUNT, "subPath"),
        ".repos/n-sample/results.git",
        "folders of one attempt",
    ),
    "the pinned answers": ((*MOUNT, "subPath"), ".attempts/a1-0f8fad5b", "folders of one attempt"),
    "what is kept of all attempts of a run": ((*MOUNT, "subPath"), ".kept/sample-run", "folders of one attempt"),
    "what is kept of all runs": ((*MOUNT, "subPath"), ".kept/a1-0f8fad5b", "folders of one attempt"),
    "a folder inside of the artifacts": ((*MOUNT, "subPath"), "sample-run/a1-0f8fad5b/run", "folders of one attempt"),
    "the keeper's files for the command": (
        (*MOUNT, "subPath"),
        ".kept/sample-run/a1-0f8fad5b",
        "what the keeper writes down",
    ),
    "a writable mirror": ((*RUN, "volumeMounts", 0, "readOnly"), False, "mirror read-only"),
    "a path from a variable": (
        MOUNT,
        {"name": "runs", "mountPath": "/x", "subPathExpr": "sample-run/a1-0f8fad5b"},
        "by subPath",
    ),
    "root": (("spec", "securityContext", "runAsUser"), 0, "never as root"),
    "root in one container": ((*RUN, "securityContext", "runAsUser"), 0, "never as root"),
    "root's group in a helper": ((*KEEPER, "securityContext", "runAsGroup"), 0, "never as root"),
    "no promise not to be root": (("spec", "securityContext", "runAsNonRoot"), ABSENT, "never as root"),
    "the promise withdrawn": ((*RUN, "securityContext", "runAsNonRoot"), False, "never as root"),
    "no seccomp": ((*RUN, "securityContext", "seccompProfile"), {"type": "Unconfined"}, "RuntimeDefault"),
    "privilege": ((*RUN, "securityContext"), {"privileged": True}, "must be unprivileged"),
    "privilege in a helper": ((*KEEPER, "securityContext"), {"privileged": True}, "must be unprivileged"),
    "escalation": ((*RUN, "securityContext", "allowPrivilegeEscalation"), ABSENT, "must be unprivileged"),
    "a capability": ((*RUN, "securityContext", "capabilities", "add"), ["NET_BIND_SERVICE"], "without capabilities"),
    "capabilities kept": ((*RUN, "securityContext", "capabilities", "drop"), ["CHOWN"], "without capabilities"),
    "a secret as another variable": (
        (*RUN, "env", 0),
        {"name": "STOLEN", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
        "nothing from a Secret",
    ),
    "a secret in a helper": (
        (*KEEPER, "env", 0),
        {"name": "DATABASE_URL", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
        "nothing from a Secret",
    ),
    "a whole secret": ((*RUN, "envFrom"), [{"secretRef": {"name": "s"}}], "nothing from a Secret"),
    "a writable root": ((*RUN, "securityContext", "readOnlyRootFilesystem"), False, "read-only root"),
}
ALLOWED: dict[str, tuple[Path, Any]] = {
    "nothing changed": (("metadata", "name"), "sample-run-a1"),
    "a queue's label": ((*LABELS, "kueue.x-k8s.io/queue-name"), "queue"),
    "a scheduling gate": (("spec", "schedulingGates"), [{"name": "kueue.x-k8s.io/admission"}]),
    "Kueue's finalizer": (("metadata", "finalizers"), ["kueue.x-k8s.io/managed"]),
    "a database": (
        (*RUN, "env", 0),
        {"name": "DATABASE_URL", "valueFrom": {"secretKeyRef": {"name": "s", "key": "url"}}},
    ),
    "a higher attempt": ((*MOUNT, "subPath"), "sample-run/a12-0f8fad5b"),
    "a run whose name has dots": ((*MOUNT, "subPath"), "sample.run.1/a1-0f8fad5b"),
}
