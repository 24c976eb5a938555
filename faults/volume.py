"""The played volume service: pins answers as the real one does, and imports what the played commands wrote."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field

from aiohttp import web

from autopack.file_layout import AttemptPaths
from autopack_volume.contract import routes
from autopack_volume.contract.messages import Committed, Ready
from faults.ledger import Attempt, Ledger

SHA = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Commit:
    """What was imported of one attempt; it never changes afterwards."""

    at: float
    lines: tuple[str, ...]
    manifest: str
    exit_code: int | None
    alive: bool
    """Whether a command of that attempt was still writing: the operator asked too early."""
    removed_workspace: bool


@dataclass
class PlayedVolume:
    """Of one lane. `exit_codes` is what the played keepers wrote at the end of a command."""

    ledger: Ledger
    commits: dict[Attempt, Commit] = field(default_factory=dict)
    exit_codes: dict[Attempt, int] = field(default_factory=dict)
    stop_reasons: dict[Attempt, str] = field(default_factory=dict)
    """Why the played keepers had a command stopped."""
    url: str = ""
    _branches: dict[Attempt, str] = field(default_factory=dict)
    _runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen on a free port."""
        app = web.Application()
        app.add_routes(
            [
                web.put(routes.ATTEMPT, self._prepare),
                web.post(routes.COMMIT, self._commit),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _prepare(self, request: web.Request) -> web.Response:
        uid, attempt = _attempt(request)
        body = await request.json()
        paths = AttemptPaths(body["runId"], uid, attempt)
        self._branches[uid, attempt] = body["branch"]
        answer: Ready = {
            "state": "ready",
            "repoKey": "n-played",
            "sha": SHA,
            "workspace": paths.workspace,
            "artifacts": paths.artifacts,
            "kept": paths.kept,
        }
        return web.json_response(answer)

    async def _commit(self, request: web.Request) -> web.Response:
        key, body = _attempt(request), await request.json()
        commit = self.commits.get(key)
        if commit is None:
            commit = self.commits[key] = self._take_in(key, remove_workspace=bool(body.get("removeWorkspace")))
        complete = commit.exit_code is not None
        branch = self._branches.get(key, "main")
        answer: Committed = {
            "state": "committed",
            "branches": {},
            "snapshot": None,
            "complete": complete,
            "saved": "all" if complete else "unknown",
            "unsaved": [],
            "unsavedCount": 0,
            "exitCode": commit.exit_code,
            "stopReason": self.stop_reasons.get(key),
            "head": SHA,
            "ref": f"refs/runs/{key[0]}/a{key[1]}/heads/{branch}",
            "manifestSha256": commit.manifest,
            "files": 1,
            "bytes": 1,
        }
        return web.json_response(answer)

    def _take_in(self, key: Attempt, *, remove_workspace: bool) -> Commit:
        alive = any(execution.key == key and execution.alive for execution in self.ledger.executions)
        lines = tuple(self.ledger.stored.get(key, ()))
        manifest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
        return Commit(time.monotonic(), lines, manifest, self.exit_codes.get(key), alive, remove_workspace)


def _attempt(request: web.Request) -> Attempt:
    return request.match_info["uid"], int(request.match_info["attempt"])
