"""What an answer tells of its usage, however it is cut into pieces."""

from __future__ import annotations

import itertools
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autopack_gateway.service.apis import anthropic, openai
from autopack_gateway.service.apis.routes import Api, address, is_free, route_of
from autopack_gateway.service.apis.usage import DocumentReader, EventReader
from autopack_gateway.service.money.prices import Price, as_text, price_of
from autopack_gateway.service.money.tokens import Tokens


def _stream(*events: dict[str, Any], end: bytes = b"\n\n") -> bytes:
    return b"".join(b"data: " + json.dumps(event).encode() + end for event in events)


CHAT = _stream(
    {"choices": [{"delta": {"content": 'they said "usage"\n\n'}}], "usage": None},
    {"choices": [{"delta": {}, "finish_reason": "stop"}], "usage": None},
    {
        "choices": [],
        "usage": {"prompt_tokens": 9, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 3}},
    },
)
DONE = b"data: [DONE]\n\n"
CLAUDE = _stream(
    {
        "type": "message_start",
        "message": {"usage": {"input_tokens": 5, "cache_read_input_tokens": 3, "output_tokens": 1}},
    },
    {"type": "content_block_delta", "delta": {"text": "hello"}},
    {"type": "message_delta", "usage": {"output_tokens": 7}},
    {"type": "message_stop"},
    end=b"\r\n\r\n",
)
RESPONSES = _stream(
    {"type": "response.created", "response": {"usage": None}},
    {"type": "response.completed", "response": {"usage": {"input_tokens": 2, "output_tokens": 6}}},
)


@given(cuts=st.lists(st.integers(0, len(CHAT + DONE)), max_size=12))
def test_a_chat_is_read_in_any_pieces_and_loses_what_only_we_asked_for(cuts: list[int]) -> None:
    reader, sent = EventReader(openai.note_chat, hide=True), b""
    whole, places = CHAT + DONE, sorted({0, *cuts, len(CHAT + DONE)})
    for begin, end in itertools.pairwise(places):
        sent += reader.feed(whole[begin:end])
    sent += reader.end()
    assert reader.told.tokens == Tokens(9, 4, 3)
    assert sent == CHAT[: CHAT.index(b'data: {"choices": [], ')] + DONE


@pytest.mark.parametrize(
    ("note", "stream", "tokens"),
    [
        (anthropic.note, CLAUDE, Tokens(8, 7, 3)),
        (openai.note_responses, RESPONSES, Tokens(2, 6)),
        (openai.note_chat, CHAT, Tokens(9, 4, 3)),
    ],
)
def test_a_stream_passes_as_it_is_and_is_read_byte_by_byte(note: Any, stream: bytes, tokens: Tokens) -> None:
    reader = EventReader(note)
    assert b"".join(reader.feed(stream[at : at + 1]) for at in range(len(stream))) + reader.end() == stream
    assert reader.told.settled(Tokens(99, 99)) == (tokens, False)


def test_what_breaks_off_counts_as_reserved_or_as_told_if_that_is_more() -> None:
    reader = EventReader(anthropic.note)
    reader.feed(CLAUDE[: CLAUDE.index(b"message_delta")])
    assert reader.told.settled(Tokens(5, 100)) == (Tokens(8, 100, 3), True)
    assert EventReader(openai.note_chat).told.settled(Tokens(5, 100)) == (Tokens(5, 100), True)


def test_a_whole_answer_and_one_that_is_no_json() -> None:
    reader = DocumentReader(anthropic.note)
    usage = {"input_tokens": 1, "cache_creation_input_tokens": 10, "cache_read_input_tokens": 100, "output_tokens": 2}
    assert reader.feed(json.dumps({"type": "message", "usage": usage}).encode()) != b""
    reader.end()
    assert reader.told.settled(Tokens()) == (Tokens(111, 2, 100, 10), False)
    broken = DocumentReader(openai.note_chat)
    broken.feed(b'{"usage": ')
    broken.end()
    assert broken.told.settled(Tokens(4, 5)) == (Tokens(4, 5), True)


def test_a_cost_is_exact() -> None:
    price = Price.of("m", Decimal(3), Decimal(15), Decimal("0.3"))
    assert as_text(price.cost(Tokens(1000, 50, 200))) == "0.00321"
    assert as_text(price.cost(Tokens(1000, 0, 0, 1000))) == "0.00375"
    assert price.at_most(Tokens(1000, 50)) >= price.cost(Tokens(1000, 50, 0, 1000))
    assert [as_text(Decimal(text)) for text in ("0", "1E+3", "100", "1.50")] == ["0", "1000", "100", "1.5"]
    assert price_of([price, Price.of("*", Decimal(1), Decimal(1))], "m") is price
    assert price_of([price], "n") is None


def test_which_requests_pass_and_where_they_go() -> None:
    assert route_of(Api.ANTHROPIC, "POST", "v1/messages") is not None
    assert route_of(Api.OPENAI, "POST", "v1/messages") is None
    assert route_of(Api.OPENAI, "GET", "v1/responses") is None
    assert is_free(Api.ANTHROPIC, "POST", "v1/messages/count_tokens")
    assert is_free(Api.OPENAI, "GET", "v1/models/gpt-5")
    assert not is_free(Api.OPENAI, "GET", "v1/models/../files")
    assert not is_free(Api.OPENAI, "POST", "v1/models")
    assert address(Api.ANTHROPIC, "https://a.example/", "v1/messages") == "https://a.example/v1/messages"
    assert address(Api.OPENAI, "https://o.example/v1", "v1/responses") == "https://o.example/v1/responses"
    assert address(Api.OPENAI_COMPATIBLE, "http://o.example", "v1/models") == "http://o.example/v1/models"
