"""A run's requests through a real gateway, to a double of the model APIs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.local.gateway.gateways import (
    COST,
    KEY,
    MODEL,
    Gateway,
    chat_body,
    double,
    gateway,
    gateway_and_double,
    messages_body,
    providers,
    responses_body,
)

from autopack_gateway.client.client import RefusedError

ASKS = [
    ("claude/v1/messages", messages_body),
    ("gpt/v1/chat/completions", chat_body),
    ("other/v1/chat/completions", chat_body),
    ("gpt/v1/responses", responses_body),
]


class Scene:
    """A gateway and the double behind it."""

    def __init__(self, ours: Gateway, upstream: str) -> None:
        self.ours, self.upstream = ours, upstream

    async def trouble(self, **troubles: Any) -> None:
        async with self.ours.session.put(f"{self.upstream}/double/troubles", json=troubles) as answer:
            assert answer.status == 200

    async def counts(self) -> dict[str, int]:
        async with self.ours.session.get(f"{self.upstream}/double/counts") as answer:
            counted: dict[str, dict[str, int]] = await answer.json()
            return counted[KEY]


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async with gateway_and_double(tmp_path, double()) as (ours, upstream):
        yield Scene(ours, upstream)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(("path", "body"), ASKS, ids=[path for path, _ in ASKS])
async def test_an_answer_passes_and_its_usage_counts(scene: Scene, path: str, body: Any, stream: bool) -> None:
    await scene.trouble(silent=True)
    token = await scene.ours.grant("a")
    async with scene.ours.ask(token, path, body(stream=stream)) as answer:
        text = await answer.text()
        assert answer.status == 200, text
    assert "I have done it." in text
    used = await scene.ours.used("a")
    assert used["perModel"] == {f"{path.split('/')[0]}/{MODEL}": {**_counted(used)}}
    assert _counted(used) == {
        "requests": 1,
        "inputTokens": 1000,
        "outputTokens": 50,
        "cachedTokens": 200,
        "costUSD": COST,
        "estimated": 0,
    }


async def test_a_chat_that_asks_for_its_usage_is_told_it_and_another_is_not(scene: Scene) -> None:
    await scene.trouble(silent=True)
    token = await scene.ours.grant("a")
    async with scene.ours.ask(token, "gpt/v1/chat/completions", chat_body(stream=True)) as answer:
        silent = _events(await answer.text())
    asking = chat_body(stream=True, stream_options={"include_usage": True})
    async with scene.ours.ask(token, "gpt/v1/chat/completions", asking) as answer:
        told = _events(await answer.text())
    assert silent[-1] == told[-1] == "[DONE]"
    assert [one for one in silent if '"choices": []' in one] == []
    assert json.loads(told[-2])["usage"]["prompt_tokens"] == 1000
    assert (await scene.ours.used("a"))["requests"] == 2


async def test_the_provider_sees_the_key_and_the_agent_never(scene: Scene) -> None:
    token = await scene.ours.grant("a")
    sent = {"x-api-key": "autopack-gateway", "Cookie": "a=b"}
    async with scene.ours.ask(token, "claude/v1/messages", messages_body(), **sent) as answer:
        assert answer.status == 200
        assert KEY not in str(answer.headers) + await answer.text()
    async with scene.ours.ask(token, "gpt/v1/models") as answer:
        assert answer.status == 200
    assert (await scene.counts())["answered"] == 1


@pytest.mark.parametrize(
    ("path", "body", "status", "reason"),
    [
        ("claude/v1/messages", messages_body(model="gpt-9"), 403, "model_not_allowed"),
        ("nobody/v1/messages", messages_body(), 403, "model_not_allowed"),
        ("gpt/v1/files", {}, 403, "route_not_allowed"),
        ("claude/v1%2Fmessages%2F..%2Fx", messages_body(), 403, "route_not_allowed"),
        ("claude/v1/messages", {"model": 5}, 400, "invalid_request_error"),
        ("claude/v1/messages", [], 400, "invalid_request_error"),
        ("gpt/v1/responses", {**responses_body(), "background": True}, 400, "invalid_request_error"),
    ],
)
async def test_what_does_not_pass(scene: Scene, path: str, body: Any, status: int, reason: str) -> None:
    token = await scene.ours.grant("a")
    async with scene.ours.ask(token, path, body) as answer:
        assert answer.status == status
        assert (await answer.json())["error"]["type"] == reason
    assert (await scene.counts())["requests"] == 0


async def test_a_pod_asks_only_while_its_attempt_is_the_present_one(scene: Scene) -> None:
    async def status(token: str) -> tuple[int, str | None]:
        async with scene.ours.ask(token, "claude/v1/messages", messages_body()) as answer:
            return answer.status, answer.headers.get("Autopack-Ask-Again")

    assert await status("token-of-a") == (401, "1")
    first = await scene.ours.grant("a")
    assert await status(first) == (200, None)
    second = await scene.ours.grant("a", attempt=2, podUid="another")
    assert await status(first) == (401, None)
    assert await status(second) == (200, None)
    with pytest.raises(RefusedError) as refused:
        await scene.ours.grant("a", attempt=1)
    assert refused.value.status == 409
    await scene.ours.client.revoke("a", 1)
    assert await status(second) == (200, None)
    await scene.ours.client.revoke("a", 2)
    await scene.ours.client.revoke("a", 2)
    assert await status(second) == (401, None)
    with pytest.raises(RefusedError):
        await scene.ours.grant("a", attempt=2)


async def test_refusals_of_the_provider_are_tried_again_before_the_first_byte(scene: Scene) -> None:
    await scene.trouble(overloaded_every=2, failed_every=3)
    token = await scene.ours.grant("a")
    for path, body in ASKS * 2:
        async with scene.ours.ask(token, path, body(stream=True)) as answer:
            assert answer.status == 200, await answer.text()
    counts, used = await scene.counts(), await scene.ours.used("a")
    assert counts["overloaded"] > 0
    assert counts["failed"] > 0
    assert (used["requests"], used["estimated"], used["inputTokens"]) == (8, 0, 8000)


async def test_a_stream_that_breaks_off_breaks_off_at_the_agent_and_counts_whole(scene: Scene) -> None:
    await scene.trouble(cut_every=1)
    token = await scene.ours.grant("a")
    with pytest.raises(aiohttp.ClientError):
        async with scene.ours.ask(token, "claude/v1/messages", messages_body(stream=True)) as answer:
            await answer.text()
    used = await scene.ours.used("a")
    assert (used["requests"], used["estimated"]) == (1, 1)
    assert used["inputTokens"] >= 1000
    assert used["outputTokens"] == 100


async def test_a_wrong_key_is_told_as_the_installations_fault(scene: Scene, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("sk-of-yesterday")
    token = await scene.ours.grant("a")
    async with scene.ours.ask(token, "claude/v1/messages", messages_body()) as answer:
        assert answer.status == 502
        assert (await answer.json())["error"]["type"] == "provider_refused_the_key"
    (tmp_path / "key").write_text(KEY)
    async with scene.ours.ask(token, "claude/v1/messages", messages_body()) as answer:
        assert answer.status == 200


async def test_a_provider_that_is_not_there(tmp_path: Path) -> None:
    declared = providers("http://127.0.0.1:9", tmp_path / "key")
    async with gateway(tmp_path / ".gateway", declared) as ours:
        token = await ours.grant("a")
        async with ours.ask(token, "claude/v1/messages", messages_body()) as answer:
            assert answer.status == 502
            assert (await answer.json())["error"]["type"] == "upstream_unreachable"
        assert (await ours.used("a"))["requests"] == 0


async def test_changes_are_told_after_a_cursor(scene: Scene) -> None:
    token = await scene.ours.grant("a")
    await scene.ours.grant("b")
    before = await scene.ours.client.spent()
    assert {one["uid"] for one in before["runs"]} == {"a", "b"}
    async with scene.ours.ask(token, "claude/v1/messages", messages_body()) as answer:
        assert answer.status == 200
    after = await scene.ours.client.spent(before["cursor"])
    assert [one["uid"] for one in after["runs"]] == ["a"]
    assert (await scene.ours.client.spent(after["cursor"]))["runs"] == []
    assert [one["name"] for one in after["providers"]] == ["claude", "gpt", "other"]


async def test_only_the_operator_sends_grants(scene: Scene) -> None:
    token = await scene.ours.grant("a")
    for shown in ("", "Bearer wrong", f"Bearer {token}"):
        async with scene.ours.session.get(f"{scene.ours.url}/v1/spent", headers={"Authorization": shown}) as answer:
            assert answer.status == 401
    bad = {"uid": "a", "attempt": -1, "podUid": "p"}
    told = {"Authorization": "Bearer the-operator"}
    async with scene.ours.session.put(f"{scene.ours.url}/v1/grants", json=bad, headers=told) as answer:
        assert answer.status == 400
        assert "attempt" in (await answer.json())["message"]


async def test_readiness_and_metrics(scene: Scene) -> None:
    token = await scene.ours.grant("a")
    async with scene.ours.ask(token, "claude/v1/messages", messages_body()) as answer:
        await answer.read()
    texts = {}
    for path in ("healthz", "readyz", "metrics"):
        async with scene.ours.session.get(f"{scene.ours.url}/{path}") as answer:
            assert answer.status == 200
            texts[path] = await answer.text()
    assert f'autopack_gateway_cost_usd_total{{model="{MODEL}",provider="claude"}} {COST}' in texts["metrics"]
    assert "autopack_gateway_active 1.0" in texts["metrics"]


async def test_what_an_agent_no_longer_waits_for_counts_whole(tmp_path: Path) -> None:
    async with gateway_and_double(tmp_path, double(seconds=600)) as (ours, upstream):
        token = await ours.grant("a")
        asking = asyncio.create_task(_read(ours, token))
        while (await Scene(ours, upstream).counts())["requests"] == 0:
            await asyncio.sleep(0.01)
        asking.cancel()
        journal = ours.leader.journal
        assert journal is not None
        while journal.books.open:
            await asyncio.sleep(0.01)
        used = await ours.used("a")
        assert (used["requests"], used["estimated"], used["outputTokens"]) == (1, 1, 100)


async def _read(ours: Gateway, token: str) -> None:
    async with ours.ask(token, "claude/v1/messages", messages_body()) as answer:
        await answer.read()


def _counted(used: Any) -> dict[str, Any]:
    return {name: value for name, value in used.items() if name not in {"uid", "perModel", "exhausted"}}


def _events(text: str) -> list[str]:
    return [event.removeprefix("data: ") for event in text.strip().split("\n\n")]
