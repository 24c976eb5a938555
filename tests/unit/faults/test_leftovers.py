"""A campaign takes away what it has made, and what a killed one has left, and nothing of one that still runs."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from scripts import deploy

from faults.campaign import campaign
from faults.leftovers import remove, sweep
from faults.upstream import Upstream

DEAD = "faults-999999999"
OTHER = "theirs-999999999"
POLICY = f"autopack.{DEAD}-real-1.pods.autopack.dev"
ROLES = "/apis/rbac.authorization.k8s.io/v1/clusterroles"
LISTS = {
    "/api/v1/nodes": (DEAD, OTHER, f"faults-{os.getpid()}x"),
    "/api/v1/namespaces": (f"{DEAD}-1", f"{OTHER}-1", "default"),
    "/api/v1/persistentvolumes": (f"{DEAD}-1",),
    "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies": (POLICY, f"autopack.{DEAD}0-1.pods"),
    ROLES: (f"autopack.{OTHER}-1.viewer.autopack.dev",),
}
ALL_OF_DEAD = [
    f"/api/v1/namespaces/{DEAD}-1",
    f"/api/v1/persistentvolumes/{DEAD}-1",
    f"/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/{POLICY}",
    f"/apis/node.k8s.io/v1/runtimeclasses/{DEAD}",
    f"/api/v1/nodes/{DEAD}",
]


@asynccontextmanager
async def serving(deleted: list[str]) -> AsyncIterator[Upstream]:
    async def serve(request: web.Request) -> web.Response:
        if request.method == "DELETE":
            deleted.append(request.path)
        names = LISTS.get(request.path, ()) if request.method == "GET" else ()
        items = [{"metadata": {"name": name}} for name in names]
        return web.json_response({"kind": "List", "metadata": {"resourceVersion": "1"}, "items": items})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", serve)
    async with TestServer(app) as server:
        upstream = Upstream(str(server.make_url("")))
        yield upstream
        await upstream.close()


async def test_only_what_belongs_to_dead_campaigns_of_this_checkout_goes() -> None:
    deleted: list[str] = []
    async with serving(deleted) as upstream:
        await sweep(upstream, "faults-")
    assert deleted == ALL_OF_DEAD


async def test_a_campaigns_node_goes_last_so_that_what_stops_before_is_found_again() -> None:
    deleted: list[str] = []
    async with serving(deleted) as upstream:
        await remove(upstream, DEAD)
    assert deleted == ALL_OF_DEAD


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_campaign_and_takes_away_what_it_made(
    number: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deleted: list[str] = []
    kubeconfig = tmp_path / "kubeconfig"
    monkeypatch.setattr(deploy, "environment", lambda: {"KUBECONFIG": str(kubeconfig)})
    monkeypatch.setattr(deploy, "own_namespace", lambda prefix: f"signaled-{prefix}")

    async def play() -> None:
        async with serving(deleted) as upstream:
            cluster = {"name": "c", "cluster": {"server": upstream.server}}
            context = {"name": "c", "context": {"cluster": "c", "user": "u"}}
            config = {"clusters": [cluster], "users": [{"name": "u", "user": {}}], "contexts": [context]}
            kubeconfig.write_text(json.dumps(config | {"current-context": "c"}))
            async with campaign():
                os.kill(os.getpid(), number)
                await asyncio.sleep(60)

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(play())
    assert f"/api/v1/nodes/signaled-faults-{os.getpid()}" in deleted
