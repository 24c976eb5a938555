"""The volume service's HTTP contract without a volume: a pod that kwok plays has no files that could be imported.

Both calls are answered at once, with as much text as the real service sends: what is measured is the operator's part.
`python -m bench.volume_double <address> <port>`.
"""

from __future__ import annotations

import hashlib
import sys

from aiohttp import web

from autopack_volume.contract import routes
from autopack_volume.contract.messages import Committed, Ready, Unfinished

SHA = "0123456789abcdef0123456789abcdef01234567"


async def prepare(request: web.Request) -> web.Response:
    """PUT /v1/attempts/<uid>/<attempt>."""
    uid, attempt, body = request.match_info["uid"], request.match_info["attempt"], await request.json()
    folder = f"{body['runId']}/a{attempt}-{uid[:8]}"
    answer: Ready = {
        "state": "ready",
        "repoKey": "bench-0123456789ab",
        "sha": SHA,
        "workspace": f"workspaces/{folder}",
        "artifacts": folder,
        "kept": f".kept/{folder}",
    }
    return web.json_response(answer)


async def commit(request: web.Request) -> web.Response:
    """POST /v1/attempts/<uid>/<attempt>/commit."""
    uid, attempt = request.match_info["uid"], request.match_info["attempt"]
    answer: Committed = {
        "state": "committed",
        "stopReason": None,
        "branches": {"autopack/bench": SHA},
        "complete": True,
        "saved": "all",
        "unsaved": [],
        "unsavedCount": 0,
        "exitCode": 0,
        "head": SHA,
        "ref": f"refs/runs/{uid}/a{attempt}/heads/autopack/bench",
        "snapshot": SHA,
        "manifestSha256": hashlib.sha256(uid.encode()).hexdigest(),
        "files": 4,
        "bytes": 2048,
    }
    return web.json_response(answer)


async def unfinished(_: web.Request) -> web.Response:
    """GET /v1/attempts: nothing was left behind."""
    answer: Unfinished = {"unfinished": []}
    return web.json_response(answer)


def main() -> None:
    """Serve until killed."""
    app = web.Application()
    app.router.add_get(routes.ATTEMPTS, unfinished)
    app.router.add_put(routes.ATTEMPT, prepare)
    app.router.add_post(routes.COMMIT, commit)
    web.run_app(app, host=sys.argv[1], port=int(sys.argv[2]), print=None, access_log=None)


if __name__ == "__main__":
    main()
