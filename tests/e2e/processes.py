"""The operator's processes as this machine sees them: the embedded cluster's pods are processes of it."""

from __future__ import annotations

import os
from pathlib import Path


def operator_pids(namespace: str, pod: str = "") -> list[int]:
    """Host pids of the operator's processes in that namespace (and pod), by the environment of the process itself."""
    wanted = {f"AUTOPACK_NAMESPACE={namespace}".encode()} | ({f"AUTOPACK_POD_NAME={pod}".encode()} if pod else set())
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            command = (folder / "cmdline").read_bytes()
            environment = set((folder / "environ").read_bytes().split(b"\0"))
        except OSError:
            continue  # the process ended meanwhile
        if b"autopack-operator" in command and wanted <= environment:
            found.append(int(folder.name))
    return found


def signal_operator(namespace: str, number: int, pod: str = "") -> None:
    """Send the signal to every one of them; there must be one."""
    pids = operator_pids(namespace, pod)
    assert pids, "no operator process"
    for pid in pids:
        os.kill(pid, number)
