"""Servers of other kinds: over ssh, and one that does not answer."""

from __future__ import annotations

import asyncio
import json
import socket
from pathlib import Path

from aiohttp.test_utils import TestClient, TestServer
from tests.local.git_hosts.certificates import Authority
from tests.local.git_hosts.conftest import Declarations
from tests.local.git_hosts.delivery.conftest import environment, request, until_final
from tests.local.git_hosts.delivery.repos import UID, Work, git
from tests.local.git_hosts.delivery.serving import Anybody
from tests.local.git_hosts.servers import HttpsServer, SshServer

from autopack_publisher.service.http import Service
from autopack_publisher.service.settings import Settings

HEADERS = {"Authorization": "Bearer test"}


def service_of(work: Work, declarations: Declarations, scratch: Path) -> Service:
    # Few threads, and no end of the waiting for a server within the test's patience.
    more = {"AUTOPACK_PUSH_THREADS": "4", "AUTOPACK_PUSH_TIMEOUT_SECONDS": "3000"}
    variables = environment(work.volume, declarations, scratch) | more
    return Service(Settings.from_environment(variables), Anybody())


async def test_over_ssh_the_branch_alone(
    work: Work, declarations: Declarations, ssh: SshServer, repositories: Path, tmp_path: Path
) -> None:
    bare = repositories / "acme" / "app.git"
    git(work.folder, "push", "-q", "-f", str(bare), "HEAD:main")
    prefix, identity = f"ssh://127.0.0.1:{ssh.port}/", ssh.identity.read_text()
    declarations.add("SSH", prefix, identity=identity, known_hosts=ssh.known_hosts)
    commit = work.commit({"a": "1"})
    with ssh.running():
        async with TestClient(TestServer(service_of(work, declarations, tmp_path / "scratch").app())) as client:
            wanted = request(work, ssh.url(bare))
            status, answer = await until_final(client, wanted)
            assert (status, answer["state"], answer["pullRequest"]) == (200, "delivered", None)
            assert answer["message"] == "this git server has no pull requests"
            assert git(bare, "rev-parse", "agents/run") == commit
            declarations.write(known_hosts=ssh.known_hosts.replace("AAAA", "AAAB"))
            assert (await until_final(client, wanted))[0] in (422, 503)


async def test_a_server_that_does_not_answer_keeps_nobody_waiting(
    work: Work, declared: Declarations, https: HttpsServer, authority: Authority, repositories: Path, tmp_path: Path
) -> None:
    git(work.folder, "push", "-q", "-f", str(repositories / "acme" / "app.git"), "HEAD:main")
    work.commit({"a": "1"})
    with socket.socket() as dead:
        dead.bind(("127.0.0.1", 0))
        dead.listen(64)
        url = f"https://127.0.0.1:{dead.getsockname()[1]}"
        declared.add("Basic", url, name="dead", username="x", password="y")
        async with TestClient(TestServer(service_of(work, declared, tmp_path / "scratch").app())) as client:

            async def ask_dead(number: int) -> int:
                wanted = request(work, f"{url}/a/b.git", branch=f"agents/{number}")
                async with client.put(f"/v1/deliveries/{UID}/1", data=json.dumps(wanted), headers=HEADERS) as response:
                    return response.status

            # More than there are threads, and none of them is answered.
            assert set(await asyncio.gather(*(ask_dead(number) for number in range(8)))) == {202}
            wanted = request(work, f"{https.url}/basic/acme/app.git")
            assert (await until_final(client, wanted))[1]["state"] == "delivered"
            assert await ask_dead(0) == 202
            dead.close()
