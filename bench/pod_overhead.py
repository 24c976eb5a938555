"""Part 5: what a run's pod costs beside a bare pod that executes the same command in the same image."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from autopack.phases import Phase
from bench import objects
from bench.api import CORE, RUNS, Api
from bench.audit import Request
from bench.cgroups import of_process
from bench.figures import Figure, most
from bench.processes import find
from bench.scene import Scene

JsonDict = dict[str, Any]

TELL_THE_TIME = ["sh", "-c", "date +%s.%N > /dev/termination-log"]
"""The command's own clock, which is the API server's: the kubelet tells times in whole seconds."""

PATIENCE_SECONDS = 60.0
KEEPER_SECONDS = 10.0


async def start(scene: Scene, repeats: int) -> list[Figure]:
    """From the pod's binding to its command's first instruction, for both, taking turns."""
    ours, bare = [], []
    for number in range(repeats):
        body = objects.run(f"timed-{number}")
        body["spec"]["command"] = TELL_THE_TIME
        ours.append(await _started(scene, scene.runs, body, f"timed-{number}-a1"))
        bare.append(await _started(scene, scene.jobs, _bare(scene.pod, f"timed-{number}"), f"timed-{number}"))
    return [
        Figure("pod_start_seconds", "real pods: scheduled to command, run, s", ours),
        Figure("bare_pod_start_seconds", "real pods: scheduled to command, bare pod, s", bare),
        Figure("pod_start_vs_bare", "real pods: run / bare pod", [a / b for a, b in zip(ours, bare, strict=True)]),
    ]


async def _started(scene: Scene, api: Api, body: JsonDict, pod: str) -> float:
    mark = scene.audit.mark()
    plural = "pods" if body["kind"] == "Pod" else "autopackruns"
    await api.create(CORE if plural == "pods" else RUNS, plural, [body])
    told = await _last_words(api, pod)
    bound = next(each for each in scene.audit.since(mark, [api.namespace]) if _binds(each, pod))
    return float(told) - bound.done


def _binds(request: Request, pod: str) -> bool:
    return request.resource == "pods/binding" and request.name == pod


async def _last_words(api: Api, pod: str) -> str:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        await asyncio.sleep(0.3)
        listed = await api.glance(CORE, "pods", fieldSelector=f"metadata.name={pod}")
        for found in listed["items"]:
            for container in found["status"].get("containerStatuses", ()):
                if "terminated" in container["state"]:
                    return str(container["state"]["terminated"].get("message", ""))
    raise SystemExit(f"pod {pod} in {api.namespace} did not end within {PATIENCE_SECONDS:.0f} s")


def _bare(pod: JsonDict, name: str) -> JsonDict:
    """Only the run's own container, without our volume, wrapper and helpers."""
    (run,) = pod["spec"]["containers"]
    container = {key: run[key] for key in ("image", "imagePullPolicy", "resources", "securityContext") if key in run}
    security = pod["spec"]["securityContext"]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": pod["metadata"]["labels"]},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "securityContext": {key: value for key, value in security.items() if not key.startswith("fsGroup")},
            "containers": [container | {"name": "run", "command": TELL_THE_TIME}],
        },
    }


async def keeper(scene: Scene) -> list[Figure]:
    """The sidecar beside a command that sleeps."""
    body = objects.run("kept")
    body["spec"]["command"] = ["sleep", str(KEEPER_SECONDS + PATIENCE_SECONDS)]
    await scene.runs.create(RUNS, "autopackruns", [body])
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        found = await scene.runs.glance(RUNS, "autopackruns", "kept")
        phase = found.get("status", {}).get("phase")
        process = find("keeper", f"AUTOPACK_RUN_UID={found['metadata']['uid']}") if phase == Phase.RUNNING else None
        if process is not None:
            break
        if time.monotonic() > deadline:
            raise SystemExit(f"a run's keeper did not start within {PATIENCE_SECONDS:.0f} s (run: {phase})")
        await asyncio.sleep(0.3)
    group = of_process(process.pid)
    cpu = group.cpu_seconds()
    await asyncio.sleep(KEEPER_SECONDS)
    used, memory, resident = (group.cpu_seconds() - cpu) / KEEPER_SECONDS, group.memory_mib(), process.resident_mib()
    return [
        Figure("keeper_cpu", "keeper beside a sleeping command: share of a core", [used], most(0.05)),
        Figure("keeper_mib", "keeper's container: MiB, page cache that can go at once left out", [memory]),
        Figure("keeper_resident_mib", "keeper's process: MiB resident", [resident]),
    ]
