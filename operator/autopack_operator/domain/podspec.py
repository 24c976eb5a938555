"""The pod of one attempt. Everything in it is decided by the operator and the administrator's RunProfile; a run's
author chooses only the command, the arguments, the environment and (from an allowed list) the image.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from autopack.kept_files import KeptFiles
from autopack_operator.domain import kueue, naming
from autopack_operator.domain.api.common import (
    API_VERSION,
    ATTEMPT_LABEL,
    BATCH_LABEL,
    RUN_LABEL,
    RUN_UID_LABEL,
    JsonDict,
)
from autopack_operator.domain.api.profile import RunProfileSpec
from autopack_operator.domain.api.run import AutopackRunSpec, DatabaseMode
from autopack_operator.domain.quantities import whole
from autopack_operator.domain.run.profile_policy import image_of
from autopack_operator.domain.views import Attempt, RunView

UID = 65532
"""One fixed user and group for everything on the volume: fsGroup does nothing on most network file systems."""

ROOT = "/autopack"
BIN = "/autopack-bin"
BIN_SIZE = "64Mi"
STOP_FILE = f"{BIN}/stop"
"""The keeper makes it to have the command stopped; the command's container cannot write there."""

SAVE_SECONDS = 30
"""What a pod gets beyond its command's grace period, to save the work when the command has ended."""

MANAGED_BY = {"app.kubernetes.io/managed-by": "autopack-operator", "app.kubernetes.io/component": "run"}


@dataclass(frozen=True, slots=True)
class PodSettings:
    """What the installation decides for all runs."""

    claim: str
    image: str
    image_pull_policy: str
    service_account: str
    read_write_once: bool = False
    volume_labels: dict[str, str] = field(default_factory=dict)
    snapshot_seconds: int = 10


@dataclass(frozen=True, slots=True)
class _Paths:
    workspace: str
    files: KeptFiles
    mirror: str


def run_pod(
    run: RunView, spec: AutopackRunSpec, profile: RunProfileSpec, attempt: Attempt, settings: PodSettings, branch: str
) -> JsonDict:
    """Manifest of the attempt's pod; it satisfies the Pod Security Standard `restricted`."""
    artifacts = Path(ROOT, run.name)
    paths = _Paths(
        workspace=f"{ROOT}/workspaces/{run.name}",
        files=KeptFiles(artifacts, Path(ROOT, ".kept", run.name) if attempt.kept != attempt.artifacts else artifacts),
        mirror=f"{ROOT}/.repos/{attempt.repository_key}/mirror.git",
    )
    common = _environment(run, attempt, paths)
    git = common | {
        "AUTOPACK_MIRROR": paths.mirror,
        "AUTOPACK_SHA": attempt.sha,
        "AUTOPACK_BRANCH": branch,
        "AUTOPACK_KEPT": str(paths.files.kept),
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": naming.pod_name(run.name, attempt.number),
            "namespace": run.namespace,
            "labels": _labels(run, attempt) | kueue.labels(run.queue),
            "annotations": {"kubectl.kubernetes.io/default-container": "run"},
            "ownerReferences": [owner_reference(run)],
        },
        "spec": {
            "restartPolicy": "Never",
            "serviceAccountName": settings.service_account,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "activeDeadlineSeconds": spec.timeout_seconds,
            "terminationGracePeriodSeconds": spec.termination_grace_period_seconds + SAVE_SECONDS,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": UID,
                "runAsGroup": UID,
                "fsGroup": UID,
                "fsGroupChangePolicy": "OnRootMismatch",
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            **_placement(profile, settings),
            **kueue.gates(run.queue),
            "initContainers": [
                _ours("workspace", settings, git, _mounts(attempt, paths, "workspace")),
                _ours("keeper", settings, git | _limits(profile, settings), _mounts(attempt, paths, "keeper"))
                | {"restartPolicy": "Always"},
            ],
            "containers": [_command(run, spec, profile, common, attempt, paths)],
            "volumes": [
                {"name": "runs", "persistentVolumeClaim": {"claimName": settings.claim}},
                {"name": "bin", "emptyDir": {"sizeLimit": BIN_SIZE}},
                {"name": "tmp", "emptyDir": {"sizeLimit": profile.disk_quota} if profile.disk_quota else {}},
            ],
        },
    }


def owner_reference(run: RunView) -> JsonDict:
    """Makes the run the controller of what it needs, so that the garbage collector follows the run."""
    return {
        "apiVersion": API_VERSION,
        "kind": "AutopackRun",
        "name": run.name,
        "uid": run.uid,
        "controller": True,
        "blockOwnerDeletion": False,
    }


def _labels(run: RunView, attempt: Attempt) -> dict[str, str]:
    labels = MANAGED_BY | {
        RUN_LABEL: naming.label_value(run.name),
        RUN_UID_LABEL: run.uid,
        ATTEMPT_LABEL: str(attempt.number),
    }
    if run.owner is not None and run.owner.kind == "RunBatch":
        labels[BATCH_LABEL] = run.owner.name
    return labels


def _environment(run: RunView, attempt: Attempt, paths: _Paths) -> dict[str, str]:
    return {
        "AUTOPACK_RUN_ID": run.name,
        "AUTOPACK_RUN_UID": run.uid,
        "AUTOPACK_ATTEMPT": str(attempt.number),
        "AUTONOMOUS_RUNS_DIR": ROOT,
        "AUTOPACK_WORKSPACE": paths.workspace,
        "AUTOPACK_ARTIFACTS": str(paths.files.artifacts),
        "PYTHONUTF8": "1",
        "HOME": "/tmp",  # noqa: S108 - an emptyDir of the container's own; the root file system is read-only
    }


def _limits(profile: RunProfileSpec, settings: PodSettings) -> dict[str, str]:
    limits = {"AUTOPACK_SNAPSHOT_SECONDS": str(settings.snapshot_seconds), "AUTOPACK_STOP_FILE": STOP_FILE}
    if profile.disk_quota is not None:
        limits["AUTOPACK_DISK_QUOTA_BYTES"] = str(whole(profile.disk_quota))
    return limits


def _mounts(attempt: Attempt, paths: _Paths, container: str) -> list[JsonDict]:
    theirs, files = container == "run", paths.files
    mounts: list[JsonDict] = [
        {
            "name": "runs",
            "mountPath": paths.mirror,
            "subPath": f".repos/{attempt.repository_key}/mirror.git",
            "readOnly": True,
        },
        {"name": "runs", "mountPath": paths.workspace, "subPath": attempt.workspace},
        {"name": "runs", "mountPath": str(files.artifacts), "subPath": attempt.artifacts},
        {"name": "tmp", "mountPath": "/tmp", "subPath": container},  # noqa: S108 - as above
        {"name": "bin", "mountPath": BIN, "readOnly": theirs},
    ]
    if files.kept != files.artifacts:
        place = files.run_side if theirs else files.kept
        folder = f"{attempt.kept}/{place.name}" if theirs else attempt.kept
        mounts.append({"name": "runs", "mountPath": str(place), "subPath": folder})
    return mounts


def _security() -> JsonDict:
    return {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def _env_list(env: dict[str, str]) -> list[JsonDict]:
    # "$(X)" in a value would be expanded by the kubelet; "$$" is its escape.
    return [{"name": name, "value": value.replace("$", "$$")} for name, value in env.items()]


def _ours(name: str, settings: PodSettings, env: dict[str, str], mounts: list[JsonDict]) -> JsonDict:
    return {
        "name": name,
        "image": settings.image,
        "imagePullPolicy": settings.image_pull_policy,
        "command": ["autopack-runtime", name],
        "env": _env_list(env),
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "512Mi"}},
        "securityContext": _security(),
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": mounts,
    }


def _command(
    run: RunView,
    spec: AutopackRunSpec,
    profile: RunProfileSpec,
    common: dict[str, str],
    attempt: Attempt,
    paths: _Paths,
) -> JsonDict:
    reserved = dict(common)
    if spec.database_mode is DatabaseMode.PER_RUN_SQLITE:
        reserved["DATABASE_URL"] = f"sqlite:///{paths.files.artifacts}/{run.name}.db"
    # The user's own variables come first: ours win, because the isolation hangs on them.
    env = {var.name: var.value for var in spec.env} | reserved
    secret: list[JsonDict] = []
    if spec.database_mode is DatabaseMode.POSTGRES and profile.database is not None:
        env.pop("DATABASE_URL", None)
        chosen = {"name": profile.database.secret_name, "key": profile.database.key}
        secret = [{"name": "DATABASE_URL", "valueFrom": {"secretKeyRef": chosen}}]
    return {
        "name": "run",
        "image": image_of(spec, profile),
        "imagePullPolicy": profile.image_pull_policy,
        "command": _wrapper(spec, paths),
        "args": [word.replace("$", "$$") for word in (*spec.command, *spec.args)],
        "workingDir": paths.workspace,
        "env": _env_list(env) + secret,
        "resources": profile.resources.model_dump(exclude_defaults=True),
        "securityContext": _security(),
        "volumeMounts": _mounts(attempt, paths, "run"),
    }


def _wrapper(spec: AutopackRunSpec, paths: _Paths) -> list[str]:
    # To the entrypoint, 0 would mean to wait forever.
    grace = f"{spec.termination_grace_period_seconds}s" if spec.termination_grace_period_seconds else "1ms"
    wrapper = [f"{BIN}/autopack-entrypoint", "--logs", f"{paths.files.artifacts}/logs"]
    return [
        *wrapper,
        "--exit-file",
        str(paths.files.exit_file),
        "--stop-file",
        STOP_FILE,
        "--kill-after",
        grace,
        "--",
    ]


def _placement(profile: RunProfileSpec, settings: PodSettings) -> JsonDict:
    placement: JsonDict = {}
    if profile.runtime_class_name is not None:
        placement["runtimeClassName"] = profile.runtime_class_name
    if settings.read_write_once:
        # A ReadWriteOnce volume is one node's: every run goes where the volume service is.
        term = {"labelSelector": {"matchLabels": settings.volume_labels}, "topologyKey": "kubernetes.io/hostname"}
        placement["affinity"] = {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    return placement
