"""Images for the embedded cluster: the project's own and those of the tests."""

from __future__ import annotations

import hashlib

from devcluster import binaries, packages
from devcluster.embedded import runtime
from devcluster.failure import Failure
from devcluster.images import buildah, host_settings
from devcluster.images.context import content_key, context_files
from devcluster.images.debian import BASE_TAG, base_key, ensure_base
from devcluster.images.imported import is_imported, remember
from devcluster.layout import Layout
from devcluster.progress import Progress

PROBE_TAG = "localhost/autopack-probe:dev"


def project_image(layout: Layout, tag: str, progress: Progress) -> None:
    """Build the checkout's Dockerfile and put it into the cluster as `tag`, unless nothing has changed."""
    _need_cluster(layout)
    dockerfile = layout.checkout / "Dockerfile"
    if not dockerfile.exists():
        raise Failure(f"there is no {dockerfile}; nothing to build")
    extra = [path for path in (dockerfile, layout.checkout / ".dockerignore") if path.exists()]
    files = context_files(layout.checkout, dockerfile.read_text()) + extra
    key = content_key(layout.checkout, files, base_key())
    if is_imported(layout, tag, key):
        progress.say(f"{tag} is up to date")
        return
    packages.ensure(packages.IMAGE_PROGRAMS, log=layout.logs / "apt.log", progress=progress)
    base = ensure_base(layout, progress)
    archive = layout.cache / "project-image.tar"
    buildah.build(layout, base, tag, host_settings.look(), archive, progress)
    progress.say(f"importing {tag} into the cluster")
    runtime.import_archive(layout, archive)
    archive.unlink()
    remember(layout, tag, key)


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
