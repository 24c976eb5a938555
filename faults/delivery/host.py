"""The host that is played: a real git repository and GitHub's API behind one door, where every request passes."""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tests.doubles.hosts.front import Answer, Backend, Front, Request
from tests.doubles.hosts.git import GitBackend
from tests.doubles.hosts.github import GitHubDouble
from tests.local.git_hosts.certificates import Authority

from faults.delivery.repository import Repository
from faults.delivery.requests import Counting
from faults.plan import Fault, Kind

REPOSITORY = "acme/app"


class DeliveryHost:
    """`renew` writes a new token where the publisher reads it."""

    def __init__(self, folder: Path, renew: Callable[[str], None]) -> None:
        self.authority = Authority(folder)
        self.remote = Repository(folder / "remote" / f"{REPOSITORY}.git")
        self.double = GitHubDouble(self.refs, REPOSITORY, f"canary-{secrets.token_hex(12)}")
        self.renew = renew
        renew(self.double.token)
        self._git = GitBackend(folder / "remote", lambda: self.double.token)
        self._front = Front(self._route, *self.authority.certificate())
        self.url = self._front.url

    def _route(self, request: Request) -> Answer:
        return (self.double if request.path.startswith("/repos/") else self._git)(request)

    def refs(self) -> Mapping[str, str]:
        """Return the branches and their commits."""
        return self.remote.heads()

    @contextlib.contextmanager
    def running(self) -> Iterator[DeliveryHost]:
        """Serve while the block runs."""
        with self._front.running():
            yield self

    @contextlib.contextmanager
    def disturbed(self, disturbance: Disturbance) -> Iterator[None]:
        """Have every request pass there while the block runs."""
        with self._front.fault(disturbance):
            yield


class Disturbance:
    """One trial's fault. `kill` ends the publisher at once; `move` pushes to the trial's branch as somebody else."""

    def __init__(
        self, fault: Fault | None, host: DeliveryHost, kill: Callable[[], None], move: Callable[[], None]
    ) -> None:
        self._fault, self._host, self._kill, self._move = fault, host, kill, move
        self._counting, self._lock = Counting(), threading.Lock()
        self._away_until, self._timers = 0.0, list[threading.Timer]()
        self.fired = False

    @property
    def calls(self) -> Counting:
        """What was asked."""
        return self._counting

    def settle(self) -> None:
        """Wait for what comes later."""
        for timer in self._timers:
            timer.join()

    def __call__(self, request: Request, backend: Backend) -> Answer | None:
        """Stand in a request's way, or let it through."""
        with self._lock:
            match = self._counting.take(request)
            hit = self._fault is not None and not self.fired and match == self._fault.match
            self.fired = self.fired or hit
        if time.monotonic() < self._away_until:
            return None
        return self._disturb(self._fault, request, backend) if hit and self._fault else backend(request)

    def _disturb(self, fault: Fault, request: Request, backend: Backend) -> Answer | None:
        match fault.kind:
            case Kind.KILL_BEFORE:
                self._kill()
                return None
            case Kind.KILL_AFTER:
                backend(request)
                self._kill()
                return None
            case Kind.KILL_LATE:
                self._later(fault.seconds, self._kill)
                return backend(request)
            case Kind.RESET_BEFORE:
                return None
            case Kind.RESET_AFTER:
                backend(request)
                return None
            case Kind.STATUS:
                return Answer(fault.code, {"message": "the fault campaign"}, {"Retry-After": "1"})
            case Kind.HOST_AWAY:
                self._away_until = time.monotonic() + fault.seconds
                return None
            case Kind.TOKEN_EXPIRED:
                token = self._host.double.token = f"canary-{secrets.token_hex(12)}"
                self._later(fault.seconds, lambda: self._host.renew(token))
                return backend(request)
            case Kind.REMOTE_MOVED:
                self._move()
                return backend(request)
        raise AssertionError(f"{fault.kind} is not for deliveries")

    def _later(self, seconds: float, what: Callable[[], None]) -> None:
        timer = threading.Timer(seconds, what)
        self._timers.append(timer)
        timer.start()
