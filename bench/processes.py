"""CPU time and memory of processes on this machine, from /proc."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Process:
    """One process, by its pid on this machine."""

    pid: int

    def cpu_seconds(self) -> float:
        """User and system time so far."""
        fields = self._read("stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def resident_mib(self) -> float:
        """Resident memory now."""
        return self._status("VmRSS")

    def peak_mib(self) -> float:
        """The most resident memory since its start."""
        return self._status("VmHWM")

    def _status(self, field: str) -> float:
        for line in self._read("status").splitlines():
            name, _, value = line.partition(":")
            if name == field:
                return int(value.split()[0]) / 1024
        raise SystemExit(f"process {self.pid} has ended")

    def _read(self, name: str) -> str:
        try:
            return (PROC / str(self.pid) / name).read_text()
        except FileNotFoundError:
            raise SystemExit(f"process {self.pid} has ended while it was measured: was it restarted?") from None


def find(command: str, environment: str) -> Process | None:
    """The youngest process whose command line holds the one and whose environment has the other, containers' too."""
    found = []
    for folder in PROC.iterdir():
        if folder.name.isdigit():
            try:
                words = (folder / "cmdline").read_bytes().split(b"\0")
                variables = (folder / "environ").read_bytes().split(b"\0")
            except OSError:
                continue  # ended meanwhile
            if any(word.endswith(command.encode()) for word in words) and environment.encode() in variables:
                found.append(int(folder.name))
    return Process(max(found)) if found else None
