"""The results of a batch on disk: a line of JSON for each run as it ends, and a summary that is always whole."""

from __future__ import annotations

import json
import os
import secrets
from datetime import UTC, datetime
from pathlib import Path

from autopack.errors import InvalidInput, printable
from autopack.failpoints import hit
from autopack.files import write_json_atomic
from autopack.registry.events import now

from .models import RunResult

BATCHES = ".batches"


def new_batch_id() -> str:
    """Return a name for a batch that sorts by time and that no other batch has."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"


class Journal:
    """Writes `results.jsonl` and `summary.json`. One thread calls it.

    `results_file` (default: `.batches/<batch id>/results.jsonl` in the folder of runs) is appended to; the summary lies
    beside it. Raises InvalidInput when the file cannot be written.
    """

    def __init__(self, runs_dir: Path, batch_id: str, total: int, results_file: Path | None = None) -> None:
        if results_file is None:
            self.results_file = runs_dir / BATCHES / batch_id / "results.jsonl"
            self.summary_file = self.results_file.with_name("summary.json")
        else:
            self.results_file = results_file
            self.summary_file = results_file.with_name(f"{results_file.stem}.summary.json")
        self._summary: dict[str, object] = {
            "batch_id": batch_id,
            "results_file": str(self.results_file),
            "started_at": now(),
            "finished_at": None,
            "interrupted": False,
            "total": total,
        }
        self._counts = {"succeeded": 0, "failed": 0, "skipped": 0, "not_started": 0}
        self._failed: list[str] = []
        try:
            self.results_file.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.results_file.open("ab")
            self._write_summary()
        except OSError as error:
            message = f"{printable(str(self.results_file), 200)} cannot be written: {error.strerror}"
            raise InvalidInput("results_file", message, "Choose another place") from error

    def add(self, *results: RunResult) -> None:
        """Write down how runs ended; when this returns it survives a crash."""
        self._file.writelines(_line(result) for result in results)
        self._file.flush()
        hit("batch.after_results")
        os.fsync(self._file.fileno())
        for result in results:
            self._counts[_outcome(result)] += 1
        self._failed += [result.run_id for result in results if _outcome(result) == "failed"]
        self._write_summary()

    def finish(self, *, interrupted: bool) -> None:
        """Write the last summary."""
        self._summary |= {"finished_at": now(), "interrupted": interrupted, "failed_run_ids": self._failed}
        self._write_summary()
        hit("batch.after_summary")

    def close(self) -> None:
        """Close the file of results."""
        self._file.close()

    def _write_summary(self) -> None:
        write_json_atomic(self.summary_file, self._summary | self._counts)


def _outcome(result: RunResult) -> str:
    if not result.started:
        return "not_started"
    return "skipped" if result.skipped else "succeeded" if result.success else "failed"


def _line(result: RunResult) -> bytes:
    document = {name: value for name, value in result.items() if name not in {"stdout", "stderr"}}
    document["workspace"] = None if result.workspace is None else str(result.workspace)
    return json.dumps({**document, "at": now()}).encode("ascii") + b"\n"
