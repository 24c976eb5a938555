"""The Debian base image with Python and Git, made by mmdebstrap and cached for all checkouts of the user."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

from devcluster.commands import run_logged
from devcluster.embedded.runtime import architecture
from devcluster.images import host_settings
from devcluster.images.oci import Image, write_archive
from devcluster.layout import Layout
from devcluster.locking import exclusive
from devcluster.progress import Progress

BASE_TAG = "localhost/autopack-base:dev"
SUITE = "bookworm"
# pytest: the demo's runs execute the tests of the repository they work on.
INCLUDED = ("ca-certificates", "git", "openssh-client", "python3", "python3-pytest", "python3-venv")

_OPTIONS = (
    "--variant=minbase",
    f"--include={','.join(INCLUDED)}",
    # What a container image has no use for; documentation alone is a tenth of the size.
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--dpkgopt=path-exclude=/usr/share/man/*",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
    # mmdebstrap leaves its options and this machine's name and resolvers in the image.
    '--customize-hook=rm -f "$1"/etc/apt/apt.conf.d/99mmdebstrap "$1"/etc/hostname "$1"/etc/resolv.conf',
)
_IMAGE = Image(
    BASE_TAG,
    command=["/bin/sh"],
    environment=["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"],
)


def base_key() -> str:
    """Return the hash over the recipe."""
    recipe = repr((SUITE, _OPTIONS, _IMAGE, architecture()))
    return hashlib.sha256(recipe.encode()).hexdigest()[:16]


def ensure_base(layout: Layout, progress: Progress) -> Path:
    """Return the archive of the base image, making it when this recipe was not made yet."""
    archive = layout.cache / "base" / f"{base_key()}.oci.tar"
    archive.parent.mkdir(parents=True, exist_ok=True)
    with exclusive(archive.parent / ".lock", progress):
        if not archive.exists():
            _bootstrap(archive, layout, progress)
            for former in archive.parent.glob("*.oci.tar"):
                if former != archive:
                    former.unlink()
    return archive


def _bootstrap(archive: Path, layout: Layout, progress: Progress) -> None:
    options = [f"--aptopt={line}" for line in host_settings.look().apt_conf.splitlines()]
    with tempfile.TemporaryDirectory(dir=archive.parent) as scratch:
        layer = Path(scratch, "layer.tar")
        run_logged(
            ["mmdebstrap", *_OPTIONS, *options, SUITE, str(layer)],
            log=layout.logs / "mmdebstrap.log",
            progress=progress,
            doing=f"making the Debian base image ({SUITE} with {', '.join(INCLUDED)})",
        )
        write_archive(archive, _IMAGE, layer, architecture=architecture())
