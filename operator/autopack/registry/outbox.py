"""What the registry is to be told, on disk first: one file of JSON lines a run, and how far it has been sent where.

A run's file has one writer at a time, whoever holds the run's lock. Sending needs no lock: it is idempotent, and what
is noted as sent never runs ahead of what the database has.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from autopack.files import sync_directory, write_atomic
from autopack.run_ids import path_component

from .events import RunEvent, RunRecord, decode, encode

_FOLDER = ".registry"
_EVENTS = ".jsonl"
_SENT = "sent"
_TAIL = 64 * 1024


@dataclass(frozen=True)
class Waiting:
    """The events of one run that have not been sent; `name` is its file's, `end` what to note when they have been."""

    name: str
    events: tuple[RunEvent, ...]
    end: int


class Outbox:
    """The events of all runs under one folder of runs.

    `destination` is a file name for the database they are sent to: each has its own notes of what it has.
    """

    def __init__(self, runs_dir: Path, destination: str) -> None:
        self.folder = Path(runs_dir) / _FOLDER
        self._notes = self.folder / _SENT / destination
        self._scope: str | None = None

    @property
    def scope(self) -> str:
        """The name of this folder of runs in the registry; made once, the same for every process and machine."""
        if self._scope is None:
            path = self.folder / "scope"
            with contextlib.suppress(FileNotFoundError):
                self._scope = path.read_text("ascii").strip()
            if not self._scope:
                self.folder.mkdir(parents=True, exist_ok=True)
                proposal = self.folder / f".scope-{secrets.token_hex(6)}"
                write_atomic(proposal, secrets.token_hex(16).encode())
                # Whoever links first has named the folder for all.
                with contextlib.suppress(FileExistsError):
                    os.link(proposal, path)
                proposal.unlink()
                self._scope = path.read_text("ascii").strip()
        return self._scope

    def append(self, facts: RunRecord) -> RunEvent:
        """Add facts to the end of the run's file; when this returns they survive a power loss."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{path_component(facts.run_id)}{_EVENTS}"
        is_new = not path.exists()
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            start = _cut_torn_line(descriptor)
            _write_all(descriptor, encode(facts), start)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if is_new:
            sync_directory(self.folder)
        return RunEvent(self.scope, start, facts)

    def last(self, run_id: str) -> RunRecord | None:
        """Return what was added last about a run."""
        waiting = self._read(path_component(run_id), 0)
        return waiting.events[-1].facts if waiting.events else None

    def names(self) -> list[str]:
        """Return the names of all runs' files."""
        return sorted(path.name.removesuffix(_EVENTS) for path in self.folder.glob(f"*{_EVENTS}"))

    def waiting(self, name: str) -> Waiting | None:
        """Return what has not been sent of one run, None if nothing waits."""
        return self.since(name, self._sent(name))

    def since(self, name: str, start: int) -> Waiting | None:
        """Return what one run's file has from `start` on (0, or the `end` of what was returned); None if nothing."""
        try:
            if (self.folder / f"{name}{_EVENTS}").stat().st_size <= start:
                return None
        except FileNotFoundError:
            return None
        found = self._read(name, start)
        return found if found.events else None

    def exists(self) -> bool:
        """Tell whether anything was ever added."""
        return (self.folder / "scope").is_file()

    def note_sent(self, name: str, end: int) -> None:
        """Note that the database has everything before `end`. Losing the note costs only sending again."""
        self._notes.mkdir(parents=True, exist_ok=True)
        temporary = self._notes / f".{secrets.token_hex(6)}"
        temporary.write_text(str(end), "ascii")
        temporary.replace(self._notes / name)

    def forget_sent(self) -> None:
        """Have everything sent again, to a database that has lost it or never had it."""
        for path in self._notes.glob("*"):
            path.unlink(missing_ok=True)

    def _sent(self, name: str) -> int:
        try:
            return int((self._notes / name).read_text("ascii"))
        except (OSError, ValueError):
            return 0

    def _read(self, name: str, start: int) -> Waiting:
        events: list[RunEvent] = []
        end = start
        with contextlib.suppress(FileNotFoundError), (self.folder / f"{name}{_EVENTS}").open("rb") as file:
            file.seek(start)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                facts = decode(line)
                if facts is not None:
                    events.append(RunEvent(self.scope, end, facts))
                end += len(line)
        return Waiting(name, tuple(events), end)


def _cut_torn_line(descriptor: int) -> int:
    """Cut off a last line that a crash left without its end, and return where the next one begins."""
    size = os.fstat(descriptor).st_size
    tail = os.pread(descriptor, _TAIL, max(0, size - _TAIL))
    if not tail or tail.endswith(b"\n"):
        return size
    kept = size - len(tail) + tail.rfind(b"\n") + 1
    os.ftruncate(descriptor, kept)
    return kept


def _write_all(descriptor: int, data: bytes, offset: int) -> None:
    while data:
        written = os.pwrite(descriptor, data, offset)
        data, offset = data[written:], offset + written
