"""What a page shows of a transcript, whoever wrote it."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from autopack_dashboard.transcripts import MOST_SHOWN, parse


def test_there_is_a_bound() -> None:
    line = json.dumps({"role": "assistant", "kind": "message", "text": "x"}).encode() + b"\n"
    assert [parse(line * MOST_SHOWN)[1], parse(line * (MOST_SHOWN + 1))[1]] == [False, True]
    assert len(parse(line * (MOST_SHOWN + 1))[0]) == MOST_SHOWN


def test_a_tool_is_folded_under_its_first_line() -> None:
    [entry], _ = parse(json.dumps({"kind": "tool_call", "tool": "bash", "text": "\n ls\nmore"}).encode())
    assert (entry.folded, entry.title) == (True, "bash: ls")


FIELDS = st.sampled_from(["role", "kind", "text", "tool", "at", "failed", "inputTokens"])
VALUES = st.none() | st.integers() | st.lists(st.integers(), max_size=2) | st.text(max_size=9)
LINES = st.dictionaries(FIELDS, VALUES).map(lambda said: json.dumps(said).encode())


@given(st.binary(max_size=60) | LINES)
def test_no_file_raises_an_error(data: bytes) -> None:
    for entry in parse(data)[0]:
        assert entry.title
