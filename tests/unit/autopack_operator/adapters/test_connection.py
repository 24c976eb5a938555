"""What the API server answers becomes the port's exceptions; nothing is waited for without an end."""

from __future__ import annotations

import asyncio
import time

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port
from kubernetes.aio.client import Configuration
from tests.unit.autopack_operator.adapters.api_double import Double, connected, json, status, text

from autopack_operator.adapters.kube.connection import Connection, proxy_for
from autopack_operator.ports.cluster import (
    AlreadyExistsError,
    ConflictError,
    GoneError,
    RejectedError,
    TransientError,
)

PATH = "/api/v1/namespaces/n/pods"


@pytest.mark.parametrize(
    ("code", "reason", "expected"),
    [
        (400, "BadRequest", RejectedError),
        (401, "Unauthorized", TransientError),
        (403, "Forbidden", RejectedError),
        (404, "NotFound", GoneError),
        (405, "MethodNotAllowed", RejectedError),
        (409, "AlreadyExists", AlreadyExistsError),
        (409, "Conflict", ConflictError),
        (410, "Expired", TransientError),
        (413, "RequestEntityTooLarge", RejectedError),
        (422, "Invalid", RejectedError),
        (500, "InternalError", TransientError),
        (502, "", TransientError),
        (503, "ServiceUnavailable", TransientError),
        (504, "Timeout", TransientError),
        (507, "", TransientError),
        (524, "", TransientError),
    ],
)
async def test_each_status_has_its_exception(code: int, reason: str, expected: type[Exception]) -> None:
    async with connected(Double(status(code, reason))) as connection:
        with pytest.raises(expected):
            await connection.request("POST", PATH, {})


async def test_the_servers_message_is_in_the_exception() -> None:
    async with connected(Double(status(422, "Invalid", "spec.command: Required value"))) as connection:
        with pytest.raises(RejectedError, match=r"spec\.command: Required value"):
            await connection.request("POST", PATH, {})


async def test_a_process_that_lost_its_leadership_sends_no_more_writes() -> None:
    double = Double(status(429, "TooManyRequests", headers={"Retry-After": "0"}), json({"kind": "Pod"}))
    leading = [True, False]
    async with connected(double) as connection:
        with pytest.raises(TransientError, match="not sent"):
            await connection.fenced(lambda: leading.pop(0)).request("POST", PATH, {})
    assert [request.method for request in double.asked] == ["POST"]


async def test_a_process_that_does_not_lead_may_read() -> None:
    async with connected(Double(json({"kind": "Pod"}))) as connection:
        assert await connection.fenced(lambda: False).request("GET", PATH) == {"kind": "Pod"}


async def test_a_quota_that_is_used_up_is_a_matter_of_time() -> None:
    message = 'pods "x" is forbidden: exceeded quota: small, requested: pods=1, used: pods=5, limited: pods=5'
    async with connected(Double(status(403, "Forbidden", message))) as connection:
        with pytest.raises(TransientError, match="exceeded quota"):
            await connection.request("POST", PATH, {})


async def test_a_page_of_a_proxy_is_transient() -> None:
    async with connected(Double(text("<html>bad gateway</html>", 502))) as connection:
        with pytest.raises(TransientError, match="bad gateway"):
            await connection.request("GET", PATH)


@pytest.mark.parametrize("body", ["<html>welcome</html>", "", "[]"])
async def test_a_success_that_is_no_object_is_transient(body: str) -> None:
    async with connected(Double(text(body))) as connection:
        with pytest.raises(TransientError):
            await connection.request("GET", PATH)


async def test_a_refused_connection_is_transient() -> None:
    connection = Connection(Configuration(host=f"http://127.0.0.1:{unused_port()}"))
    try:
        with pytest.raises(TransientError, match=PATH):
            await connection.request("GET", PATH)
    finally:
        await connection.close()


async def test_a_silent_server_is_given_up_in_time() -> None:
    async with connected(Double(json({}, after=60))) as connection:
        async with asyncio.timeout(30):
            with pytest.raises(TransientError, match="Timeout"):
                await connection.request("GET", PATH, seconds=0.2)


async def test_too_many_requests_are_sent_again_no_sooner_than_the_server_said() -> None:
    double = Double(status(429, "TooManyRequests", headers={"Retry-After": "1"}), json({"kind": "Pod"}))
    started = time.monotonic()
    async with connected(double) as connection:
        assert await connection.request("POST", PATH, {}) == {"kind": "Pod"}
    assert len(double.asked) == 2
    assert time.monotonic() - started >= 1


async def test_too_many_requests_without_end_are_transient() -> None:
    double = Double(status(429, "TooManyRequests", headers={"Retry-After": "60"}))
    async with connected(double) as connection:
        with pytest.raises(TransientError):
            await connection.request("GET", PATH)
    assert len(double.asked) == 1


@pytest.mark.parametrize("wait", ["soon", "-5", "nan", "inf"])
async def test_a_wait_that_is_no_number_of_seconds_does_not_hang(wait: str) -> None:
    async with connected(Double(status(429, headers={"Retry-After": wait}))) as connection:
        with pytest.raises(TransientError):
            await connection.request("GET", PATH, seconds=0.3)


async def test_the_token_is_read_for_each_request(monkeypatch: pytest.MonkeyPatch) -> None:
    double = Double(json({}))
    async with connected(double) as connection:
        tokens = iter(["bearer one", "bearer two"])

        def refresh(configuration: Configuration) -> None:
            configuration.api_key["BearerToken"] = next(tokens)

        connection._configuration.api_key["BearerToken"] = "bearer none"
        monkeypatch.setattr(connection._configuration, "refresh_api_key_hook", refresh)
        await connection.request("GET", PATH)
        await connection.request("GET", PATH)
    assert [request.headers["Authorization"] for request in double.asked] == ["bearer one", "bearer two"]


PROXIES = {"http_proxy": "http://plain:3128", "https_proxy": "http://secure:3128", "no_proxy": "10.0.0.1,.svc"}


@pytest.fixture(autouse=True)
def no_proxies_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("https://cluster.example:6443", "http://secure:3128"),
        ("http://cluster.example", "http://plain:3128"),
        ("https://10.0.0.1:443", None),
        ("https://kubernetes.default.svc", None),
    ],
)
def test_the_environment_names_the_proxy_of_an_address(
    monkeypatch: pytest.MonkeyPatch, url: str, proxy: str | None
) -> None:
    for name, value in PROXIES.items():
        monkeypatch.setenv(name, value)
    assert proxy_for(url) == proxy


async def test_the_environment_is_read_once_and_not_for_each_request(monkeypatch: pytest.MonkeyPatch) -> None:
    double = Double(json({"kind": "Pod"}))
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", double.answer)
    async with TestServer(app) as proxy:
        monkeypatch.setenv("http_proxy", str(proxy.make_url("")))
        connection = Connection(Configuration(host="http://cluster.invalid"))
        try:
            await connection.request("GET", PATH)
            monkeypatch.delenv("http_proxy")
            await connection.paced(10).fenced(lambda: True).request("GET", PATH)
            session = connection._rest.pool_manager
            assert session is not None
            assert not session.trust_env
        finally:
            await connection.close()
    assert [request.host for request in double.asked] == ["cluster.invalid"] * 2


async def test_the_kubeconfigs_proxy_goes_before_that_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://environment:3128")
    configuration = Configuration(host="https://cluster.invalid", proxy="http://kubeconfig:3128")
    connection = Connection(configuration)
    await connection.close()
    assert configuration.proxy == "http://kubeconfig:3128"
