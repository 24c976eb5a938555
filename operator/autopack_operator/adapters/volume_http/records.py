"""What the volume's records tell of the attempts of a run."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import aiohttp

TIMEOUT_SECONDS = 30


class RecordsUnavailableError(Exception):
    """The volume service did not answer, or not what it should."""


async def attempts_of(session: aiohttp.ClientSession, url: str, token_file: Path, uid: str) -> list[dict[str, Any]]:
    """Return the attempts of a run, oldest first; none where the volume knows nothing of it."""
    try:
        token = await asyncio.to_thread(token_file.read_text)
        headers = {"Authorization": f"Bearer {token.strip()}"}
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
        async with session.get(f"{url.rstrip('/')}/v1/attempts/{uid}", headers=headers, timeout=timeout) as response:
            if response.status == 404:
                return []
            document = await response.json(content_type=None)
            if response.status == 200 and isinstance(document, dict):
                return [each for each in document.get("attempts") or () if isinstance(each, dict)]
            raise RecordsUnavailableError(f"the volume service answered {response.status}")
    except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
        raise RecordsUnavailableError(f"the volume service did not answer: {type(error).__name__}") from error
