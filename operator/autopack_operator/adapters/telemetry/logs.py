"""JSON logs, one line a record, without credentials."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

from autopack.redaction import redact_url

_EXTRA = ("run", "runUID", "attempt")


class JsonFormatter(logging.Formatter):
    """time, level, logger, message, and the run's identity when the record has it."""

    def format(self, record: logging.LogRecord) -> str:
        """Render one record."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": redact_url(record.getMessage()),
        }
        line |= {name: getattr(record, name) for name in _EXTRA if hasattr(record, name)}
        if record.exc_info:
            line["exception"] = redact_url(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)


def set_up(level: str) -> None:
    """Log to stdout. kopf's own records below WARNING tell of every event and are left out."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.getLogger("kopf").setLevel(logging.WARNING)
