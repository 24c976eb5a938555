"""What a request to a host's API may not do: wait forever, trust anybody, or carry its token elsewhere."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import aiohttp
import pytest
from tests.doubles.hosts.front import Answer, Backend, Front, Request, instead
from tests.doubles.hosts.github import GitHubDouble
from tests.local.git_hosts.certificates import Authority
from tests.local.git_hosts.played import PlayedWorld, host_of, played
from tests.local.git_hosts.servers import free_port

from autopack_publisher.service.hosts import rest
from autopack_publisher.service.hosts.address import HostKind
from autopack_publisher.service.hosts.connect import connect
from autopack_publisher.service.hosts.port import Host, HostFailure, PullRequestWish

WISH = PullRequestWish("agents/one", "main", "Fix it", "body")


@pytest.fixture
def world(authority: Authority) -> Iterator[PlayedWorld]:
    with played(HostKind.GITHUB, authority) as world:
        yield world


@pytest.fixture
def host(world: PlayedWorld, authority: Authority) -> Host:
    return host_of(world, authority)


async def _failure(host: Host) -> HostFailure:
    with pytest.raises(HostFailure) as caught:
        await host.default_branch()
    return caught.value


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_no_other_server_gets_the_token(
    world: PlayedWorld, host: Host, authority: Authority, status: int
) -> None:
    with Front(lambda _: Answer(200, {}), *authority.certificate()).running() as other:
        led = instead(Answer(status, {}, {"Location": f"{other.url}/repos/acme/app"}))
        with world.front.fault(led):
            assert (await _failure(host)).reason == "HostRedirect"
        assert other.requests == []


async def test_a_repository_that_was_renamed_is_asked_under_its_new_name(world: PlayedWorld, host: Host) -> None:
    world.branch("agents/one")

    def renamed(request: Request, backend: Backend) -> Answer:
        if "/renamed" in request.path:
            path = request.path.replace("/repos/acme/renamed", "/repos/acme/app")
            return backend(request._replace(path=path))
        return Answer(307, {}, {"Location": request.path.replace("/repos/acme/app", "/repos/acme/renamed")})

    with world.front.fault(renamed):
        assert await host.default_branch() == "main"
        assert (await host.create(WISH)).number == 1


async def test_a_circle_of_redirects_ends(world: PlayedWorld, host: Host) -> None:
    with world.front.fault(lambda request, _: Answer(307, {}, {"Location": request.path})):
        assert (await _failure(host)).reason == "HostRedirect"


async def test_a_certificate_of_an_unknown_ca_is_not_trusted(world: PlayedWorld) -> None:
    async def token() -> str:
        return world.token

    host = connect(HostKind.GITHUB, f"{world.front.url}/acme/app", token, api=f"{world.front.url}/api/v3")
    failure = await _failure(host)
    assert (failure.reason, failure.transient, "caBundle" in failure.fix) == ("HostCertificate", True, True)
    assert world.front.requests == []


async def test_a_host_that_says_nothing_is_given_up(
    world: PlayedWorld, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rest, "_TIMEOUT", aiohttp.ClientTimeout(total=0.5))
    over = threading.Event()

    def silent(_: Request, __: Backend) -> None:
        over.wait(60)

    try:
        with world.front.fault(silent):
            failure = await _failure(host)
    finally:
        over.set()
    assert (failure.reason, failure.transient) == ("HostTimeout", True)


async def test_a_host_that_is_away_may_come_back(authority: Authority) -> None:
    async def token() -> str:
        return "canary"

    api = f"https://127.0.0.1:{free_port()}"
    failure = await _failure(connect(HostKind.GITHUB, f"{api}/acme/app", token, api=api, ca_file=authority.file))
    assert (failure.reason, failure.transient) == ("HostUnreachable", True)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(200, b"<html>log in</html>"), "HostError"),
        (Answer(200, b'{"a": "' + b"x" * (17 << 20) + b'"}'), "HostError"),
        (Answer(200, {"unexpected": 1}), "HostAnswer"),
        (Answer(200, ["unexpected"]), "HostAnswer"),
        (Answer(502, b"bad gateway"), "HostError"),
        (Answer(503, {}, {"Retry-After": "7"}), "HostRateLimited"),
    ],
)
async def test_an_answer_that_cannot_be_used_may_be_better_later(
    world: PlayedWorld, host: Host, answer: Answer, reason: str
) -> None:
    with world.front.fault(instead(answer)):
        failure = await _failure(host)
    assert (failure.reason, failure.transient) == (reason, True)


async def test_a_right_that_is_missing_is_named(world: PlayedWorld, host: Host) -> None:
    said = Answer(403, {"message": "Resource not accessible by personal access token"})
    with world.front.fault(instead(said)):
        failure = await _failure(host)
    assert (failure.reason, failure.transient) == ("CredentialForbidden", False)
    assert "Resource not accessible" in failure.message


async def test_a_proxy_is_used(world: PlayedWorld, authority: Authority) -> None:
    async def token() -> str:
        return world.token

    with _Proxy() as proxy:
        host = connect(
            HostKind.GITHUB,
            f"{world.front.url}/acme/app",
            token,
            api=f"{world.front.url}/api/v3",
            ca_file=authority.file,
            proxy=proxy.url,
        )
        assert await host.default_branch() == "main"
    assert proxy.asked == [f"CONNECT {world.front.url.removeprefix('https://')} HTTP/1.1"]


async def test_a_branch_that_github_does_not_know_yet_may_be_known_later(world: PlayedWorld, host: Host) -> None:
    with pytest.raises(HostFailure, match="head invalid") as caught:
        await host.create(WISH)
    assert caught.value.transient
    world.branch("agents/one")
    assert (await host.create(WISH)).number == 1


async def test_a_repository_without_drafts_gets_a_pull_request_that_is_none(world: PlayedWorld, host: Host) -> None:
    assert isinstance(world.double, GitHubDouble)
    world.double.drafts = False
    world.branch("agents/one")
    made = await host.create(WISH._replace(draft=True))
    assert (world.draft(made.number), "it is no draft" in made.message) == (False, True)


class _Proxy:
    """Leads one connection on, as CONNECT asks."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._listener.settimeout(60)
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> _Proxy:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        client, _ = self._listener.accept()
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(4096)
        self.asked.append(head.decode().splitlines()[0])
        host, port = self.asked[0].split()[1].split(":")
        with client, socket.create_connection((host, int(port))) as server:
            client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            back = threading.Thread(target=_pump, args=(server, client))
            back.start()
            _pump(client, server)
            back.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    # Whoever hangs up first ends it.
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
