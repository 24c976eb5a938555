"""Manifests of what the arms create. A pod of a Job is the copy of a pod that the operator made."""

from __future__ import annotations

import copy
import json
from typing import Any

JsonDict = dict[str, Any]

GIVEN_BY_THE_CLUSTER = ("nodeName", "tolerations", "nodeSelector", "priority", "preemptionPolicy", "overhead")


def anchor() -> str:
    """An IntentionAnchorV2 that allows any number of runs."""
    return json.dumps(
        {
            "format_version": "v2",
            "project_id": "bench",
            "created_at": "2026-01-06T00:00:00Z",
            "raw_input_digest": "0000000000000000",
            "pivot_intentions": {
                "parallelism_isolation": {"allowed": True, "isolation_model": "four_layer", "max_concurrent_runs": 5000}
            },
        }
    )


def template() -> JsonDict:
    """What every run does: nothing, on the repository that the benchmark brought."""
    return {"source": {"repository": "bench", "ref": "main"}, "command": ["true"]}


def run(name: str) -> JsonDict:
    """One AutopackRun."""
    return {
        "apiVersion": "autopack.dev/v1alpha1",
        "kind": "AutopackRun",
        "metadata": {"name": name, "annotations": {"autopack.dev/intention-anchor": anchor()}},
        "spec": template(),
    }


def batch(name: str, count: int, workers: int) -> JsonDict:
    """One RunBatch of so many runs."""
    return {
        "apiVersion": "autopack.dev/v1alpha1",
        "kind": "RunBatch",
        "metadata": {"name": name, "annotations": {"autopack.dev/intention-anchor": anchor()}},
        "spec": {"template": template(), "workers": workers, "runs": [{"id": f"r{n}"} for n in range(count)]},
    }


def job_pod(pod: JsonDict) -> JsonDict:
    """The pod template of a Job whose pods are like this pod of a run, but for what names its owner and its node."""
    spec = copy.deepcopy({name: value for name, value in pod["spec"].items() if name not in GIVEN_BY_THE_CLUSTER})
    meta = pod["metadata"]
    return {"metadata": {"labels": meta["labels"], "annotations": meta.get("annotations", {})}, "spec": spec}


def job_pod_with_processes(pod: JsonDict) -> JsonDict:
    """The same for pods that a kubelet starts: as many containers of the same images, on a volume of their own.

    There is no mirror and no worktree for a Job's pod, so the helpers only do what the command needs of them. That
    makes the Jobs' pods the cheaper ones.
    """
    made = job_pod(pod)
    workspace, keeper = made["spec"]["initContainers"]
    (artifacts,) = (each["value"] for each in workspace["env"] if each["name"] == "AUTOPACK_ARTIFACTS")
    prepare = f"mkdir -p {artifacts}/logs && cp /usr/local/bin/autopack-entrypoint /autopack-bin/"
    workspace["command"] = ["sh", "-c", prepare]
    keeper["command"] = ["sh", "-c", "trap 'exit 0' TERM; sleep 3600 & wait"]
    for volume in made["spec"]["volumes"]:
        if volume.pop("persistentVolumeClaim", None):
            volume["emptyDir"] = {}
    return made


def job(name: str, pod: JsonDict, *, completions: int = 1, parallelism: int = 1) -> JsonDict:
    """A Job with that pod template; an Indexed one when it has more than one pod."""
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {
            "completions": completions,
            "parallelism": parallelism,
            "completionMode": "Indexed" if completions > 1 else "NonIndexed",
            "backoffLimit": 0,
            "template": pod,
        },
    }
