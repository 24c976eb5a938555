"""A publisher as short as can be, for tests of the campaign's oracles: `python stand_in.py [BUG] FOLDER`."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from aiohttp import web

from autopack_publisher.service.hosts.address import HostKind
from autopack_publisher.service.hosts.connect import connect
from autopack_publisher.service.hosts.port import CommitStatus, Host, HostFailure, PullRequestWish, StatusState

Json = dict[str, Any]


class StandIn:
    def __init__(self, folder: Path, bug: str) -> None:
        self._folder, self._bug = folder, bug

    async def deliver(self, request: web.Request) -> web.Response:
        wanted = await request.json()
        try:
            return web.json_response(await self._deliver(request.match_info["uid"], wanted))
        except (HostFailure, subprocess.CalledProcessError) as error:
            return web.json_response({"state": "failed", "message": str(error)}, status=503)

    async def _deliver(self, uid: str, wanted: Json) -> Json:
        commit = self._squashed(wanted) if wanted["squash"] else wanted["commit"]
        seen = await self._tip(wanted)
        if seen != commit:
            if seen not in ("", wanted["expected"]) and self._bug != "force":
                return {"state": "conflict", "message": "moved"}
            await self._push(wanted, commit)
            if await self._tip(wanted) != commit:
                return {"state": "conflict", "message": "moved"}
        if self._bug != "branch-alone":
            await self._pull_request(uid, wanted, commit)
        return {"state": "delivered", "branch": wanted["branch"], "commit": commit}

    async def _pull_request(self, uid: str, wanted: Json, commit: str) -> None:
        host, marker = self._host(wanted), f"<!-- autopack-run: {uid} -->"
        asked = wanted["pullRequest"]
        wish = PullRequestWish(
            head=wanted["branch"],
            base=await host.default_branch(),
            title=asked["title"],
            body=f"{asked['body']}\n\n{marker}",
            labels=tuple(asked["labels"]),
            reviewers=tuple(asked["reviewers"]),
        )
        found = await host.find(wish.head, marker)
        if found is None:
            await host.create(wish)
        elif self._bug != "half-done":
            await host.update(found.number, wish)
        await host.set_status(commit, CommitStatus("autopack", StatusState.SUCCESS, wanted["link"], "delivered"))

    def _host(self, wanted: Json) -> Host:
        declared = json.loads((self._folder / "publisher" / "credentials.json").read_text())[0]

        async def token() -> str:
            return self._secret("password")

        return connect(
            HostKind.GITHUB,
            wanted["target"],
            token,
            api=declared["host"]["api"],
            ca_file=self._folder / "publisher" / "ca" / "write" / "ca.crt",
        )

    def _secret(self, key: str) -> str:
        return (self._folder / "publisher" / "secrets" / "write" / key).read_text()

    def _git(self, *words: str) -> str:
        repository = self._folder / "volume" / ".repos" / "demo" / "results.git"
        argv = ["git", "--git-dir", str(repository), *words]
        env = {"PATH": "/usr/bin:/bin", "GIT_SSL_CAINFO": str(self._folder / "publisher/ca/write/ca.crt")}
        env |= {f"GIT_{who}_{what}": "x@x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        env |= {f"GIT_{who}_DATE": "1750000000 +0000" for who in ("AUTHOR", "COMMITTER")}
        return subprocess.run(argv, env=env, capture_output=True, text=True, check=True).stdout.strip()

    def _url(self, wanted: Json) -> str:
        return str(wanted["target"]).replace("https://", f"https://bot:{self._secret('password')}@")

    def _squashed(self, wanted: Json) -> str:
        tree = self._git("rev-parse", f"{wanted['commit']}^{{tree}}")
        return self._git("commit-tree", tree, "-p", wanted["base"], "-m", wanted["message"])

    async def _tip(self, wanted: Json) -> str:
        said = await asyncio.to_thread(self._git, "ls-remote", self._url(wanted), f"refs/heads/{wanted['branch']}")
        return said.partition("\t")[0]

    async def _push(self, wanted: Json, commit: str) -> None:
        head = f"refs/heads/{wanted['branch']}"
        lease = "--force" if self._bug == "force" else f"--force-with-lease={head}:{wanted['expected']}"
        await asyncio.to_thread(self._git, "push", lease, self._url(wanted), f"{commit}:{head}")


async def serve(folder: Path, bug: str) -> None:
    app = web.Application()
    app.router.add_put("/v1/deliveries/{uid}/{attempt}", StandIn(folder, bug).deliver)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    sys.stdout.write(f"{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[-1]), sys.argv[1] if len(sys.argv) > 2 else ""))
