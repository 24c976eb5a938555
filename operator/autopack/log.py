"""Structured log lines on standard output: one JSON object each, without credentials.

Not the logging module: the containers that start with every run pay for each import.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Literal

from autopack.errors import printable
from autopack.redaction import redact_url

Level = Literal["info", "warning", "error"]


def log(level: Level, message: str, **fields: object) -> None:
    """Write one line. Text values lose credentials and control characters; a closed standard output is no error."""
    now = time.time()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now * 1000) % 1000:03d}Z"
    line = {"time": stamp, "level": level, "message": message} | {name: _safe(value) for name, value in fields.items()}
    try:
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
    except OSError:
        return


def _safe(value: object) -> object:
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return printable(redact_url(str(value)), 1024)
