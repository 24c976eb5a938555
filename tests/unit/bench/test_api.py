"""What the benchmark itself asks of the API server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from bench import api
from bench.api import CORE, Api

from autopack_operator.adapters.kube.connection import Connection
from autopack_operator.ports.cluster import GoneError


class Answers(Connection):
    """Answers in turn; notes what was asked."""

    def __init__(self, *answers: dict[str, Any] | Exception) -> None:
        self.answers, self.asked = list(answers), list[tuple[str, dict[str, str] | None]]()

    async def request(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        query: dict[str, str] | Callable[[], dict[str, str]] | None = None,
        seconds: float = 30.0,
    ) -> dict[str, Any]:
        """The next answer."""
        self.asked.append((method, query() if callable(query) else query))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def listed(*items: dict[str, Any]) -> dict[str, Any]:
    return {"items": [{"metadata": item} for item in items]}


async def test_a_glance_is_answered_by_the_watch_cache() -> None:
    connection = Answers(listed())
    await Api(connection, "n").glance(CORE, "pods", fieldSelector="status.phase=Failed")
    assert connection.asked == [("GET", {"resourceVersion": "0", "fieldSelector": "status.phase=Failed"})]


async def test_what_the_cache_does_not_have_yet_is_empty() -> None:
    assert await Api(Answers(GoneError("not found")), "n").glance(CORE, "pods", "one") == {}


async def test_clearing_asks_the_store_and_deletes_only_what_is_not_on_its_way_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(api, "LOOK_SECONDS", 0.0)
    going = listed({"deletionTimestamp": "2026-01-06T00:00:00Z"})
    connection = Answers(listed({}), {}, going, listed({}), {}, listed())
    await Api(connection, "n").clear(CORE, "pods")
    assert [method for method, _ in connection.asked] == ["GET", "DELETE", "GET", "GET", "DELETE", "GET"]
    assert all("resourceVersion" not in (query or {}) for _, query in connection.asked)
