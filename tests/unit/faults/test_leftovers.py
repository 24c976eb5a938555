"""A campaign takes away what a killed one has left, and nothing of one that still runs."""

from __future__ import annotations

import os

from aiohttp import web
from aiohttp.test_utils import TestServer

from faults.leftovers import sweep
from faults.upstream import Upstream

DEAD = "faults-999999999"
OTHER = "theirs-999999999"


def named(*names: str) -> web.Response:
    return web.json_response({"items": [{"metadata": {"name": name}} for name in names]})


async def test_only_what_belongs_to_dead_campaigns_of_this_checkout_goes() -> None:
    deleted: list[str] = []
    lists = {
        "/api/v1/nodes": (DEAD, OTHER, f"faults-{os.getpid()}x"),
        "/api/v1/namespaces": (f"{DEAD}-1", f"{OTHER}-1", "default"),
        "/api/v1/persistentvolumes": (f"{DEAD}-1",),
    }

    async def serve(request: web.Request) -> web.Response:
        if request.method == "DELETE":
            deleted.append(request.path)
            return web.json_response({})
        return named(*lists[request.path])

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", serve)
    async with TestServer(app) as server:
        upstream = Upstream(str(server.make_url("")))
        await sweep(upstream, "faults-")
        await upstream.close()
    assert deleted == [
        f"/api/v1/namespaces/{DEAD}-1",
        f"/api/v1/persistentvolumes/{DEAD}-1",
        f"/apis/node.k8s.io/v1/runtimeclasses/{DEAD}",
        f"/api/v1/nodes/{DEAD}",
    ]
