"""A cluster of the user's own: used as it is, never started, changed or stopped."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from devcluster import binaries
from devcluster.commands import succeeds
from devcluster.embedded.credentials import write_secret
from devcluster.failure import Failure
from devcluster.layout import Layout
from devcluster.progress import Progress


def up(layout: Layout, progress: Progress) -> None:
    """Check that the cluster of KUBECONFIG answers, and copy that file to where the project's tools look."""
    source = Path(os.environ.get("KUBECONFIG", ""))
    if not source.is_file():
        raise Failure(f"KUBECONFIG names {source}, which is not a file; name one file, for example ~/.kube/config")
    installed = {name: shutil.which(name) for name in ("kubectl", "helm")}
    present = {name: Path(path) for name, path in installed.items() if path}
    if len(present) < len(installed):
        built = binaries.ensure(layout, binaries.CLIENT_PACKAGES, progress)
        present = {"kubectl": built / "kubectl", "helm": built / "helm", **present}
    binaries.link_clients(layout, present)
    if source.resolve() != layout.kubeconfig.resolve():
        write_secret(layout.kubeconfig, source.read_text())
    if not is_healthy(layout):
        raise Failure(f"the cluster that {source} names does not answer; check `kubectl get --raw /readyz`")
    progress.say("the cluster answers")


def is_healthy(layout: Layout) -> bool:
    """Whether the API server says that it is ready."""
    kubectl = [str(layout.bin / "kubectl"), "--kubeconfig", str(layout.kubeconfig)]
    return succeeds([*kubectl, "get", "--raw", "/readyz"])


def refuse_images() -> Failure:
    """Return the error that tells what to do instead: nobody but its owner can put images into such a cluster."""
    return Failure(
        "CLUSTER=current: build the image yourself (docker build --tag YOUR_REGISTRY/autopack .), "
        "push it to a registry the cluster can pull from, and name it to the chart (image.repository, image.tag)"
    )
