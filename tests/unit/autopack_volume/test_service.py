"""The routes, with a fake verifier behind its port and nothing on the volume."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from autopack.service_tokens.tokens import DeniedError
from autopack_volume.service.http.service import Service
from autopack_volume.service.settings import Settings

PATH = "/v1/attempts/0f8fad5b-d9cb-469f-a165-70867728950e/1"


class Verifier:
    """Lets `good` in; other tokens are the status to deny with."""

    def __init__(self) -> None:
        self.has_keys = True

    async def verify(self, token: str) -> str:
        if token != "good":
            raise DeniedError(int(token), "denied")
        return "operator"

    async def ready(self) -> bool:
        return self.has_keys


@pytest.fixture
def verifier() -> Verifier:
    return Verifier()


@pytest.fixture
async def client(tmp_path: Path, verifier: Verifier) -> AsyncIterator[TestClient[Any, Any]]:
    async with TestClient(TestServer(Service(Settings(root=tmp_path), verifier).app())) as client:
        yield client


@pytest.mark.parametrize(("method", "path"), [("PUT", PATH), ("POST", f"{PATH}/commit"), ("GET", "/v1/anything")])
@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic good", "good"])
async def test_without_a_bearer_token_nothing_is_done(
    client: TestClient[Any, Any], method: str, path: str, header: str | None
) -> None:
    headers = {} if header is None else {"Authorization": header}
    async with client.request(method, path, headers=headers, data=b"{}") as response:
        assert response.status == 401
        assert (await response.json())["reason"] == "Denied"


@pytest.mark.parametrize("status", [401, 403, 503])
async def test_a_denied_caller_is_told_how(client: TestClient[Any, Any], status: int) -> None:
    async with client.put(PATH, headers={"Authorization": f"Bearer {status}"}, data=b"{}") as response:
        assert response.status == status


async def test_a_request_that_is_too_large_is_cut_off(client: TestClient[Any, Any]) -> None:
    data = io.BytesIO(b"x" * (2 << 20 | 1))
    async with client.put(PATH, headers={"Authorization": "Bearer good"}, data=data) as response:
        assert response.status == 413


@pytest.mark.parametrize(("method", "path"), [("PUT", PATH), ("POST", f"{PATH}/commit")])
async def test_bad_input_is_a_failure_for_good(client: TestClient[Any, Any], method: str, path: str) -> None:
    async with client.request(method, path, headers={"Authorization": "Bearer good"}, data=b"[]") as response:
        assert response.status == 422
        assert (await response.json())["reason"] == "InvalidInput"


class Readers(Verifier):
    """Lets `reader` in besides."""

    async def verify(self, token: str) -> str:
        return token if token == "reader" else await super().verify(token)


@pytest.mark.parametrize(("method", "path"), [("PUT", PATH), ("POST", f"{PATH}/commit"), ("DELETE", PATH)])
async def test_a_reader_changes_nothing(tmp_path: Path, method: str, path: str) -> None:
    class Callers(Verifier):
        async def verify(self, token: str) -> str:
            raise DeniedError(403, "this caller is not allowed")

    service = Service(Settings(root=tmp_path), Callers(), Readers())
    async with (
        TestClient(TestServer(service.app())) as client,
        client.request(method, path, headers={"Authorization": "Bearer reader"}, data=b"{}") as response,
    ):
        assert response.status == 403


async def test_a_reader_reads(tmp_path: Path, verifier: Verifier) -> None:
    service = Service(Settings(root=tmp_path), verifier, Readers())
    async with (
        TestClient(TestServer(service.app())) as client,
        client.get(PATH, headers={"Authorization": "Bearer reader"}) as response,
    ):
        assert (response.status, (await response.json())["reason"]) == (404, "AttemptUnknown")


@pytest.fixture
async def loopback(tmp_path: Path, verifier: Verifier) -> AsyncIterator[TestClient[Any, Any]]:
    async with TestClient(TestServer(Service(Settings(root=tmp_path), verifier).loopback_app())) as client:
        yield client


async def test_on_loopback_no_token_is_needed_to_read(loopback: TestClient[Any, Any]) -> None:
    async with loopback.get(PATH) as response:
        assert (response.status, (await response.json())["reason"]) == (404, "AttemptUnknown")


@pytest.mark.parametrize(("method", "path"), [("PUT", PATH), ("POST", f"{PATH}/commit"), ("POST", "/v1/forecast")])
async def test_on_loopback_nothing_can_be_changed(loopback: TestClient[Any, Any], method: str, path: str) -> None:
    async with loopback.request(method, path, data=b"{}") as response:
        assert response.status in {404, 405}


@pytest.mark.parametrize("host", ["evil.example.com", "127.0.0.1.evil.example.com:8082", "[", ""])
async def test_on_loopback_a_name_of_elsewhere_is_denied(loopback: TestClient[Any, Any], host: str) -> None:
    async with loopback.get(PATH, headers={"Host": host}) as response:
        assert response.status == 403


@pytest.mark.parametrize("path", ["/v1/attempts/x", "/v1/attempts/..%2f..%2fetc/1", f"{PATH}0000000000"])
async def test_what_is_no_uid_and_no_number_is_refused(loopback: TestClient[Any, Any], path: str) -> None:
    async with loopback.get(path) as response:
        assert (response.status, (await response.json())["reason"]) == (422, "InvalidInput")


async def test_it_lives_without_keys_but_is_not_ready(client: TestClient[Any, Any], verifier: Verifier) -> None:
    verifier.has_keys = False
    async with client.get("/livez") as lives, client.get("/readyz") as is_ready:
        assert (lives.status, is_ready.status) == (200, 503)


async def test_requests_are_counted_by_route(client: TestClient[Any, Any]) -> None:
    for uid in ("a", "b"):
        async with client.put(f"/v1/attempts/{uid}/1", headers={"Authorization": "Bearer good"}, data=b"[]"):
            pass
    async with client.get("/metrics") as response:
        text = await response.text()
    assert 'autopack_volume_requests_total{route="PUT /v1/attempts/{uid}/{attempt}",status="422"} 2.0' in text


async def test_the_log_has_no_token(client: TestClient[Any, Any], capsys: pytest.CaptureFixture[str]) -> None:
    async with client.put(f"{PATH}?token=good", headers={"Authorization": "Bearer good"}, data=b"[]"):
        pass
    printed = capsys.readouterr().out
    assert '"message": "request"' in printed
    assert "good" not in printed
