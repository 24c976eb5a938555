"""The double of the model APIs, against the published shapes. Real agents are its clients in tests/e2e."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer
from tests.doubles.models.conversation import Tool, answer
from tests.doubles.models.script import SUBMIT, Usage, parse
from tests.doubles.models.server import ANTHROPIC, CHAT, RESPONSES, Api, Double
from tests.doubles.models.troubles import TokenBucket, is_due

JsonDict = dict[str, Any]

SCRIPT = parse(
    {
        "default": [
            {"text": "I look.", "shell": "ls", "usage": {"input": 900, "cached": 400, "output": 30}},
            {"text": "Done."},
        ],
        "terse": [{"text": "No."}],
    }
)
SCHEMA = {"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]}
APIS = pytest.mark.parametrize("api", [ANTHROPIC, CHAT, RESPONSES], ids=lambda api: api.name)


def asked(api: Api, *, model: str = "any", stream: bool = False, made: int = 0) -> JsonDict:
    """A request with a shell tool whose conversation holds `made` answers."""
    tool: JsonDict = {"name": "sh", "input_schema": SCHEMA}
    rounds = [[{"role": "assistant", "content": "a"}, {"role": "user", "content": "and then"}] for _ in range(made)]
    messages = [{"role": "user", "content": "work"}, *(message for each in rounds for message in each)]
    if api is CHAT:
        tool = {"type": "function", "function": {"name": "sh", "parameters": SCHEMA}}
    if api is RESPONSES:
        return {
            "model": model,
            "stream": stream,
            "input": messages,
            "tools": [{"type": "function", "name": "sh", "parameters": SCHEMA}],
        }
    return {"model": model, "stream": stream, "messages": messages, "tools": [tool]}


@pytest.fixture
async def client() -> AsyncIterator[TestClient[Any, Any]]:
    async with TestClient(TestServer(Double(SCRIPT, ["sk-good", "sk-other"]).app())) as opened:
        yield opened


async def ask(client: TestClient[Any, Any], api: Api, body: JsonDict, key: str = "sk-good") -> tuple[int, str]:
    headers = {"x-api-key": key} if api is ANTHROPIC else {"Authorization": f"Bearer {key}"}
    async with client.post(f"/v1/{api.name}", json=body, headers=headers) as response:
        return response.status, await response.text()


def data(stream: str) -> list[JsonDict]:
    """The events of a stream."""
    lines = [line.removeprefix("data: ") for line in stream.splitlines() if line.startswith("data: ")]
    return [json.loads(line) for line in lines if line != "[DONE]"]


def whole_of(api: Api, document: JsonDict) -> tuple[str, str, JsonDict, JsonDict]:
    """Text, tool, arguments and usage of a whole answer."""
    if api is ANTHROPIC:
        text, call = document["content"]
        return text["text"], call["name"], call["input"], document["usage"]
    if api is CHAT:
        message = document["choices"][0]["message"]
        function = message["tool_calls"][0]["function"]
        return message["content"], function["name"], json.loads(function["arguments"]), document["usage"]
    message, call = document["output"]
    return message["content"][0]["text"], call["name"], json.loads(call["arguments"]), document["usage"]


def streamed_of(api: Api, events: list[JsonDict]) -> tuple[str, str, JsonDict, JsonDict]:
    """The same of a stream, from its deltas."""
    if api is RESPONSES:
        assert [event["sequence_number"] for event in events] == list(range(len(events)))
        assert events[-1]["type"] == "response.completed"
        return whole_of(api, events[-1]["response"])
    if api is CHAT:
        deltas = [event["choices"][0]["delta"] for event in events if event["choices"]]
        (call,) = [one["function"] for delta in deltas for one in delta.get("tool_calls", ())]
        text = "".join(delta.get("content", "") for delta in deltas)
        return text, call["name"], json.loads(call["arguments"]), events[-1]["usage"]
    blocks = [event["content_block"] for event in events if event["type"] == "content_block_start"]
    deltas = [event["delta"] for event in events if event["type"] == "content_block_delta"]
    (last,) = [event for event in events if event["type"] == "message_delta"]
    usage = {**events[0]["message"]["usage"], **last["usage"]}
    return deltas[0]["text"], blocks[1]["name"], json.loads(deltas[1]["partial_json"]), usage


@APIS
async def test_a_stream_says_what_the_whole_answer_says(client: TestClient[Any, Any], api: Api) -> None:
    _, document = await ask(client, api, asked(api))
    _, stream = await ask(client, api, asked(api, stream=True))
    text, tool, arguments, usage = whole_of(api, json.loads(document))
    assert (text, tool, arguments) == ("I look.", "sh", {"command": "ls"})
    assert sum(value for name, value in usage.items() if name in {"input_tokens", "prompt_tokens"}) == (
        500 if api is ANTHROPIC else 900
    )
    assert streamed_of(api, data(stream)) == (text, tool, arguments, usage)


@APIS
async def test_the_script_goes_on_with_the_conversation(client: TestClient[Any, Any], api: Api) -> None:
    for made in (1, 2, 7):
        _, document = await ask(client, api, asked(api, made=made))
        assert "Done." in document
        assert '"command"' not in document
    _, document = await ask(client, api, asked(api, model="terse"))
    assert "No." in document


async def test_parts_of_one_answer_are_one_turn(client: TestClient[Any, Any]) -> None:
    items = [
        {"role": "user", "content": [{"type": "input_text", "text": "work"}]},
        {"type": "reasoning", "summary": []},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "I look."}]},
        {"type": "function_call", "name": "sh", "arguments": "{}", "call_id": "1"},
    ]
    ended = {"type": "function_call_output", "call_id": "1", "output": "ok"}
    assert RESPONSES.read({**asked(RESPONSES), "input": [*items, ended]}).turn == 1


@APIS
async def test_without_a_valid_key_nothing_is_answered(client: TestClient[Any, Any], api: Api) -> None:
    for key in ("", "sk-bad", "ключ"):
        status, text = await ask(client, api, asked(api), key.encode().decode("latin-1"))
        error = json.loads(text)["error"]
        assert status == 401
        assert error["type" if api is ANTHROPIC else "code"] == (
            "authentication_error" if api is ANTHROPIC else "invalid_api_key"
        )
    counts = await (await client.get("/double/counts")).json()
    assert {one["requests"] for one in counts.values()} == {0}


@pytest.mark.parametrize("body", [{}, {"model": "x"}, [], {"model": "x", "messages": [{}], "input": [{"type": 1}]}])
@APIS
async def test_what_is_no_request_is_refused(client: TestClient[Any, Any], api: Api, body: Any) -> None:
    status, _ = await ask(client, api, body)
    assert status == 400


async def test_each_key_has_its_own_counts(client: TestClient[Any, Any]) -> None:
    await ask(client, CHAT, asked(CHAT))
    await ask(client, ANTHROPIC, asked(ANTHROPIC, stream=True))
    counts = await (await client.get("/double/counts")).json()
    good, other = counts["sk-good"], counts["sk-other"]
    assert (good["requests"], good["answered"], good["streams"]) == (2, 2, 1)
    assert (good["input"], good["output"], good["cached"]) == (1800, 60, 800)
    assert set(other.values()) == {0}
    seen = await (await client.get("/double/requests")).json()
    assert [(one["api"], one["model"], one["tools"]) for one in seen] == [
        ("chat/completions", "any", ["sh"]),
        ("messages", "any", ["sh"]),
    ]
    assert "work" in seen[0]["prompt"]


def offering(schema: JsonDict) -> Callable[[str], Any]:
    request = CHAT.read({"model": "any", "messages": [{"role": "user", "content": "work"}]})
    return lambda prompt: answer(
        SCRIPT, type(request)(request.model, False, [Tool("other", {}), Tool("sh", schema)], 0, prompt)
    )


@pytest.mark.parametrize(
    ("properties", "required", "expected"),
    [
        ({"command": {"type": "string"}}, ["command"], {"command": "ls"}),
        ({"cmd": {"type": "string"}, "tty": {"type": "boolean"}}, ["cmd"], {"cmd": "ls"}),
        ({"command": {"type": "array"}}, ["command"], {"command": ["bash", "-lc", "ls"]}),
        (
            {"command": {"type": "string"}, "description": {"type": "string"}},
            ["command", "description"],
            {"command": "ls", "description": "Run a command"},
        ),
    ],
)
def test_arguments_fit_the_tool_that_is_offered(properties: JsonDict, required: list[str], expected: JsonDict) -> None:
    given = offering({"type": "object", "properties": properties, "required": required})("work")
    assert (given.tool, given.arguments) == ("sh", expected)


def test_a_request_without_a_shell_gets_words_and_costs_little() -> None:
    given = offering({"properties": {"path": {"type": "string"}}})("work")
    assert (given.text, given.arguments) == ("I look.", None)
    assert given.usage.input < 100


def test_mini_swe_agent_ends_by_the_command_that_its_instructions_name() -> None:
    body = asked(CHAT, made=1)
    told = {"role": "system", "content": f"In the end say `{SUBMIT}`."}
    assert answer(SCRIPT, CHAT.read({**body, "messages": [told, *body["messages"]]})).arguments == {"command": SUBMIT}


async def test_above_its_rate_a_key_is_told_when_to_come_again(client: TestClient[Any, Any]) -> None:
    await client.put("/double/troubles", json={"requests_per_minute": 6, "burst": 2})
    answers = [await ask(client, CHAT, asked(CHAT)) for _ in range(3)]
    assert [status for status, _ in answers] == [200, 200, 429]
    headers = {"x-api-key": "sk-good"}
    async with client.post("/v1/messages", json=asked(ANTHROPIC), headers=headers) as response:
        assert response.status == 429
        assert 1 <= int(response.headers["Retry-After"]) <= 10
        assert (await response.json())["error"]["type"] == "rate_limit_error"
    assert (await ask(client, CHAT, asked(CHAT), key="sk-other"))[0] == 200
    counts = await (await client.get("/double/counts")).json()
    assert (counts["sk-good"]["limited"], counts["sk-good"]["answered"]) == (2, 2)


async def test_overload_and_streams_that_break_off(client: TestClient[Any, Any]) -> None:
    await client.put("/double/troubles", json={"overloaded_every": 2})
    assert [(await ask(client, ANTHROPIC, asked(ANTHROPIC)))[0] for _ in range(4)] == [200, 529, 200, 529]
    await client.put("/double/troubles", json={"cut_every": 1})
    headers = {"x-api-key": "sk-good"}
    async with client.post("/v1/messages", json=asked(ANTHROPIC, stream=True), headers=headers) as response:
        assert response.status == 200
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()
    counts = await (await client.get("/double/counts")).json()
    assert (counts["sk-good"]["overloaded"], counts["sk-good"]["cut"]) == (2, 1)


async def test_the_models_are_listed_in_the_shape_that_is_asked_for(client: TestClient[Any, Any]) -> None:
    theirs = await client.get("/v1/models", headers={"Authorization": "Bearer sk-good"})
    assert [model["id"] for model in (await theirs.json())["data"]] == ["default", "terse"]
    ours = await client.get("/v1/models", headers={"x-api-key": "sk-good", "anthropic-version": "2023-06-01"})
    assert {model["type"] for model in (await ours.json())["data"]} == {"model"}
    assert (await client.get("/v1/models")).status == 401


def test_a_bucket_fills_at_its_rate_and_never_above_its_burst() -> None:
    bucket = TokenBucket(per_minute=60, burst=2, now=0)
    assert [bucket.take(0) for _ in range(3)] == [0, 0, 1]
    assert bucket.take(0.5) == pytest.approx(0.5)
    assert bucket.take(1) == 0
    assert [bucket.take(100) for _ in range(3)] == [0, 0, 1]
    assert [is_due(3, number) for number in range(1, 7)] == [False, False, True] * 2
    assert not is_due(0, 5)


def test_a_script_that_is_wrong_is_refused() -> None:
    wrong: list[JsonDict] = [{}, {"default": []}, {"terse": [{"text": "No."}]}]
    for document in wrong:
        with pytest.raises(ValueError, match="default"):
            parse(document)
    with pytest.raises(TypeError):
        parse({"default": [{"text": "x", "usage": {"inputs": 1}}]})
    assert parse({"default": [{"text": "x"}]}).turn("any", 3).usage == Usage()
