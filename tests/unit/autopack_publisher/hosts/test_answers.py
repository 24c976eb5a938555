from __future__ import annotations

import pytest

from autopack_publisher.service.hosts.answers import Reply, failure_of, said_in, wait_of

CLOCK = {"Date": "Tue, 01 Jan 2030 00:00:00 GMT"}
NOW = 1_893_456_000


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"message": "Not Found", "documentation_url": "https://docs"}, "Not Found"),
        (
            {"message": "Validation Failed", "errors": [{"field": "head", "code": "invalid"}]},
            "Validation Failed; head invalid",
        ),
        (
            {"message": "Validation Failed", "errors": [{"message": "A pull request exists"}, "two"]},
            "Validation Failed; A pull request exists; two",
        ),
        ({"message": ["Another one exists: !1"]}, "Another one exists: !1"),
        ({"message": {"base": ["is wrong", "is old"]}}, "base is wrong, is old"),
        ({"error": "invalid_token", "error_description": "expired"}, "invalid_token; expired"),
        ({"message": "\x1b[31mred"}, "\\x1b[31mred"),
        (["no object"], ""),
        (None, ""),
    ],
)
def test_a_host_says_it_in_its_own_shape(document: object, said: str) -> None:
    assert said_in(document) == said


@pytest.mark.parametrize(
    ("status", "headers", "wait"),
    [
        (429, {}, 60),
        (429, {"Retry-After": "7"}, 7),
        (429, {"Retry-After": "0"}, 60),
        (429, {"Retry-After": "999999"}, 3600),
        (429, {"RateLimit-Reset": str(NOW + 30), **CLOCK}, 30),
        (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(NOW + 30), **CLOCK}, 30),
        (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(NOW - 30), **CLOCK}, 60),
        (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(NOW + 30)}, 60),
        (403, {"X-RateLimit-Remaining": "12"}, None),
        (503, {"retry-after": "5"}, 5),
        (503, {}, None),
        (422, {"Retry-After": "5"}, None),
    ],
)
def test_a_host_says_how_long_to_wait(status: int, headers: dict[str, str], wait: float | None) -> None:
    assert wait_of(Reply(status, headers, {}), "") == wait


@pytest.mark.parametrize(
    ("status", "reason", "transient"),
    [
        (401, "CredentialRefused", True),
        (403, "CredentialForbidden", False),
        (404, "RepositoryNotFound", False),
        (422, "HostRefused", False),
        (500, "HostError", True),
        (302, "HostRefused", False),
    ],
)
def test_a_refusal_is_for_good_or_for_now(status: int, reason: str, transient: bool) -> None:
    failure = failure_of(Reply(status, {}, {"message": "because"}), "host.example", "write", "secret")
    assert (failure.reason, failure.transient) == (reason, transient)
    assert "host.example" in failure.message
    assert failure.message.endswith(": because")
