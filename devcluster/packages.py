"""Debian packages that the embedded cluster and the image builds need; installed when their programs are missing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from devcluster.commands import run_logged, succeeds
from devcluster.failure import Failure
from devcluster.progress import Progress

CNI_DIRECTORIES = (Path("/usr/lib/cni"), Path("/opt/cni/bin"))
"""Where Debian and where upstream's archives put the CNI plugins."""

CLUSTER_PROGRAMS = {
    "containerd": "containerd",
    "runc": "runc",
    "ptp": "containernetworking-plugins",
    "nft": "nftables",
    "ip": "iproute2",
    "mount": "mount",
}
IMAGE_PROGRAMS = {"mmdebstrap": "mmdebstrap", "buildah": "buildah"}
BROWSER_PROGRAMS = {"chromium": "chromium"}
"""What the tests of the dashboard look at it with."""


def cni_directory() -> Path | None:
    """Return the directory that has the CNI plugin `ptp`, if any."""
    return next((path for path in CNI_DIRECTORIES if (path / "ptp").exists()), None)


def is_present(program: str) -> bool:
    """Whether a program is there, however it was installed; `ptp` is looked for among the CNI plugins."""
    # /usr/sbin is not on every root's PATH (su without a login shell).
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    return cni_directory() is not None if program == "ptp" else shutil.which(program, path=path) is not None


def missing(programs: dict[str, str], present: Callable[[str], bool] = is_present) -> list[str]:
    """Return the packages to install for those of `programs` (program -> package) that are not there."""
    return sorted({package for program, package in programs.items() if not present(program)})


def ensure(programs: dict[str, str], *, log: Path, progress: Progress) -> None:
    """Install what is missing, naming it first. Raises Failure naming the packages where apt-get cannot help."""
    packages = missing(programs)
    if not packages:
        return
    names = " ".join(packages)
    if shutil.which("apt-get") is None:
        raise Failure(f"this machine has no apt-get; install these with your package manager: {names}")
    if os.geteuid() != 0:
        raise Failure(f"run as root: apt-get install {names}")
    progress.say(f"these Debian packages are missing and will be installed: {names}")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    if not _lists_know(packages):
        run_logged(["apt-get", "update"], log=log, progress=progress, doing="apt-get update", env=env)
    argv = ["apt-get", "install", "--yes", "--no-install-recommends", *packages]
    try:
        run_logged(argv, log=log, progress=progress, doing="apt-get install", env=env)
    except Failure:
        # Package lists that are some weeks old name versions which the mirrors have dropped since.
        run_logged(["apt-get", "update"], log=log, progress=progress, doing="apt-get update", env=env)
        run_logged(argv, log=log, progress=progress, doing="apt-get install, again", env=env)
    if still := missing(programs):
        raise Failure(f"installed {names}, but their programs are still missing: {' '.join(still)}; see {log}")


def _lists_know(packages: Iterable[str]) -> bool:
    return succeeds(["apt-get", "install", "--simulate", "--no-install-recommends", *packages])
