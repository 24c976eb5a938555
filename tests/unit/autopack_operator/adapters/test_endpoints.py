"""What probes and Prometheus are told."""

from __future__ import annotations

import aiohttp
import pytest
from aiohttp.test_utils import unused_port

from autopack_operator.adapters.http.endpoints import Check, Endpoints


async def get(path: str, *, live: Check = lambda: None, ready: Check = lambda: None) -> tuple[int, str]:
    port = unused_port()
    endpoints = Endpoints(f"127.0.0.1:{port}", {"queue": live}, ready, lambda: b"metric 1\n")
    await endpoints.start()
    try:
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as answer:
            return answer.status, await answer.text()
    finally:
        await endpoints.stop()


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
async def test_all_is_well(path: str) -> None:
    assert await get(path) == (200, "ok\n")


async def test_a_check_that_fails_is_named() -> None:
    assert await get("/livez", live=lambda: "stuck for 400 s") == (500, "[-] queue: stuck for 400 s\n")


async def test_not_being_ready_is_not_being_dead() -> None:
    assert await get("/readyz", ready=lambda: "no CRDs") == (503, "no CRDs\n")
    assert await get("/livez", ready=lambda: "no CRDs") == (200, "ok\n")


async def test_metrics_are_in_the_text_format() -> None:
    assert await get("/metrics") == (200, "metric 1\n")


async def test_ipv6_addresses_are_listened_on() -> None:
    port = unused_port()
    endpoints = Endpoints(f"[::1]:{port}", {}, lambda: None, lambda: b"")
    await endpoints.start()
    try:
        async with aiohttp.ClientSession() as session, session.get(f"http://[::1]:{port}/livez") as answer:
            assert answer.status == 200
    finally:
        await endpoints.stop()
