"""The operator's real process, outside of the cluster, behind a proxy of its own; started again whenever it ends."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from faults.calls import Call, Names
from faults.injector import Injector
from faults.plan import Fault
from faults.proxy import Proxy, Upstreams

LEADER_LEASE = "leader"
WATCHED = ("autopackruns", "runbatches", "runprofiles", "pods")
PROGRAM = ("-m", "autopack_operator.main")
"""Arguments of the Python interpreter."""

THAW_SECONDS = 1.5
DOOM_SECONDS = 1.0
POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Settings:
    """What differs between operators."""

    namespace: str
    identity: str
    folder: Path
    resync_seconds: int = 300
    program: tuple[str, ...] = PROGRAM
    variables: Mapping[str, str] = field(default_factory=dict)
    """Environment that depends on where its pods live."""


Disturb = Callable[[Fault, Call], Coroutine[Any, Any, None]]


class Operator:
    """Implements proxy.Victim. `peers` are all operators of the lane, this one included."""

    def __init__(
        self,
        settings: Settings,
        upstreams: Upstreams,
        injector: Callable[[], Injector],
        names: Names,
        peers: list[Operator],
        disturb: Disturb,
    ) -> None:
        self._settings, self._peers, self._disturb = settings, peers, disturb
        self._proxy = Proxy(upstreams, injector, names, settings.identity, self)
        self._process: asyncio.subprocess.Process | None = None
        self._supervision: asyncio.Task[None] | None = None
        self._thaw: asyncio.Task[None] | None = None
        self._doom: asyncio.Task[None] | None = None
        self._frozen = False
        self._address = f"127.0.0.1:{_free_port()}"
        self.starts = 0
        self.log = settings.folder / f"{settings.identity}.log"

    async def start(self) -> None:
        """Return when the process runs; it may not lead yet."""
        await self._proxy.start()
        self._kubeconfig().write_text(json.dumps(_kubeconfig(self._proxy.url)))
        await self._spawn()
        self._supervision = asyncio.create_task(self._supervise())

    @property
    def asked(self) -> set[tuple[str, str]]:
        """(resource, verb) of every request that it has sent."""
        return self._proxy.asked

    @property
    def refused(self) -> set[tuple[str, str]]:
        """(resource, verb) of every request that the API server has answered with 403; may be emptied."""
        return self._proxy.refused

    async def end(self) -> None:
        """Stop for good."""
        for task in (self._supervision, self._thaw, self._doom):
            if task is not None:
                task.cancel()
        self.kill()
        if self._process is not None:
            await self._process.wait()
        await self._proxy.stop()

    def kill(self) -> None:
        """SIGKILL; the supervision starts another process."""
        self._signal(signal.SIGKILL)

    def stop(self) -> None:
        """SIGSTOP; it goes on some time after another has taken over."""
        self._frozen = True
        self._signal(signal.SIGSTOP)
        self._thaw = asyncio.create_task(self._go_on())

    async def _go_on(self) -> None:
        await self.replaced()
        await asyncio.sleep(THAW_SECONDS)
        self._frozen = False
        self._signal(signal.SIGCONT)

    async def disturb(self, fault: Fault, call: Call) -> None:
        """See proxy.Victim; where the plan says so, this process is killed a moment later."""
        await self._disturb(fault, call)
        if fault.also_kill:
            self._doom = asyncio.create_task(self._kill_soon())

    async def _kill_soon(self) -> None:
        await asyncio.sleep(DOOM_SECONDS)
        self.kill()

    async def replaced(self) -> None:
        """Return once another process leads: a new one of this operator, or a peer."""
        starts = self.starts
        while True:
            await asyncio.sleep(POLL_SECONDS)
            for peer in self._peers:
                if (peer is not self or self.starts > starts) and await peer.leads():
                    return

    @property
    def watches(self) -> bool:
        """Whether all its watches are open: what happens before that it learns from lists, not from events."""
        return all(self._proxy.watching[resource] > 0 for resource in WATCHED)

    async def leads(self) -> bool:
        """Whether it says so itself."""
        if self._frozen:
            return False
        timeout = aiohttp.ClientTimeout(total=5)
        with suppress(aiohttp.ClientError, TimeoutError, OSError):
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.get(f"http://{self._address}/metrics") as answer,
            ):
                return "autopack_leader 1.0" in await answer.text()
        return False

    def _signal(self, number: int) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)

    async def _supervise(self) -> None:
        while True:
            if self._process is not None:
                await self._process.wait()
            await self._spawn()

    async def _spawn(self) -> None:
        self.starts += 1
        self._frozen = False
        with self.log.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, *self._settings.program, env=self._environment(), stdout=output, stderr=output
            )

    def _kubeconfig(self) -> Path:
        return self._settings.folder / f"{self._settings.identity}.kubeconfig"

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            **self._settings.variables,
            "KUBECONFIG": str(self._kubeconfig()),
            "AUTOPACK_NAMESPACE": self._settings.namespace,
            "AUTOPACK_VOLUME_URL": self._proxy.url,
            "AUTOPACK_VOLUME_TOKEN_FILE": str(self._settings.folder / "token"),
            "AUTOPACK_LEADER_LEASE": LEADER_LEASE,
            "AUTOPACK_POD_NAME": self._settings.identity,
            "AUTOPACK_HTTP_LISTEN": self._address,
            "AUTOPACK_REGISTRY_DIR": str(self._settings.folder),
            "AUTOPACK_RESYNC_SECONDS": str(self._settings.resync_seconds),
        }


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _kubeconfig(server: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "proxy", "cluster": {"server": server}}],
        "users": [{"name": "operator", "user": {"token": "played"}}],
        "contexts": [{"name": "proxy", "context": {"cluster": "proxy", "user": "operator"}}],
        "current-context": "proxy",
    }
