"""Asking for pages, and reading them."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient

from autopack_dashboard.access.gate import DeniedError


class Door:
    """Implements Gate: knows one token, and can be out of order."""

    def __init__(self) -> None:
        self.out_of_order = False
        self.asked = 0

    async def admit(self, token: str) -> str:
        self.asked += 1
        if self.out_of_order:
            raise DeniedError(503, "the API server does not answer")
        if token == "stranger":
            raise DeniedError(403, "stranger may not read AutopackRuns in namespace lab")
        if token != "friend":
            raise DeniedError(401, "the token is not valid")
        return "friend"


class Elements(HTMLParser):
    """The elements of a page, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def links(self) -> list[str]:
        return [attrs["href"] or "" for tag, attrs in self.tags if tag == "a" and "href" in attrs]


class Pages:
    """A client that follows no redirects."""

    def __init__(self, client: TestClient[Any, Any]) -> None:
        self.client = client

    async def get(self, path: str, **headers: str) -> ClientResponse:
        return await self.client.get(path, headers=headers, allow_redirects=False)

    async def read(self, path: str) -> Elements:
        response = await self.get(path)
        assert response.status == 200, await response.text()
        return Elements(await response.text())
