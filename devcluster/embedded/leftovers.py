"""What pods leave on a machine: processes, shims, mounts, control groups, files outside the state directory.

Everything here finds things by where they are (our control group, our socket, our directories), never by a common
name, and is safe to repeat.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import signal
import socket
import time
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from devcluster.commands import output_of
from devcluster.embedded import addresses as at
from devcluster.embedded.processes import PROC, Identity, identity_of, send, stop
from devcluster.failure import Failure
from devcluster.layout import Layout

_CNI_RESULTS = Path("/var/lib/cni/results")
_CONTAINER_LOG_LINKS = Path("/var/log/containers")
_DEVICE_PLUGINS = Path("/var/lib/kubelet/device-plugins")
_SHIM_SOCKETS = Path("/run/containerd/s")
_KILL_SECONDS = 10.0


def kill_pods() -> None:
    """Kill every process in our control group, and remove the groups."""
    deadline = time.monotonic() + _KILL_SECONDS
    while pids := sorted(set(_pids(_cgroups()))):
        if time.monotonic() > deadline:
            raise Failure(f"processes of pods do not die: {' '.join(map(str, pids))}")
        for pid in pids:
            send(pid, signal.SIGKILL, only_if=partial(_is_in_our_group, pid))
        time.sleep(0.05)
    for root in _cgroups():
        for directory, _, _ in os.walk(root, topdown=False):
            with contextlib.suppress(OSError):  # a group that is still being emptied is reused by the next start
                Path(directory).rmdir()


def kill_shims(layout: Layout) -> None:
    """Kill containerd's shims that belong to our containerd."""
    stop(dict.fromkeys(shims(layout), 0.0))


def shims(layout: Layout) -> list[Identity]:
    """Return the shims whose command line names our containerd's socket."""
    address = str(layout.containerd_socket)
    found = []
    for directory in PROC.glob("[0-9]*"):
        try:
            arguments = (directory / "cmdline").read_text(errors="replace").split("\0")
        except OSError:
            continue
        if "containerd-shim" in arguments[0] and address in arguments:
            found.append(identity_of(int(directory.name)))
    return [one for one in found if one is not None]


def unmount_all(layout: Layout) -> None:
    """Unmount everything below the state directory: volumes, network namespaces, root file systems."""
    while points := mount_points((PROC / "self/mountinfo").read_text(), (layout.state, layout.run)):
        for point in points:
            output_of(["umount", "--lazy", point])


def mount_points(mountinfo: str, below: Iterable[Path]) -> list[str]:
    """Return the mount points at or below some directories, the innermost first."""
    prefixes = [str(path) for path in below]
    points = [_unescape(line.split()[4]) for line in mountinfo.splitlines()]
    ours = [point for point in points if any(point == one or point.startswith(one + "/") for one in prefixes)]
    return sorted(ours, key=len, reverse=True)


def remove_shim_sockets() -> None:
    """Remove the sockets that killed shims leave in a directory all containerds of a machine share.

    Their names are hashes, so whose they are cannot be told; that nobody listens any more can.
    """
    for path in _SHIM_SOCKETS.glob("*"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            if client.connect_ex(str(path)) == errno.ECONNREFUSED:
                path.unlink(missing_ok=True)


def remove_foreign_files(layout: Layout) -> None:
    """Remove the files that kubelet and CNI put outside the state directory."""
    for result in _CNI_RESULTS.glob("autopack-*"):
        result.unlink(missing_ok=True)
    for link in _CONTAINER_LOG_LINKS.glob("*.log"):
        if link.is_symlink() and link.readlink().is_relative_to(layout.run):
            link.unlink(missing_ok=True)
    (_DEVICE_PLUGINS / "kubelet_internal_checkpoint").unlink(missing_ok=True)
    (_DEVICE_PLUGINS / "kubelet.sock").unlink(missing_ok=True)
    empty = (_DEVICE_PLUGINS, _DEVICE_PLUGINS.parent, _CONTAINER_LOG_LINKS, _SHIM_SOCKETS, _SHIM_SOCKETS.parent)
    for directory in empty:
        with contextlib.suppress(OSError):  # somebody else's files are in it
            directory.rmdir()


def forget_containers(layout: Layout) -> None:
    """Remove what containerd's CRI service remembers of pods, in containerd's kept directory."""
    for kind in ("sandboxes", "containers"):
        shutil.rmtree(layout.containerd / "io.containerd.grpc.v1.cri" / kind, ignore_errors=True)


def make_cgroups() -> None:
    """Make the control group that the kubelet puts pods below: it wants to find it."""
    for root in _cgroup_mounts():
        if (root / "cgroup.controllers").exists():
            _delegate(root)
        (root / at.CGROUP).mkdir(exist_ok=True)


def _delegate(root: Path) -> None:
    """Let groups below a version 2 root have all its controllers."""
    controllers = (root / "cgroup.controllers").read_text().split()
    for name in controllers:
        with contextlib.suppress(OSError):  # one that the kernel cannot delegate now is not needed either
            (root / "cgroup.subtree_control").write_text(f"+{name}")


def _cgroups() -> list[Path]:
    return [path for root in _cgroup_mounts() if (path := root / at.CGROUP).is_dir()]


def _cgroup_mounts() -> list[Path]:
    lines = (PROC / "self/mounts").read_text().splitlines()
    return [Path(fields[1]) for fields in map(str.split, lines) if fields[2] in {"cgroup", "cgroup2"}]


def _is_in_our_group(pid: int) -> bool:
    try:
        return f"/{at.CGROUP}" in (PROC / str(pid) / "cgroup").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def _pids(groups: Iterable[Path]) -> Iterator[int]:
    for group in groups:
        for file in group.rglob("cgroup.procs"):
            with contextlib.suppress(OSError):
                yield from map(int, file.read_text().split())


def _unescape(text: str) -> str:
    """Undo the octal escapes of /proc/self/mountinfo."""
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(code, character)
    return text
