"""Bringing single components to the wanted state: running, of this configuration, answering."""

from __future__ import annotations

import errno
import hashlib
import os
import socket
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from devcluster.commands import POLL_SECONDS, output_of, tail
from devcluster.embedded import processes
from devcluster.embedded.components import Component
from devcluster.failure import Failure
from devcluster.layout import Layout
from devcluster.progress import Progress

_PORT_SECONDS = 10.0
_READY_SECONDS = 90.0
_LOG_BYTES = 20 << 20
_PROXY_VARIABLES = frozenset({"http_proxy", "https_proxy", "all_proxy"})


def pid_file(layout: Layout, component: Component) -> Path:
    """Return where the pid of a component is kept."""
    return layout.pids / f"{component.name}.json"


def log_file(layout: Layout, component: Component) -> Path:
    """Return where a component writes its log."""
    return layout.logs / f"{component.name}.log"


def fingerprint(component: Component) -> str:
    """Return the hash over the command and the configuration it reads at its start."""
    digest = hashlib.sha256(repr(component.argv).encode())
    for path in component.files:
        digest.update(path.read_bytes() if path.exists() else b"\0absent")
    return digest.hexdigest()


def is_current(layout: Layout, component: Component) -> bool:
    """Whether the component runs, with the command and configuration wanted now."""
    record = processes.running(pid_file(layout, component))
    return record is not None and record.fingerprint == fingerprint(component)


def answers(component: Component) -> bool:
    """Whether something listens where the component should."""
    if component.port is not None:
        return _connects(socket.AF_INET, component.port)
    if component.socket is not None:
        return _connects(socket.AF_UNIX, str(component.socket))
    return True


def environment_for(component: Component, environment: dict[str, str]) -> dict[str, str]:
    """Return the variables a component is started with."""
    kept = {
        name: value
        for name, value in environment.items()
        if component.reaches_out or name.lower() not in _PROXY_VARIABLES
    }
    # containerd looks for runc and its shim, the kubelet for mount, kube-proxy for nft.
    kept["PATH"] = kept.get("PATH", "") + ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return kept


def stop(layout: Layout, outdated: Iterable[Component], progress: Progress) -> None:
    """Stop those of the components that run, and forget their pids."""
    listed = list(outdated)
    records = [(component, processes.running(pid_file(layout, component))) for component in listed]
    processes.stop(
        {record.identity: component.grace for component, record in records if record is not None},
        waiting=lambda: progress.heartbeat(lambda: "waiting for processes to end"),
    )
    for component in listed:
        pid_file(layout, component).unlink(missing_ok=True)


def refuse_taken_ports(absent: Iterable[Component], progress: Progress) -> None:
    """Raise Failure when a port needed stays taken; one of a process that is just ending is waited for."""
    deadline = time.monotonic() + _PORT_SECONDS
    for component in absent:
        while component.port is not None and _is_taken(component.port):
            if time.monotonic() > deadline:
                host, port = component.port
                raise Failure(
                    f"port {host}:{port} for {component.name} is taken by {_owner(port)}; stop that, "
                    "or use another cluster (CLUSTER=kind or CLUSTER=current)"
                )
            progress.heartbeat(partial("waiting for the port of {}".format, component.name))
            time.sleep(POLL_SECONDS)


def start(layout: Layout, component: Component) -> None:
    """Start a component; a socket left by a killed one is removed, a log grown large is put aside."""
    if component.socket is not None:
        component.socket.unlink(missing_ok=True)
    log = log_file(layout, component)
    if log.exists() and log.stat().st_size > _LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))
    processes.start(
        component.argv,
        pid_file=pid_file(layout, component),
        fingerprint=fingerprint(component),
        log=log,
        env=environment_for(component, dict(os.environ)),
    )


def wait(
    layout: Layout,
    what: str,
    ready: Callable[[], bool],
    progress: Progress,
    *,
    needs: Iterable[Component] = (),
    seconds: float = _READY_SECONDS,
) -> None:
    """Wait until `ready`; Failure with the end of the log when a component it needs has died, or time is up."""
    needed = list(needs)
    deadline = time.monotonic() + seconds
    while not ready():
        for component in needed:
            if processes.running(pid_file(layout, component)) is None:
                log = log_file(layout, component)
                raise Failure(f"{component.name} has ended; the end of {log}:\n{tail(log, lines=8)}")
        if time.monotonic() > deadline:
            logs = ", ".join(str(log_file(layout, component)) for component in needed)
            raise Failure(f"{what} is not ready after {seconds:.0f} s; see {logs or layout.logs}")
        progress.heartbeat(lambda: f"waiting for {what}")
        time.sleep(POLL_SECONDS)


def _connects(family: int, address: tuple[str, int] | str) -> bool:
    with socket.socket(family, socket.SOCK_STREAM) as client:
        client.settimeout(1)
        try:
            client.connect(address)
        except OSError:
            return False
    return True


def _is_taken(address: tuple[str, int]) -> bool:
    """Whether another process listens there. Not found out by connecting: some networks answer for any address."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind(address)
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False


def _owner(port: int) -> str:
    listing = output_of(["ss", "-Hltnp", f"sport = :{port}"], check=False)
    return listing.partition("users:")[2].strip().strip("()") or "another process"
