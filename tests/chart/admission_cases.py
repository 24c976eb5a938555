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


SECRET, ANY_TEAM_SECRET = "agent-key", "team-a"
VALUES = {"admissionPolicy": {"allowedSecrets": [SECRET, "team-*"]}, "gateway": {"enabled": True}}
"""Of the chart, for the policy that these cases are tried on."""

_SECRET_KEY = {"secretKeyRef": {"name": SECRET, "key": "key"}}
_MAP_KEY = {"configMapKeyRef": {"name": "settings", "key": "key"}}
FULL_PROFILE: JsonDict = {
    "env": [
        {"name": "MODE", "value": "fast"},
        {"name": "KEY", "valueFrom": _SECRET_KEY},
        {"name": "SETTING", "valueFrom": _MAP_KEY},
    ],
    "files": [{"path": "/etc/agent/key", **_SECRET_KEY}, {"path": "/etc/agent/mcp.json", **_MAP_KEY}],
    "caBundle": _MAP_KEY,
    "scratch": [{"path": "/cache", "sizeLimit": "1Gi"}, {"path": "/dev/shm", "medium": "Memory"}],
    "resources": {"limits": {"cpu": "1", "ephemeral-storage": "1Gi", "nvidia.com/gpu": "1"}},
    "helperResources": {"limits": {"cpu": "1"}},
    "nodeSelector": {"gpu": "a100"},
    "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
    "affinity": {
        "nodeAffinity": {
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {"weight": 1, "preference": {"matchExpressions": [{"key": "zone", "operator": "Exists"}]}}
            ]
        }
    },
    "topologySpreadConstraints": [{"topologyKey": "topology.kubernetes.io/zone"}],
    "podLabels": {"team": "a"},
    "podAnnotations": {"karpenter.sh/do-not-disrupt": "true"},
    "providers": [{"name": "claude", "api": "anthropic"}],
}
"""A profile that asks for all there is, but for classes that a cluster has to have."""


def operators_pod(namespace: str, **profile: object) -> JsonDict:
    """What the operator makes for a plain run with such a profile, by its own code."""
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
    settings = PodSettings(
        "autopack-runs", "autopack-operator:0.1.0", "Never", "autopack-run", gateway_url="http://gateway:8080"
    )
    stored = RunProfileSpec.model_validate({"defaultImage": "autopack-operator:0.1.0", **profile})
    return run_pod(run, AutopackRunSpec.model_validate(spec), stored, attempt, settings, "autopack/sample-run")


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


def secret_variable(secret: str, name: str = "STOLEN") -> JsonDict:
    """A variable with a key of that Secret."""
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": "k"}}}


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
    "a secret as a volume": (
        ("spec", "volumes", 3),
        {"name": "x", "secret": {"secretName": SECRET}},
        "only emptyDir volumes",
    ),
    "a projected token": (
        ("spec", "volumes", 3),
        {"name": "x", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}},
        "only emptyDir volumes",
    ),
    "a token beside a config map": (
        ("spec", "volumes", 3),
        {
            "name": "x",
            "projected": {"sources": [{"configMap": {"name": "c"}}, {"serviceAccountToken": {"path": "t"}}]},
        },
        "only emptyDir volumes",
    ),
    "a token for somebody else than the gateway": (
        ("spec", "volumes", 3),
        {
            "name": "x",
            "projected": {"sources": [{"serviceAccountToken": {"path": "t", "audience": "autopack-volume"}}]},
        },
        "only emptyDir volumes",
    ),
    "a claimed device": (("spec", "resourceClaims"), [{"name": "x", "resourceClaimName": "x"}], "only emptyDir"),
    "another claim": (
        ("spec", "volumes", 0, "persistentVolumeClaim", "claimName"),
        "theirs",
        "only emptyDir volumes, the claim autopack-runs",
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
    "a prompt that can be changed": (
        MOUNT,
        {"name": "runs", "mountPath": "/x", "subPath": ".kept/sample-run/a1-0f8fad5b/input"},
        "folders of one attempt",
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
    "another secret as a variable": ((*RUN, "env", 0), secret_variable("theirs"), "may not have Secret theirs"),
    "a secret whose name only ends alike": (
        (*RUN, "env", 0),
        secret_variable("my-team-a"),
        "may not have Secret my-team-a",
    ),
    "another secret as the database's address": (
        (*RUN, "env", 0),
        secret_variable("theirs", "DATABASE_URL"),
        "may not have Secret theirs",
    ),
    "another secret as a file": (
        ("spec", "volumes", 3),
        {"name": "x", "projected": {"sources": [{"secret": {"name": "theirs"}}]}},
        "may not have Secret theirs",
    ),
    "a secret in a helper": (
        (*KEEPER, "env", 0),
        secret_variable(SECRET),
        "only the command of a run may have variables",
    ),
    "a whole secret": ((*RUN, "envFrom"), [{"secretRef": {"name": SECRET}}], "and from nothing else"),
    "a field of the pod": (
        (*RUN, "env", 0),
        {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
        "and from nothing else",
    ),
    "no AppArmor": (("spec", "securityContext", "appArmorProfile"), {"type": "Unconfined"}, "AppArmor"),
    "no AppArmor in one container": (
        (*RUN, "securityContext", "appArmorProfile"),
        {"type": "Unconfined"},
        "AppArmor",
    ),
    "no AppArmor by its old annotation": (
        ("metadata", "annotations", "container.apparmor.security.beta.kubernetes.io/run"),
        "unconfined",
        "AppArmor",
    ),
    "another SELinux type": (("spec", "securityContext", "seLinuxOptions"), {"type": "spc_t"}, "SELinux"),
    "another SELinux user in one container": (
        (*RUN, "securityContext", "seLinuxOptions"),
        {"user": "system_u"},
        "SELinux",
    ),
    "a setting of the kernel": (
        ("spec", "securityContext", "sysctls"),
        [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}],
        "its node's settings",
    ),
    "a node without its scheduler": (("spec", "nodeName"), "localhost", "its node's settings"),
    "the system's priority": (("spec", "priorityClassName"), "system-node-critical", "its node's settings"),
    "a probe, which the node would send": (
        (*RUN, "livenessProbe"),
        {"httpGet": {"host": "169.254.169.254", "port": 80}},
        "its node's settings",
    ),
    "a hook, which the node would call": (
        (*RUN, "lifecycle"),
        {"preStop": {"httpGet": {"host": "169.254.169.254", "port": 80}}},
        "its node's settings",
    ),
    "another group": (("spec", "securityContext", "supplementalGroups"), [0], "never as root"),
    "another group for the volume": (("spec", "securityContext", "fsGroup"), 0, "never as root"),
    "a writable root": ((*RUN, "securityContext", "readOnlyRootFilesystem"), False, "read-only root"),
}
ALLOWED: dict[str, tuple[Path, Any]] = {
    "nothing changed": (("metadata", "name"), "sample-run-a1"),
    "a queue's label": ((*LABELS, "kueue.x-k8s.io/queue-name"), "queue"),
    "a scheduling gate": (("spec", "schedulingGates"), [{"name": "kueue.x-k8s.io/admission"}]),
    "Kueue's finalizer": (("metadata", "finalizers"), ["kueue.x-k8s.io/managed"]),
    "a database": ((*RUN, "env", 0), secret_variable(SECRET, "DATABASE_URL")),
    "a secret by the beginning of its name": ((*RUN, "env", 0), secret_variable(ANY_TEAM_SECRET)),
    "AppArmor as it is": (("spec", "securityContext", "appArmorProfile"), {"type": "RuntimeDefault"}),
    "a level of SELinux": (("spec", "securityContext", "seLinuxOptions"), {"level": "s0:c26,c15"}),
    "a prompt": (
        (*RUN, "volumeMounts", 5),
        {"name": "runs", "mountPath": "/x", "subPath": ".kept/sample-run/a1-0f8fad5b/input", "readOnly": True},
    ),
    "a higher attempt": ((*MOUNT, "subPath"), "sample-run/a12-0f8fad5b"),
    "a run whose name has dots": ((*MOUNT, "subPath"), "sample.run.1/a1-0f8fad5b"),
}
