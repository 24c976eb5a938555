"""Reads what the run's agent prints while it works, and tells at the end what it used and how it put it."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from autopack.files import write_atomic
from autopack.scan import open_below

from .formats import Format
from .reading import MAX_DOCUMENT, TRANSCRIPT, Reading
from .usage import to_json

_CHUNK = 1 << 20
_MOST_AT_ONCE = 16 << 20
"""Bytes. An agent that prints more between two looks loses what lies before them: the keeper has work to save."""


class Listener:
    """Follows the output of one agent, below the artifacts of its run.

    It raises no error: there is work to be saved, whatever is said.
    """

    def __init__(self, artifacts: Path, form: Format) -> None:
        self._artifacts, self._form = artifacts, form
        self._reading = Reading(form)
        self._offset = 0
        self._told: dict[str, object] = {}
        self.problem = ""
        """What could not be read or written, and why; for the log."""

    def listen(self) -> None:
        """Read on, where the output is a stream."""
        if not self._form.document:
            with contextlib.suppress(OSError):
                self._follow()

    def conclude(self) -> dict[str, object]:
        """Read to the end, and leave the transcript among the artifacts; once, however often it is asked for.

        Returns `usage` (an object, or None) and `summary` (text, or None), which nobody has checked.
        """
        if not self._told:
            if self._form.document:
                self._take()
            self.listen()
            self._reading.end()
            self._leave(self._reading.transcript())
            usage = self._reading.usage
            self._told = {"usage": to_json(usage) if usage.known else None, "summary": self._reading.summary or None}
        return self._told

    def _follow(self) -> None:
        with os.fdopen(open_below(self._artifacts, self._form.path), "rb", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            if size - self._offset > _MOST_AT_ONCE:
                self._offset = size - _MOST_AT_ONCE
                self._reading.gap()
            file.seek(self._offset)
            while self._offset < size and (piece := file.read(min(_CHUNK, size - self._offset))):
                self._reading.feed(piece)
                self._offset += len(piece)

    def _take(self) -> None:
        path = "/".join(self._form.path)
        try:
            with os.fdopen(open_below(self._artifacts, self._form.path), "rb") as file:
                raw = file.read(MAX_DOCUMENT + 1)
        except OSError as error:
            self.problem = f"{path} cannot be read: {error.strerror}"
            return
        if len(raw) > MAX_DOCUMENT:
            self.problem = f"{path} has more than {MAX_DOCUMENT} bytes"
            return
        self._reading.document(raw)

    def _leave(self, transcript: bytes) -> None:
        place = self._artifacts / TRANSCRIPT
        # The run may have an artifact of that name.
        if not transcript or os.path.lexists(place):
            return
        try:
            write_atomic(place, transcript)
        except OSError as error:
            self.problem = f"{TRANSCRIPT} cannot be written: {error.strerror}"
