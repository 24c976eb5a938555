"""The pod as a whole; the other files of this room say what stands in its parts."""

from __future__ import annotations

from autopack_operator.domain import kueue, naming
from autopack_operator.domain.api.common import (
    ATTEMPT_LABEL,
    BATCH_LABEL,
    RUN_LABEL,
    RUN_POD_LABELS,
    RUN_UID_LABEL,
    JsonDict,
)
from autopack_operator.domain.api.profile import RunProfileSpec
from autopack_operator.domain.api.run import AutopackRunSpec
from autopack_operator.domain.ownership import owner_reference
from autopack_operator.domain.pod import containers, environment, mounts, security
from autopack_operator.domain.pod.paths import paths_of
from autopack_operator.domain.pod.placement import placement
from autopack_operator.domain.pod.settings import PodSettings
from autopack_operator.domain.run.verdict import RUN_CONTAINER, WORKSPACE_CONTAINER
from autopack_operator.domain.views import Attempt, RunView

SAVE_SECONDS = 30
"""What a pod gets beyond its command's grace period, to save the work when the command has ended."""

KEEPER_CONTAINER = "keeper"


def run_pod(
    run: RunView, spec: AutopackRunSpec, profile: RunProfileSpec, attempt: Attempt, settings: PodSettings, branch: str
) -> JsonDict:
    """Manifest of the attempt's pod; it satisfies the Pod Security Standard `restricted`."""
    paths = paths_of(run.name, attempt)
    for_workspace = environment.of_workspace(run, spec, attempt, paths, branch, profile)
    for_keeper = environment.of_keeper(run, spec, profile, attempt, paths, branch, settings)
    for_command = environment.of_command(run, spec, profile, attempt, paths, settings)
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": naming.pod_name(run.name, attempt.number),
            "namespace": run.namespace,
            "labels": profile.pod_labels | _labels(run, attempt) | kueue.labels(run.queue),
            "annotations": profile.pod_annotations | {"kubectl.kubernetes.io/default-container": RUN_CONTAINER},
            "ownerReferences": [owner_reference(run)],
        },
        "spec": {
            "restartPolicy": "Never",
            "serviceAccountName": settings.service_account,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "activeDeadlineSeconds": spec.timeout_seconds,
            "terminationGracePeriodSeconds": spec.termination_grace_period_seconds + SAVE_SECONDS,
            "securityContext": security.of_pod(settings),
            **placement(profile, settings),
            **kueue.gates(run.queue),
            "initContainers": [
                containers.helper(WORKSPACE_CONTAINER, profile, for_workspace, attempt, paths, settings),
                containers.helper(KEEPER_CONTAINER, profile, for_keeper, attempt, paths, settings)
                | {"restartPolicy": "Always"},
            ],
            "containers": [containers.command(spec, profile, for_command, attempt, paths, settings)],
            "volumes": mounts.volumes(profile, settings),
        },
    }


def _labels(run: RunView, attempt: Attempt) -> dict[str, str]:
    labels = RUN_POD_LABELS | {
        RUN_LABEL: naming.label_value(run.name),
        RUN_UID_LABEL: run.uid,
        ATTEMPT_LABEL: str(attempt.number),
    }
    if run.owner is not None and run.owner.kind == "RunBatch":
        labels[BATCH_LABEL] = run.owner.name
    return labels
