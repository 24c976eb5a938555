"""Where everything lies: the checkout's `.dev/` for one cluster, the user's cache for what clusters share."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

SOCKET_PATH_LIMIT = 107
"""Bytes the kernel grants the path of a unix socket."""

_LONGEST_SOCKET_BELOW_RUN = len("/containerd/containerd.sock.ttrpc")


@dataclass(frozen=True)
class Layout:
    """All paths of one checkout's cluster. `cache` is shared by all checkouts of the user."""

    checkout: Path
    cache: Path

    @property
    def dev(self) -> Path:
        """Everything a developer's machine needs beside the environment; ignored by git.

        Resolved, so that work trees that share one `.dev` by a symbolic link share one cluster too.
        """
        return (self.checkout / ".dev").resolve()

    @property
    def kubeconfig(self) -> Path:
        """Credentials of an administrator of whichever cluster was chosen."""
        return self.dev / "kubeconfig"

    @property
    def bin(self) -> Path:
        """Links to kubectl and helm, and to the embedded cluster's programs."""
        return self.dev / "bin"

    @property
    def lock(self) -> Path:
        """Held while a command changes the cluster."""
        return self.dev / "devcluster.lock"

    @property
    def image_lock(self) -> Path:
        """Held while an image is built: that takes a minute, in which the cluster itself can be used and found."""
        return self.dev / "devcluster-image.lock"

    @property
    def chosen(self) -> Path:
        """Which kind of cluster `up` chose last."""
        return self.dev / "cluster-kind"

    @property
    def state(self) -> Path:
        """The embedded cluster's files; `down` removes them but for `containerd` and `logs`."""
        return self.dev / "cluster"

    @property
    def logs(self) -> Path:
        """One log per process, and those of installs and builds."""
        return self.state / "logs"

    @property
    def pki(self) -> Path:
        """Certificates and keys."""
        return self.state / "pki"

    @property
    def config(self) -> Path:
        """Rendered configuration files."""
        return self.state / "config"

    @property
    def pids(self) -> Path:
        """One file per running process."""
        return self.state / "pids"

    @property
    def etcd(self) -> Path:
        """The cluster's objects."""
        return self.state / "etcd"

    @property
    def kubelet(self) -> Path:
        """The kubelet's root directory: the volumes of pods are mounted in it."""
        return self.state / "kubelet"

    @property
    def containerd(self) -> Path:
        """Images and snapshots; kept by `down` so that images need not be imported again."""
        return self.state / "containerd"

    @property
    def volumes(self) -> Path:
        """One directory per PersistentVolume."""
        return self.state / "volumes"

    @property
    def audit_log(self) -> Path:
        """The API server's audit log."""
        return self.state / "audit.log"

    @property
    def run(self) -> Path:
        """Sockets, mounts and what else is void after a reboot."""
        near = self.state / "run"
        if len(os.fsencode(near)) + _LONGEST_SOCKET_BELOW_RUN <= SOCKET_PATH_LIMIT:
            return near
        return Path("/run") / f"devcluster-{hashlib.sha256(os.fsencode(self.dev)).hexdigest()[:12]}"

    @property
    def containerd_socket(self) -> Path:
        """Where containerd and its CRI service answer."""
        return self.run / "containerd" / "containerd.sock"

    @property
    def agents(self) -> Path:
        """What the image of the coding agents is built from."""
        return self.checkout / "images" / "agents"

    @property
    def sources(self) -> Path:
        """This package's own files."""
        return self.checkout / "devcluster"


def default_layout() -> Layout:
    """Return the layout of the checkout this file lies in."""
    cache_home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Layout(checkout=Path(__file__).resolve().parent.parent, cache=Path(cache_home) / "autopack" / "devcluster")
