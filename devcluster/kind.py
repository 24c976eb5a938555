"""A cluster in containers, by kind, where a Docker or Podman engine answers."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from devcluster import binaries, machine
from devcluster.commands import output_of, run_logged, succeeds
from devcluster.embedded.runtime import architecture, full_name
from devcluster.failure import Failure
from devcluster.images.debian import BASE_TAG
from devcluster.images.embedded import PROBE_TAG
from devcluster.images.oci import program_archive
from devcluster.layout import Layout
from devcluster.progress import Progress

NAME = "autopack"
_MODULE = "sigs.k8s.io/kind@v0.33.0"
_NODE_VOLUMES = "/var/local-path-provisioner"

_BASE_DOCKERFILE = """\
FROM docker.io/library/debian:bookworm-slim
RUN apt-get update \\
    && apt-get install --yes --no-install-recommends ca-certificates git python3 python3-venv \\
    && rm -rf /var/lib/apt/lists/*
"""


def up(layout: Layout, progress: Progress) -> None:
    """Create the kind cluster, or find it running; a broken one is created again."""
    kind = _kind(layout, progress)
    built = binaries.ensure(layout, binaries.CLIENT_PACKAGES, progress)
    binaries.link_clients(layout, {"kubectl": built / "kubectl", "helm": built / "helm"})
    if NAME in output_of([*kind, "get", "clusters"]).split():
        output_of([*kind, "export", "kubeconfig", "--name", NAME, "--kubeconfig", str(layout.kubeconfig)])
        if is_healthy(layout):
            progress.say("the cluster was running already")
            return
        progress.say("the kind cluster does not answer; it is created again")
        output_of([*kind, "delete", "cluster", "--name", NAME], timeout=120)
    run_logged(
        [*kind, "create", "cluster", "--name", NAME, "--kubeconfig", str(layout.kubeconfig), "--wait", "180s"],
        log=layout.logs / "kind.log",
        progress=progress,
        doing="kind create cluster",
    )
    _set_up_storage(layout)
    progress.say("the cluster is ready")


def down(layout: Layout, progress: Progress) -> None:
    """Delete the kind cluster."""
    output_of([*_kind(layout, progress), "delete", "cluster", "--name", NAME], timeout=120)
    layout.kubeconfig.unlink(missing_ok=True)


def is_healthy(layout: Layout) -> bool:
    """Whether the API server of the kubeconfig says that it is ready."""
    return succeeds(_kubectl(layout, "get", "--raw", "/readyz"))


def project_image(layout: Layout, tag: str, progress: Progress) -> None:
    """Build the checkout's Dockerfile with the engine, whose layer cache makes repeats quick, and load the image."""
    _engine_build(layout, tag, [str(layout.checkout)], progress)
    _load(layout, tag, progress)


def agents_image(layout: Layout, tag: str, agents: Sequence[str], progress: Progress) -> None:
    """Build images/agents with these agents, and load the image."""
    wanted = ["--build-arg", f"AGENTS={' '.join(sorted(agents))}"]
    _engine_build(layout, tag, [*wanted, str(layout.agents)], progress)
    _load(layout, tag, progress)


def test_images(layout: Layout, progress: Progress) -> list[str]:
    """Put the images that tests run their commands in into the cluster; returns their names."""
    built = binaries.ensure(layout, binaries.CLIENT_PACKAGES, progress)
    with tempfile.TemporaryDirectory() as scratch:
        archive = Path(scratch, "probe.tar")
        program_archive(archive, PROBE_TAG, built / "probe", architecture=architecture())
        _load_archive(layout, archive, progress)
        Path(scratch, "Dockerfile").write_text(_BASE_DOCKERFILE)
        _engine_build(layout, BASE_TAG, [scratch], progress)
    _load(layout, BASE_TAG, progress)
    return [PROBE_TAG, BASE_TAG]


def storage_config() -> dict[str, Any]:
    """Return the configuration of kind's volume provisioner: `shared…` is what makes it grant ReadWriteMany.

    Sharing a path between nodes is true here because there is one node.
    """
    one_node = {"nodePathMap": [{"node": "DEFAULT_PATH_FOR_NON_LISTED_NODES", "paths": [_NODE_VOLUMES]}]}
    shared = {"sharedFileSystemPath": f"{_NODE_VOLUMES}/shared"}
    return {"storageClassConfigs": {"standard": one_node, "autopack-rwo": one_node, "autopack-rwx": shared}}


def storage_classes() -> list[dict[str, Any]]:
    """Return the classes; the one that kind makes itself stops being the default."""

    def storage_class(name: str, *, default: bool, binding: str) -> dict[str, Any]:
        return {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {
                "name": name,
                "annotations": {"storageclass.kubernetes.io/is-default-class": str(default).lower()},
            },
            "provisioner": "rancher.io/local-path",
            "reclaimPolicy": "Delete",
            "volumeBindingMode": binding,
        }

    return [
        storage_class("standard", default=False, binding="WaitForFirstConsumer"),
        storage_class("autopack-rwo", default=False, binding="WaitForFirstConsumer"),
        storage_class("autopack-rwx", default=True, binding="Immediate"),
    ]


def _set_up_storage(layout: Layout) -> None:
    patch = json.dumps({"data": {"config.json": json.dumps(storage_config())}})
    namespace = ("--namespace", "local-path-storage")
    output_of(_kubectl(layout, *namespace, "patch", "configmap", "local-path-config", "--type=merge", "-p", patch))
    output_of(_kubectl(layout, *namespace, "rollout", "restart", "deployment/local-path-provisioner"))
    items = {"apiVersion": "v1", "kind": "List", "items": storage_classes()}
    output_of(_kubectl(layout, "apply", "--filename", "-"), stdin=json.dumps(items))


def _kubectl(layout: Layout, *arguments: str) -> list[str]:
    return [str(layout.bin / "kubectl"), "--kubeconfig", str(layout.kubeconfig), *arguments]


def _engine() -> str:
    engine = machine.engine()
    if not engine:
        raise Failure("the Docker or Podman engine that runs the kind cluster does not answer; start it")
    return engine


def _engine_build(layout: Layout, tag: str, arguments: Sequence[str], progress: Progress) -> None:
    run_logged(
        [_engine(), "build", "--tag", full_name(tag), *arguments],
        log=layout.logs / "image.log",
        progress=progress,
        doing=f"building {tag}",
    )


def _load(layout: Layout, tag: str, progress: Progress) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        archive = Path(scratch, "image.tar")
        output_of([_engine(), "save", "--output", str(archive), full_name(tag)], timeout=300)
        _load_archive(layout, archive, progress)


def _load_archive(layout: Layout, archive: Path, progress: Progress) -> None:
    run_logged(
        [*_kind(layout, progress), "load", "image-archive", str(archive), "--name", NAME],
        log=layout.logs / "kind-load.log",
        progress=progress,
        doing="loading the image into the cluster",
    )


def _kind(layout: Layout, progress: Progress) -> list[str]:
    """Return how to call kind on the engine that answers; built from its Go module where it is not installed."""
    program = shutil.which("kind") or str(layout.bin / "kind")
    if not Path(program).exists():
        run_logged(
            ["go", "install", _MODULE],
            log=layout.logs / "kind-install.log",
            progress=progress,
            doing=f"building kind ({_MODULE})",
            env={**os.environ, "GOBIN": str(layout.bin)},
        )
    return ["env", f"KIND_EXPERIMENTAL_PROVIDER={_engine()}", program]
