"""The publisher's process: started when it is needed, killed when a trial says so; and whoever asks it."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PROGRAM = ("-m", "faults.delivery.serving")
"""Arguments of the Python interpreter; the folder comes after them. It prints its port."""

PATIENCE_SECONDS = 180.0
ASK_SECONDS = 30.0
PAUSE_SECONDS = 0.05


class Publisher:
    """One process after another, of the same folder."""

    def __init__(self, folder: Path, program: tuple[str, ...] = PROGRAM) -> None:
        self._argv = [sys.executable, *program, str(folder)]
        self._log = folder / "publisher.log"
        self._process: subprocess.Popen[str] | None = None
        self._port, self._lock = 0, threading.Lock()
        self.starts = 0

    def kill(self) -> None:
        """End it at once, with all that it has started: as a container ends. Safe from several threads."""
        with self._lock:
            if self._process is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
                if self._process.stdout is not None:
                    self._process.stdout.close()
                self._process = None

    def _listening(self) -> int:
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                with self._log.open("a") as log:
                    self._process = subprocess.Popen(
                        self._argv, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True
                    )
                self.starts += 1
                line = self._process.stdout.readline() if self._process.stdout is not None else ""
                self._port = int(line) if line.strip() else 0
            return self._port

    def deliver(self, path: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Ask until there is a final answer, as the operator does. The last answer, whatever it is, when time is up."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        answer: dict[str, Any] = {}
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
                status, answer = self._ask(path, request)
                if status in (200, 422):
                    return answer
            time.sleep(PAUSE_SECONDS)
        return answer | {"state": "never"}

    def _ask(self, path: str, request: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        connection = http.client.HTTPConnection("127.0.0.1", self._listening(), timeout=ASK_SECONDS)
        with contextlib.closing(connection):
            headers = {"Authorization": "Bearer operator", "Content-Type": "application/json"}
            connection.request("PUT", path, json.dumps(request), headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
