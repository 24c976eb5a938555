"""containerd as a client sees it: images in, containers out."""

from __future__ import annotations

import platform
import tempfile
from pathlib import Path

from devcluster.commands import output_of, succeeds
from devcluster.images.oci import program_archive
from devcluster.layout import Layout

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def architecture() -> str:
    """Return this machine's architecture by the name images use."""
    machine = platform.machine()
    return _ARCHITECTURES.get(machine, machine)


def ctr(layout: Layout, *arguments: str) -> list[str]:
    """Return the command line of containerd's client for the images and containers that Kubernetes sees."""
    return ["ctr", "--address", str(layout.containerd_socket), "--namespace", "k8s.io", *arguments]


def answers(layout: Layout) -> bool:
    """Whether containerd serves requests; its socket alone does not say so."""
    return succeeds(ctr(layout, "version"), timeout=5)


def full_name(tag: str) -> str:
    """Return the name the kubelet asks for when a pod says `tag`: Docker's defaults filled in."""
    first, slash, _ = tag.partition("/")
    if not slash:
        return f"docker.io/library/{tag}"
    return tag if first == "localhost" or "." in first or ":" in first else f"docker.io/{tag}"


def has_image(layout: Layout, tag: str) -> bool:
    """Whether the cluster holds an image that a pod can name as `tag`."""
    return bool(output_of(ctr(layout, "images", "ls", "-q", f"name=={full_name(tag)}")).strip())


def import_program(layout: Layout, name: str, program: Path) -> None:
    """Put an image into the cluster that holds nothing but one static program."""
    with tempfile.TemporaryDirectory() as scratch:
        archive = Path(scratch, "image.tar")
        program_archive(archive, name, program, architecture=architecture())
        import_archive(layout, archive)


def import_archive(layout: Layout, archive: Path) -> None:
    """Put an image archive into the cluster."""
    output_of(ctr(layout, "images", "import", str(archive)), timeout=600)
    if stale := untagged(output_of(ctr(layout, "images", "ls"))):
        output_of(ctr(layout, "images", "rm", *stale), check=False)


def untagged(listing: str) -> list[str]:
    """Return the ids of images in `ctr images ls` output that no name stands for any more.

    The kubelet would collect them when the disk is full, which it is told not to do here.
    """
    rows = [line.split() for line in listing.splitlines()[1:]]
    named = {row[2] for row in rows if not row[0].startswith("sha256:")}
    return [row[0] for row in rows if row[0].startswith("sha256:") and row[2] not in named]


def delete_containers(layout: Layout) -> None:
    """Delete all containers, ended or not; images stay."""
    if tasks := output_of(ctr(layout, "tasks", "ls", "-q")).split():
        output_of(ctr(layout, "tasks", "delete", "--force", *tasks), check=False)
    if containers := output_of(ctr(layout, "containers", "ls", "-q")).split():
        output_of(ctr(layout, "containers", "delete", *containers), check=False)
