"""The operator's processes as this machine sees them: the embedded cluster's pods are processes of it."""

from __future__ import annotations

import contextlib
import os
import signal
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


def kill_pod(run_uid: str, attempt: int) -> None:
    """SIGKILL to all processes of that attempt's pod at once, as when its node loses power. There must be some."""
    wanted = {f"AUTOPACK_RUN_UID={run_uid}".encode(), f"AUTOPACK_ATTEMPT={attempt}".encode()}
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and wanted <= set((folder / "environ").read_bytes().split(b"\0")):
                found.append(int(folder.name))
        except OSError:
            continue  # the process ended meanwhile
    assert found, "no process of that pod"
    for pid in found:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
