"""Anchors come from outside: each bad one gets a reason and a sentence, none a traceback."""

import json
import time
from typing import Any

import pytest

from autopack.intention_anchor.v2 import AnchorError, parse_anchor


def anchor(**policy: object) -> dict[str, Any]:
    return {
        "format_version": "v2",
        "project_id": "demo",
        "created_at": "2026-01-06T00:00:00Z",
        "raw_input_digest": "0123456789abcdef",
        "pivot_intentions": {"parallelism_isolation": {"allowed": True, "isolation_model": "four_layer", **policy}},
    }


def text(**policy: object) -> str:
    return json.dumps(anchor(**policy))


@pytest.mark.parametrize("raw", [text(max_concurrent_runs=4), text(max_concurrent_runs=4).encode()])
def test_a_good_anchor_is_read(raw: str | bytes) -> None:
    policy = parse_anchor(raw).pivot_intentions.parallelism_isolation
    assert policy is not None
    assert (policy.allowed, policy.max_concurrent_runs) == (True, 4)


def test_a_read_anchor_survives_being_written_again() -> None:
    first = parse_anchor(text())
    assert parse_anchor(json.dumps(first.to_json_dict())) == first


BAD: list[tuple[str, bytes | str | None, str, str]] = [
    ("absent", None, "AnchorAbsent", "no intention anchor"),
    ("empty", b"", "AnchorAbsent", "empty"),
    ("blank", " \n", "AnchorAbsent", "empty"),
    ("truncated", text()[:-9], "AnchorMalformed", "line 1"),
    ("BOM", b"\xef\xbb\xbf" + text().encode(), "AnchorMalformed", "byte order mark"),
    ("UTF-16", text().encode("utf-16"), "AnchorMalformed", "byte order mark"),
    ("not UTF-8", b'{"format_version": "\xff"}', "AnchorMalformed", "byte 20"),
    ("lone surrogate", text().replace("demo", "\\ud800"), "AnchorMalformed", "hex escape"),
    ("unencodable text", "\ud800", "AnchorMalformed", "UTF-8"),
    (
        "duplicate keys",
        text().replace('"allowed": true', '"allowed": false, "allowed": true'),
        "AnchorMalformed",
        "'allow",
    ),
    ("NaN", text().replace("true", "NaN"), "AnchorMalformed", "NaN"),
    ("infinite", text().replace("true", "1e999"), "AnchorMalformed", "too large"),
    ("digits", text(max_concurrent_runs=1).replace(": 1}", ": 1" + "0" * 5000 + "}"), "AnchorMalformed", "digits"),
    ("deep", "[" * 10_000 + "]" * 10_000, "AnchorMalformed", "levels deep"),
    ("deep objects", '{"a":' * 10_000 + "1" + "}" * 10_000, "AnchorMalformed", "levels deep"),
    ("100 MB", b"[" * 100_000_000, "AnchorTooLarge", "256 KiB"),
    ("wide characters", "é" * 200_000, "AnchorTooLarge", "256 KiB"),
    ("a list", "[]", "AnchorMalformed", "not an object"),
    ("wrong version", text().replace('"v2"', '"v1"'), "AnchorWrongVersion", "v1"),
    ("no version", "{}", "AnchorWrongVersion", "absent"),
    ("string for bool", text(allowed="true"), "AnchorInvalid", "pivot_intentions.parallelism_isolation.allowed"),
    ("number for bool", text(allowed=1), "AnchorInvalid", "parallelism_isolation.allowed"),
    ("zero runs", text(max_concurrent_runs=0), "AnchorInvalid", "max_concurrent_runs"),
    ("string for number", text(max_concurrent_runs="4"), "AnchorInvalid", "max_concurrent_runs"),
    ("unknown field", text(allow=True), "AnchorInvalid", "parallelism_isolation.allow"),
    ("unknown model", text(isolation_model="best"), "AnchorInvalid", "isolation_model"),
    ("ANSI", text(**{"\x1b[31m\u202e<b>": 1}), "AnchorInvalid", "\\x1b[31m\\u202e<b>"),
    ("ANSI version", text().replace('"v2"', '"\\u001b[2J"'), "AnchorWrongVersion", "\\u001b"),
]


@pytest.mark.parametrize(("raw", "reason", "said"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_a_bad_anchor_is_refused_with_a_reason(raw: bytes | str | None, reason: str, said: str) -> None:
    with pytest.raises(AnchorError) as caught:
        parse_anchor(raw)
    assert caught.value.reason == reason
    assert said in caught.value.message
    assert caught.value.fix
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) <= 512


def test_a_long_field_name_does_not_make_a_long_message() -> None:
    with pytest.raises(AnchorError) as caught:
        parse_anchor(text(**{"\x1b" * 40_000: 1}))
    assert len(str(caught.value)) <= 512


@pytest.mark.parametrize(
    "raw", ['"' + '\\"' * 120_000, '{"a' + '":1,"b' * 40_000, "{" + ",".join(f'"{i}":0' for i in range(20_000)) + "}"]
)
def test_hostile_text_is_refused_quickly(raw: str) -> None:
    started = time.monotonic()
    with pytest.raises(AnchorError):
        parse_anchor(raw)
    assert time.monotonic() - started < 10
