"""The repositories of a played host, over smart HTTP: git's own http-backend, once for each request."""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

from .front import Answer, Request


class GitBackend:
    """Serves the bare repositories in a folder to whoever shows the token as a password."""

    def __init__(self, folder: Path, token: Callable[[], str]) -> None:
        self._folder, self._token = folder, token

    def __call__(self, request: Request) -> Answer:
        if not self._allowed(request.headers.get("authorization", "")):
            return Answer(401, b"", {"WWW-Authenticate": 'Basic realm="git"', "Content-Type": "text/plain"})
        done = subprocess.run(
            ["git", "http-backend"],
            input=request.body,
            env=self._environment(request),
            capture_output=True,
            check=False,
        )
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().splitlines() if ": " in line)
        return Answer(int(headers.pop("Status", "200").split()[0]), body, headers)

    def _allowed(self, authorization: str) -> bool:
        kind, _, value = authorization.partition(" ")
        if kind == "Basic":
            return base64.b64decode(value).decode().partition(":")[2] == self._token()
        return kind == "Bearer" and value == self._token()

    def _environment(self, request: Request) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self._folder),
            "GIT_PROJECT_ROOT": str(self._folder),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": "*",
            "PATH_INFO": request.path,
            "QUERY_STRING": urlencode(request.query),
            "REQUEST_METHOD": request.method,
            "REMOTE_USER": "bot",
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_TYPE": request.headers.get("content-type", ""),
            "CONTENT_LENGTH": str(len(request.body)),
            "HTTP_CONTENT_ENCODING": request.headers.get("content-encoding", ""),
            "GIT_PROTOCOL": request.headers.get("git-protocol", ""),
        }
