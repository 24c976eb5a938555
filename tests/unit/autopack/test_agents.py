"""What agents print, as it was recorded and as somebody may forge it."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.recorded import recorded

from autopack.agents import reading
from autopack.agents.formats import FORMATS, OutputFormat
from autopack.agents.reading import MAX_LINE, MAX_SUMMARY, Reading, first_line
from autopack.agents.usage import MOST, Usage, from_json, to_json

RECORDED = {
    OutputFormat.CLAUDE_STREAM_JSON: "agents/claude.jsonl",
    OutputFormat.CODEX_JSON: "agents/codex.jsonl",
    OutputFormat.OPENCODE_JSON: "agents/opencode.jsonl",
    OutputFormat.MINI_TRAJECTORY: "agents/mini.json",
}
TOKENS = Usage(input_tokens=4400, output_tokens=125, cached_tokens=2700)
FORMAT = st.sampled_from(sorted(FORMATS))


def read(form: OutputFormat, raw: bytes, size: int = 1 << 20) -> Reading:
    found = Reading(FORMATS[form])
    if FORMATS[form].document:
        found.document(raw)
        return found
    for start in range(0, len(raw), size):
        found.feed(raw[start : start + size])
    found.end()
    return found


def events(found: Reading) -> list[dict[str, Any]]:
    return [json.loads(line) for line in found.transcript().splitlines()]


def claude_result(**fields: object) -> bytes:
    return json.dumps({"type": "result", "subtype": "success", "result": "Done.", **fields}).encode() + b"\n"


def claude(raw: bytes) -> Reading:
    return read(OutputFormat.CLAUDE_STREAM_JSON, raw)


@pytest.mark.parametrize(
    ("form", "rest"),
    [
        (OutputFormat.CLAUDE_STREAM_JSON, Usage(requests=3, turns=3, micro_usd=7785)),
        (OutputFormat.CODEX_JSON, Usage(turns=1)),
        (OutputFormat.OPENCODE_JSON, Usage(requests=3, turns=3, micro_usd=7785)),
        (OutputFormat.MINI_TRAJECTORY, Usage(requests=3, turns=3, micro_usd=8875)),
    ],
)
@pytest.mark.parametrize("size", [1 << 20, 7])
def test_each_agent_tells_the_same_story(form: OutputFormat, rest: Usage, size: int) -> None:
    found = read(form, recorded(RECORDED[form]), size)
    assert found.usage == TOKENS.plus(rest)
    assert found.summary == "The file is committed."
    told = [(one["role"], one["kind"]) for one in events(found) if one["kind"] not in {"usage", "result", "note"}]
    turn = [("assistant", "message"), ("assistant", "tool_call"), ("tool", "tool_result")]
    story = [one for one in told if one[0] not in {"system", "user"}]
    assert story[:7] == [*turn, *turn, ("assistant", "message")]
    calls = [one for one in events(found) if one["kind"] == "tool_call"]
    assert "ls && echo seen" in calls[0]["text"]
    assert calls[0]["tool"].lower() in {"bash", "shell"}
    answers = [one for one in events(found) if one["kind"] == "tool_result"]
    assert [one.get("failed", False) for one in answers][:2] == [False, True]
    assert "seen" in answers[0]["text"]


@pytest.mark.parametrize(
    ("form", "name"),
    [(OutputFormat.CODEX_JSON, "codex-refused.jsonl"), (OutputFormat.OPENCODE_JSON, "opencode-refused.jsonl")],
)
def test_an_agent_that_was_refused_ends_with_the_reason(form: OutputFormat, name: str) -> None:
    found = read(form, recorded(f"agents/{name}"))
    assert "the key is not valid" in found.summary
    assert not found.usage.known
    assert events(found)[-1].items() >= {"kind": "error", "failed": True}.items()


def test_claude_stopped_before_its_end_has_used_what_its_messages_say() -> None:
    raw = b"\n".join(recorded(RECORDED[OutputFormat.CLAUDE_STREAM_JSON]).splitlines()[:-1])
    assert claude(raw).usage == Usage(requests=3, input_tokens=4400, output_tokens=3, cached_tokens=2700)


def test_claude_started_twice_by_one_command_is_added_up() -> None:
    whole = recorded(RECORDED[OutputFormat.CLAUDE_STREAM_JSON])
    twice = claude(whole + whole).usage
    assert (twice.requests, twice.input_tokens, twice.turns, twice.micro_usd) == (6, 8800, 6, 15570)


def test_codex_repeats_the_tokens_of_its_thread_after_each_turn() -> None:
    def turn(number: int) -> bytes:
        used = {"input_tokens": number, "cached_input_tokens": 0, "output_tokens": 1}
        return json.dumps({"type": "turn.completed", "usage": used}).encode()

    begin = b'{"type":"thread.started","thread_id":"x"}'
    raw = b"\n".join([begin, turn(10), turn(30), begin, turn(5)])
    assert read(OutputFormat.CODEX_JSON, raw).usage == Usage(input_tokens=35, output_tokens=2, cached_tokens=0, turns=3)


@pytest.mark.parametrize("api", ["chat", "responses", "words"])
def test_mini_is_understood_whatever_api_its_model_has(api: str) -> None:
    used = {"input_tokens": 7, "output_tokens": 2, "input_tokens_details": {"cached_tokens": 3}}
    output = [{"type": "message", "content": [{"type": "output_text", "text": "I look."}]}]
    answers: dict[str, dict[str, Any]] = {
        "chat": {"role": "assistant", "content": "I look.", "extra": {"response": {"usage": used}}},
        "responses": {"object": "response", "output": output, "usage": used, "extra": {}},
        "words": {"role": "assistant", "content": "I look.", "extra": {"response": {"usage": used}}},
    }
    answer = answers[api]
    answer["extra"]["actions"] = [{"command": "ls"}]
    seen = {"content": "<output>", "extra": {"raw_output": "README.md", "returncode": 0, "timestamp": 1.5}}
    role = {"chat": {"role": "tool"}, "responses": {"type": "function_call_output"}, "words": {"role": "user"}}[api]
    info = {"model_stats": {"instance_cost": 0.5, "api_calls": 1}, "exit_status": "LimitsExceeded"}
    found = read(OutputFormat.MINI_TRAJECTORY, json.dumps({"info": info, "messages": [answer, seen | role]}).encode())
    assert found.usage == Usage(1, 7, 2, 3, 1, 500_000)
    assert found.summary == "LimitsExceeded"
    assert [(one["kind"], one.get("text")) for one in events(found)] == [
        ("message", "I look."),
        ("tool_call", "ls"),
        ("tool_result", "README.md"),
        ("error", "LimitsExceeded"),
    ]


@pytest.mark.parametrize("number", [1e308, 10**400, float("inf"), -1, float("nan"), True, "9", None, [], {}])
def test_forged_numbers_are_capped_or_left_out(number: object) -> None:
    used = {"input_tokens": number, "output_tokens": number, "cache_read_input_tokens": number}
    found = claude(claude_result(usage=used, total_cost_usd=number, num_turns=number))
    huge = not isinstance(number, bool) and isinstance(number, int | float) and number > 0
    assert found.usage == (Usage(None, MOST, MOST, MOST, MOST, MOST) if huge else Usage())


def test_sums_are_capped() -> None:
    most = Usage(MOST, MOST, MOST, MOST, MOST, MOST)
    assert most.plus(most) == most
    assert most.total_tokens == MOST


def test_lines_that_are_not_understood_are_left_out_and_counted() -> None:
    raw = b"npm warn something\n[1]\n\n" + b"[" * 5000 + b"\n\xff\xfe\n" + b'{"type":"new"}\n' + claude_result() + b"{"
    found = claude(raw)
    assert found.summary == "Done."
    assert events(found)[-1] == {"role": "autopack", "kind": "note", "text": "left out: 5 lines"}


def test_a_line_that_is_too_long_is_left_out_and_what_follows_is_read() -> None:
    found = claude(b'{"type":"result","result":"' + b"x" * MAX_LINE + b'"}\n' + claude_result())
    assert found.summary == "Done."
    assert events(found)[-1]["text"] == "left out: 1 line"


def test_what_is_missing_in_the_middle_costs_the_lines_at_its_ends() -> None:
    found = Reading(FORMATS[OutputFormat.CLAUDE_STREAM_JSON])
    found.feed(claude_result(result="before") + b'{"type":"res')
    found.gap()
    found.feed(b'ult"}\n' + claude_result(result="after"))
    found.end()
    assert found.summary == "after"
    assert [one["text"] for one in events(found)] == ["before", "after", "left out: 1 line"]


def test_a_transcript_has_a_bound_but_the_totals_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_TRANSCRIPT", 400)
    found = claude(claude_result(num_turns=1) * 10)
    assert found.usage.turns == 10
    assert len(found.transcript()) < 600
    assert events(found)[-1]["text"].startswith("left out: ")


def test_long_texts_are_cut() -> None:
    found = claude(claude_result(result="x" * 100_000))
    assert (len(found.summary), found.summary[-1]) == (MAX_SUMMARY, "…")
    assert len(events(found)[0]["text"]) == 8192


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("\n  \nDone.\nMore", "Done."),
        ("\x1b[31mred\x07", "[31mred"),
        ("a\u202eb\ud800\0", "ab"),
        ("", ""),
        ("\r\n", ""),
    ],
)
def test_a_summary_is_one_line_that_can_be_seen(text: str, line: str) -> None:
    assert first_line(text) == line


@given(FORMAT, st.lists(st.binary(max_size=80) | st.just(b"\n"), max_size=12))
@settings(max_examples=60)
def test_no_bytes_raise_an_error(form: OutputFormat, pieces: list[bytes]) -> None:
    found = read(form, b"".join(pieces), 9)
    assert from_json(to_json(found.usage)) == found.usage


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just(10**350),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=4,
)
LINES = [
    (form, json.loads(line))
    for form, name in RECORDED.items()
    for line in (recorded(name).splitlines() if not FORMATS[form].document else [recorded(name)])
]


def with_another_value(data: st.DataObject, document: Any) -> Any:
    """Replace something in a document, wherever it is."""
    if not isinstance(document, dict | list) or not document or data.draw(st.integers(0, 3)) == 0:
        return data.draw(VALUES)
    changed: Any = document.copy()
    key = data.draw(st.sampled_from(list(document) if isinstance(document, dict) else range(len(document))))
    changed[key] = with_another_value(data, changed[key])
    return changed


@given(st.data())
@settings(max_examples=30)
def test_no_forged_line_raises_an_error(data: st.DataObject) -> None:
    form, document = data.draw(st.sampled_from(LINES))
    line = json.dumps(with_another_value(data, document)).encode()
    with contextlib.suppress(ValueError, RecursionError):
        list(FORMATS[form].adapter().read(line))
    found = read(form, line)
    assert all(number is None or 0 <= number <= MOST for number in found.usage)
    assert from_json(to_json(found.usage)) == found.usage
    assert len(found.summary) <= MAX_SUMMARY
    assert found.summary.isprintable()
    assert all(one["role"] and one["kind"] for one in events(found))


def test_the_most_is_still_a_text_that_is_read_again() -> None:
    assert to_json(Usage(micro_usd=MOST)) == {"costUSD": "1000000.00", "source": "agent"}
    assert from_json({"costUSD": "9999999.999999"}).micro_usd == MOST
    assert from_json({"costUSD": "1e9", "inputTokens": "5", "turns": -1}) == Usage()
    assert from_json([]) == Usage()


@pytest.mark.parametrize(
    ("form", "line"),
    [
        (
            OutputFormat.MINI_TRAJECTORY,
            b'{"messages": [{"role": []}, {"extra": {"raw_output": "", "returncode": []}}]}',
        ),
        (OutputFormat.CODEX_JSON, b'{"type": "item.completed", "item": {"type": "mcp_tool_call", "status": {}}}'),
    ],
)
def test_a_list_may_stand_where_a_word_belongs(form: OutputFormat, line: bytes) -> None:
    list(FORMATS[form].adapter().read(line))
