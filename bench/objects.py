"""Manifests of what the arms create. A pod of a Job is the copy of a pod that the operator made."""

from __future__ import annotations

import copy
import json
from typing import Any

from autopack_operator.domain.api.batch import MAX_AXES, MAX_RUNS, MAX_VALUES

JsonDict = dict[str, Any]

USUAL_AXES = 2
"""Axes that are enough for most sizes."""

OWN = "own"
"""The volume of a Job's pod for what its helpers write."""

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
    """What every run does: nothing, on the repository that the benchmark brought.

    The variables are those that the axes of a batch set: a run alone, whose pod the Jobs' pods are copied from, has as
    many.
    """
    env = [{"name": _axis(number), "value": "r0"} for number in range(USUAL_AXES)]
    return {"source": {"repository": "bench", "ref": "main"}, "command": ["true"], "env": env}


def run(name: str) -> JsonDict:
    """One AutopackRun."""
    return {
        "apiVersion": "autopack.dev/v1alpha1",
        "kind": "AutopackRun",
        "metadata": {"name": name, "annotations": {"autopack.dev/intention-anchor": anchor()}},
        "spec": template(),
    }


def batch(name: str, count: int, workers: int) -> JsonDict:
    """One RunBatch of so many runs, as a matrix: with a list of a thousand runs the object would have hundreds of kB,
    which the garbage collector reads over and over while runs come and go.

    Raises ValueError where no matrix has that many.
    """
    matrix = [
        {"name": _axis(number), "values": [f"r{value}" for value in range(length)]}
        for number, length in enumerate(axes(count))
    ]
    return {
        "apiVersion": "autopack.dev/v1alpha1",
        "kind": "RunBatch",
        "metadata": {"name": name, "annotations": {"autopack.dev/intention-anchor": anchor()}},
        "spec": {"template": template(), "workers": workers, "matrix": matrix},
    }


def axes(count: int) -> list[int]:
    """Lengths of the axes of a matrix with so many combinations, the longest first.

    Raises ValueError where there is none within the bounds of the CRD.
    """
    if not 1 <= count <= MAX_RUNS:
        raise ValueError(f"a RunBatch has 1 to {MAX_RUNS} runs, not {count}")
    found: list[int] = []
    left = count
    while left > 1 or not found:
        length = max(each for each in range(1, MAX_VALUES + 1) if left % each == 0)
        if length == 1 < left or len(found) == MAX_AXES:
            bounds = f"{MAX_AXES} axes of {MAX_VALUES} values at most"
            raise ValueError(f"{count} runs cannot be made as a matrix of {bounds}; take another size")
        found.append(length)
        left //= length
    return found


def _axis(number: int) -> str:
    return f"BENCH_AXIS_{number}"


def job_pod(pod: JsonDict) -> JsonDict:
    """The pod template of a Job whose pods are like this pod of a run, but for what names its owner and its node."""
    spec = copy.deepcopy({name: value for name, value in pod["spec"].items() if name not in GIVEN_BY_THE_CLUSTER})
    meta = pod["metadata"]
    return {"metadata": {"labels": meta["labels"], "annotations": meta.get("annotations", {})}, "spec": spec}


def job_pod_with_processes(pod: JsonDict) -> JsonDict:
    """The same for pods that a kubelet starts: the very containers, whose helpers make a worktree of the same mirror
    and save it. What they write is the pod's own, for nobody prepares folders on a volume for it.
    """
    made = job_pod(pod)
    spec = made["spec"]
    claims = {each["name"] for each in spec["volumes"] if "persistentVolumeClaim" in each}
    spec["volumes"].append({"name": OWN, "emptyDir": {}})
    for container in (*spec["initContainers"], *spec["containers"]):
        for mount in container["volumeMounts"]:
            if mount["name"] in claims and not mount.get("readOnly"):
                mount["name"] = OWN
    return made


def without_work(template: JsonDict) -> JsonDict:
    """The same pod template of a Job with helpers that only do what the command needs of them: no git."""
    made = copy.deepcopy(template)
    workspace, keeper = made["spec"]["initContainers"]
    (artifacts,) = (each["value"] for each in workspace["env"] if each["name"] == "AUTOPACK_ARTIFACTS")
    prepare = f"mkdir -p {artifacts}/logs && cp /usr/local/bin/autopack-entrypoint /autopack-bin/"
    workspace["command"] = ["sh", "-c", prepare]
    keeper["command"] = ["sh", "-c", "trap 'exit 0' TERM; sleep 3600 & wait"]
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
