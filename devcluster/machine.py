"""Facts about this machine, looked up."""

from __future__ import annotations

import os
import shutil
import sys

from devcluster.choice import Facts, Kind
from devcluster.commands import succeeds

_ENGINE_PROBES = {
    "docker": ["docker", "info", "--format", "{{.ServerVersion}}"],
    "podman": ["podman", "info", "--format", "{{.Version.Version}}"],
}


def look(former: Kind | None) -> Facts:
    """Look the machine over; a second or two where an engine is installed but does not answer."""
    wanted = os.environ.get("CLUSTER", "")
    engine_matters = wanted == Kind.KIND or (not wanted and former is None)
    return Facts(
        wanted=wanted,
        kubeconfig=os.environ.get("KUBECONFIG", ""),
        engine=engine() if engine_matters else "",
        has_kind=shutil.which("kind") is not None,
        has_go=shutil.which("go") is not None,
        is_linux=sys.platform == "linux",
        is_root=os.geteuid() == 0,
        former=former,
    )


def engine() -> str:
    """Return the container engine that answers, `docker` before `podman`; empty when none does."""
    for name, probe in _ENGINE_PROBES.items():
        if shutil.which(name) and succeeds(probe, timeout=10):
            return name
    return ""
