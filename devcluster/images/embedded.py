"""Images for the embedded cluster: the project's own, the agents', and those of the tests."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from devcluster import binaries, packages
from devcluster.embedded import runtime
from devcluster.failure import Failure
from devcluster.images import buildah, host_settings
from devcluster.images.buildah import Recipe
from devcluster.images.context import content_key, context_files
from devcluster.images.debian import BASE_TAG, base_key, ensure_base
from devcluster.images.imported import is_imported, remember
from devcluster.layout import Layout
from devcluster.locking import exclusive
from devcluster.progress import Progress

PROBE_TAG = "localhost/autopack-probe:dev"
KEPT_AGENTS = 2
"""Archives of the agents' images, a gigabyte each: that of the tests, and that of the longer ones."""


def project_image(layout: Layout, tag: str, progress: Progress) -> None:
    """Build the checkout's Dockerfile and put it into the cluster as `tag`, unless nothing has changed."""
    recipe = Recipe("project", layout.checkout, bases=("BASE", "GO_BASE"))
    key = _key(recipe)
    if not _is_there(layout, tag, key, progress):
        archive = layout.cache / "project-image.tar"
        _build(layout, recipe, tag, archive, progress)
        _import(layout, tag, key, archive, progress)
        archive.unlink()


def agents_image(layout: Layout, tag: str, agents: Sequence[str], progress: Progress) -> None:
    """Build images/agents with these agents and put it into the cluster as `tag`, unless nothing has changed.

    It takes minutes: a few are kept for all clusters and checkouts of the user.
    """
    recipe = Recipe("agents", layout.agents, bases=("BASE",), arguments={"AGENTS": " ".join(sorted(agents))})
    key = _key(recipe, tag)
    if _is_there(layout, tag, key, progress):
        return
    archive = layout.cache / "agents" / f"{key}.tar"
    archive.parent.mkdir(parents=True, exist_ok=True)
    with exclusive(archive.parent / ".lock", progress):
        if not archive.exists():
            unfinished = archive.with_suffix(".unfinished")
            _build(layout, recipe, tag, unfinished, progress)
            unfinished.replace(archive)
        os.utime(archive)
        for former in sorted(archive.parent.glob("*.tar"), key=lambda path: path.stat().st_mtime)[:-KEPT_AGENTS]:
            former.unlink()
        _import(layout, tag, key, archive, progress)


def test_images(layout: Layout, progress: Progress) -> list[str]:
    """Put the images that tests run their commands in into the cluster; returns their names.

    One has a shell, Git and Python. The other has one static program and nothing else.
    """
    _need_cluster(layout)
    built = binaries.ensure(layout, binaries.CLUSTER_PACKAGES, progress)
    probe_key = hashlib.sha256((built / "probe").read_bytes()).hexdigest()
    if not is_imported(layout, PROBE_TAG, probe_key):
        progress.say(f"importing {PROBE_TAG}")
        runtime.import_program(layout, PROBE_TAG, built / "probe")
        remember(layout, PROBE_TAG, probe_key)
    if not is_imported(layout, BASE_TAG, base_key()):
        packages.ensure({"mmdebstrap": "mmdebstrap"}, log=layout.logs / "apt.log", progress=progress)
        archive = ensure_base(layout, progress)
        progress.say(f"importing {BASE_TAG}")
        runtime.import_archive(layout, archive)
        remember(layout, BASE_TAG, base_key())
    return [PROBE_TAG, BASE_TAG]


def _need_cluster(layout: Layout) -> None:
    if not runtime.answers(layout):
        raise Failure("the embedded cluster does not run; start it with `python3 -m devcluster up`")


def _key(recipe: Recipe, *more: str) -> str:
    dockerfile = recipe.context / "Dockerfile"
    if not dockerfile.exists():
        raise Failure(f"there is no {dockerfile}; nothing to build")
    extra = [path for path in (dockerfile, recipe.context / ".dockerignore") if path.exists()]
    files = context_files(recipe.context, dockerfile.read_text()) + extra
    return content_key(recipe.context, files, base_key(), *recipe.arguments.values(), *more)


def _is_there(layout: Layout, tag: str, key: str, progress: Progress) -> bool:
    _need_cluster(layout)
    if is_imported(layout, tag, key):
        progress.say(f"{tag} is up to date")
        return True
    return False


def _build(layout: Layout, recipe: Recipe, tag: str, archive: Path, progress: Progress) -> None:
    packages.ensure(packages.IMAGE_PROGRAMS, log=layout.logs / "apt.log", progress=progress)
    base = ensure_base(layout, progress)
    buildah.build(layout, recipe, base, tag, host_settings.look(), archive, progress)


def _import(layout: Layout, tag: str, key: str, archive: Path, progress: Progress) -> None:
    progress.say(f"importing {tag} into the cluster")
    runtime.import_archive(layout, archive)
    remember(layout, tag, key)
