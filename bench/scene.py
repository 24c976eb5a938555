"""Where everything is measured: one cluster, one namespace for Jobs, one with the chart's operator for runs."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devcluster.embedded import addresses
from devcluster.layout import Layout
from scripts import deploy
from scripts.deploy import kubectl

from autopack.phases import PodPhase
from bench import objects
from bench.api import CORE, JOBS, RUNS, Api, connected
from bench.audit import AuditLog
from bench.processes import Process, find
from bench.trees import repository

JsonDict = dict[str, Any]

VOLUME_PORT = 18780
READY_SECONDS = 60.0


@dataclass
class Scene:
    """What the measurements act on.

    Attributes:
        audit: the API server's audit log.
        jobs: requests in the namespace of the Job controller's arms.
        runs: requests in the namespace that the operator serves.
        pod: pod template of Jobs, copied from a run's pod.

    """

    audit: AuditLog
    jobs: Api
    runs: Api
    pod: JsonDict

    @property
    def operator_user(self) -> str:
        """The operator, as the audit log calls it."""
        return f"system:serviceaccount:{self.runs.namespace}:autopack-operator"

    def operator(self) -> Process:
        """The operator's process."""
        found = find("autopack-operator", f"AUTOPACK_NAMESPACE={self.runs.namespace}")
        if found is None:
            raise SystemExit("the operator's process is not on this machine: the benchmark needs the embedded cluster")
        return found

    async def clear(self) -> None:
        """Remove what an arm has left, at once what can be: the API server deletes one by one what a request asks for.

        Runs go before their pods, which then have no owner that could miss them. Jobs go after theirs: those of a
        finished Job are not missed, and for each that is there the garbage collector sends a request, at its own pace.
        """
        await self.runs.clear(RUNS, "runbatches")
        await self.runs.clear(RUNS, "autopackruns")
        pods, both = {"labelSelector": "app.kubernetes.io/managed-by=autopack-operator"}, (self.runs, self.jobs)
        events = (api.clear("events.k8s.io/v1", "events") for api in both)
        await asyncio.gather(*(api.clear(CORE, "pods", **pods) for api in both), *events)
        await self.jobs.clear(JOBS, "jobs")
        # Of an arm that was given up, a Job may have made another one meanwhile.
        await self.jobs.clear(CORE, "pods", **pods)

    async def settled(self, patience: float = READY_SECONDS) -> None:
        """Wait until the operator leads and has nothing to do."""
        deadline = time.monotonic() + patience
        while True:
            metrics = await self.metrics()
            if metrics.get("autopack_leader") == 1 and metrics.get("autopack_workqueue_depth") == 0:
                return
            if time.monotonic() > deadline:
                raise SystemExit(f"the operator is still busy after {patience:.0f} s")
            await asyncio.sleep(0.3)

    def etcd_bytes(self) -> float:
        """What the store has written into its log since its start."""
        return _metrics(f"http://{addresses.LOOPBACK}:{addresses.ETCD_PORT}/metrics")["etcd_disk_wal_write_bytes_total"]

    async def metrics(self) -> dict[str, float]:
        """The operator's metrics; none while it does not answer."""
        pods = await self.runs.glance(CORE, "pods", labelSelector="app.kubernetes.io/component=operator")
        found = [pod["status"].get("podIP") for pod in pods["items"] if "deletionTimestamp" not in pod["metadata"]]
        if len(found) != 1 or not found[0]:
            return {}
        try:
            return await asyncio.to_thread(_metrics, f"http://{found[0]}:8081/metrics")
        except OSError:
            return {}


def operator_settings(qps: int, runtime_class: str, *, doubled_volume: bool) -> dict[str, str]:
    """Values of the chart for an installation that is measured."""
    values = {
        "defaultProfile.runtimeClassName": runtime_class,
        "operator.apiQPS": str(qps),
    }
    if doubled_volume:
        values |= {
            "operator.extraEnv[0].name": "AUTOPACK_VOLUME_URL",
            "operator.extraEnv[0].value": f"http://{addresses.HOST}:{VOLUME_PORT}",
        }
    return values


@asynccontextmanager
async def scene(
    layout: Layout,
    name: str,
    values: dict[str, str],
    prepare: Callable[[str], None] = lambda _: None,
    job_pod: Callable[[JsonDict], JsonDict] = objects.job_pod,
) -> AsyncIterator[Scene]:
    """Two fresh namespaces with the chart installed in one, for which `prepare` is called; gone afterwards.

    `job_pod` makes the pod template of Jobs of a run's pod.
    """
    runs, jobs = (deploy.own_namespace(f"bench-{name}-{part}") for part in ("runs", "jobs"))
    remove(runs, jobs)
    try:
        deploy.install(runs, values=values)
        prepare(runs)
        async with connected(runs) as api:
            pod = await _pod_of_a_run(api)
            deploy.make_namespace(jobs)
            kubectl("apply", "-n", jobs, "-f", "-", stdin=json.dumps(_what_pods_name(pod)).encode())
            found = Scene(AuditLog(layout.audit_log), api.within(jobs), api, job_pod(pod))
            await found.clear()
            await found.settled()
            yield found
    finally:
        remove(runs, jobs)


def make_repository(namespace: str) -> None:
    """Bring a small repository onto the volume."""
    with tempfile.TemporaryDirectory() as name:
        repository.make_repository(Path(name) / "bench", files=20, size=1000)
        deploy.import_repository(namespace, "bench", Path(name) / "bench")


def copy_mirrors(where: Scene) -> None:
    """Put the mirrors of the runs' volume onto that of the Jobs, whose pods check out of them."""
    claims = [each.get("persistentVolumeClaim") for each in where.pod["spec"]["volumes"]]
    (claim,) = (each["claimName"] for each in claims if each)
    folders = [_volume_folder(api.namespace, claim) for api in (where.runs, where.jobs)]
    subprocess.run(["cp", "-a", *(folder / ".repos" for folder in folders)], check=True)


def _volume_folder(namespace: str, claim: str) -> Path:
    """Where the volume of a claim lies on this machine."""
    name = kubectl("get", "pvc", claim, "-n", namespace, "-o", "jsonpath={.spec.volumeName}")
    return Path(kubectl("get", "pv", name, "-o", "jsonpath={.spec.hostPath.path}"))


def remove(*namespaces: str) -> None:
    """Delete them and wait."""
    kubectl("delete", "namespace", *namespaces, "--ignore-not-found", "--wait=true", timeout=600)


async def _pod_of_a_run(api: Api) -> JsonDict:
    """Make one run, and take its pod as the model."""
    await api.create(RUNS, "autopackruns", [objects.run("model")])
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        pods = await api.glance(CORE, "pods", labelSelector="autopack.dev/run=model")
        if pods["items"] and pods["items"][0]["status"].get("phase") == PodPhase.SUCCEEDED:
            return dict(pods["items"][0])
        await asyncio.sleep(0.3)
    found = await api.get(RUNS, "autopackruns", "model")
    raise SystemExit(f"a first run did not succeed within {READY_SECONDS:.0f} s: {json.dumps(found.get('status'))}")


def _what_pods_name(pod: JsonDict) -> JsonDict:
    """The service account and the claim that the pods of Jobs need in their own namespace."""
    account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": pod["spec"]["serviceAccountName"]},
    }
    claims = [
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": volume["persistentVolumeClaim"]["claimName"]},
            "spec": {"accessModes": ["ReadWriteMany"], "resources": {"requests": {"storage": "1Gi"}}},
        }
        for volume in pod["spec"]["volumes"]
        if "persistentVolumeClaim" in volume
    ]
    return {"apiVersion": "v1", "kind": "List", "items": [account, *claims]}


@asynccontextmanager
async def volume_double() -> AsyncIterator[None]:
    """The stand-in for the volume service, where pods reach this machine."""
    command = ["-m", "bench.volume_double", addresses.HOST, str(VOLUME_PORT)]
    server = await asyncio.create_subprocess_exec(sys.executable, *command, cwd=deploy.ROOT)
    try:
        yield
    finally:
        server.terminate()
        await server.wait()


def _metrics(url: str) -> dict[str, float]:
    with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - always http, from this file
        lines = answer.read().decode().splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines) if name[:1] != "#"}
