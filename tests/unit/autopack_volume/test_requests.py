"""What callers send."""

from __future__ import annotations

import json

import pytest

from autopack.errors import AutopackError, InvalidInput
from autopack_volume.service.attempts.prompts import Prompt
from autopack_volume.service.attempts.requests import AttemptRequest, parse_attempt, parse_commit

UID = "0f8fad5b-d9cb-469f-a165-70867728950e"
GOOD = {"runId": "fix-it", "source": {"repository": "demo"}, "ref": "main", "branch": "autopack/fix-it"}


def parse(fields: dict[str, object] | None = None, attempt: str = "1", uid: str = UID) -> AttemptRequest:
    return parse_attempt(uid, attempt, json.dumps(GOOD | (fields or {})).encode(), ("https", "ssh"))


def test_a_good_request_is_taken() -> None:
    request = parse()
    assert (request.repository, request.url, request.key) == ("demo", None, "n-demo")


def test_what_is_kept_is_what_was_sent() -> None:
    assert parse().document() == GOOD


def test_urls_have_keys_of_their_own() -> None:
    assert parse({"source": {"url": "https://example.com/a"}}).key.startswith("u-")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"source": "demo"}, "source"),
        ({"source": {"url": "https://example.com/a", "repository": "demo"}}, "source"),
        ({"source": {"path": "/"}}, "source"),
        ({"source": {"url": 7}}, "url"),
        ({"source": {"url": "file:///etc"}}, "source.url"),
        ({"source": {"repository": "Demo"}}, "repository"),
        ({"ref": None}, "ref"),
        ({"ref": "a..b"}, "ref"),
        ({"branch": "HEAD"}, "branch"),
        ({"runId": "a/../b"}, "run_id"),
        ({"other": 1}, "body"),
        ({"prompt": 7}, "prompt"),
        ({"prompt": "x", "promptFile": "y"}, "prompt"),
        ({"promptFile": "../x"}, "promptFile"),
        ({"promptFile": "/etc/passwd"}, "promptFile"),
        ({"promptFile": "a//b"}, "promptFile"),
        ({"promptFile": "a\nb"}, "promptFile"),
    ],
)
def test_a_wrong_field_is_named(fields: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        parse(fields)
    assert raised.value.field == field


@pytest.mark.parametrize(
    ("prompt", "reason"),
    [(" \n", "PromptInvalid"), ("a\0b", "PromptInvalid"), ("\u00e9" * (128 << 10) + "x", "PromptTooLong")],
)
def test_a_prompt_that_is_none_is_refused_with_the_reason(prompt: str, reason: str) -> None:
    with pytest.raises(AutopackError) as raised:
        parse({"prompt": prompt})
    assert raised.value.reason == reason


def test_a_prompt_is_kept_to_the_byte_and_is_no_part_of_what_is_pinned() -> None:
    request = parse({"prompt": " \u00e9\n\n"})
    assert request.prompt == Prompt(text=b" \xc3\xa9\n\n")
    assert (request, request.document()) == (parse(), GOOD)


@pytest.mark.parametrize("attempt", ["0", "-1", "01", "x", "1e3", "9" * 10, ""])
def test_attempts_are_whole_numbers_from_1(attempt: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        parse(attempt=attempt)
    assert raised.value.field == "attempt"


@pytest.mark.parametrize("uid", ["..", "a/b", "", "x" * 65, "über-uber-uber"])
def test_uids_cannot_lead_elsewhere(uid: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        parse(uid=uid)
    assert raised.value.field == "uid"


@pytest.mark.parametrize("raw", [b"", b"[]", b"nul", b"[" * 100_000, b"\xff"])
def test_what_is_no_object_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidInput) as raised:
        parse_attempt(UID, "1", raw, ("https",))
    assert raised.value.field == "body"


def test_a_workspace_is_kept_unless_told_otherwise() -> None:
    assert parse_commit(UID, "1", b'{"runId": "fix-it"}').remove_workspace is False


def test_remove_workspace_is_a_boolean() -> None:
    with pytest.raises(InvalidInput) as raised:
        parse_commit(UID, "1", b'{"runId": "fix-it", "removeWorkspace": "false"}')
    assert raised.value.field == "removeWorkspace"
