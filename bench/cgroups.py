"""CPU time and memory of a container, from its cgroup; version 1 and version 2."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
MIB = 1024 * 1024


@dataclass(frozen=True)
class Group:
    """Where the kernel counts for one container."""

    cpu: Path
    memory: Path

    def cpu_seconds(self) -> float:
        """User and system time so far, of processes that have ended as well."""
        nanoseconds = self.cpu / "cpuacct.usage"
        if nanoseconds.exists():
            return int(nanoseconds.read_text()) / 1e9
        return _numbers(self.cpu / "cpu.stat")["usage_usec"] / 1e6

    def memory_mib(self) -> float:
        """The working set as Kubernetes counts it: what is charged, without page cache that nobody uses."""
        charged = self.memory / "memory.usage_in_bytes"
        old = charged.exists()
        in_use = int((charged if old else self.memory / "memory.current").read_text())
        idle = _numbers(self.memory / "memory.stat")["total_inactive_file" if old else "inactive_file"]
        return (in_use - idle) / MIB


def of_process(pid: int, proc: Path = Path("/proc"), root: Path = ROOT) -> Group:
    """The group that a process is in. Raises LookupError where the kernel counts nothing for it."""
    places = {}
    for line in (proc / str(pid) / "cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            places[controller] = path.lstrip("/")
    if "memory" in places and "cpuacct" in places:
        return _existing(root / "cpuacct" / places["cpuacct"], root / "memory" / places["memory"])
    return _existing(root / places.get("", ""), root / places.get("", ""))


def _existing(cpu: Path, memory: Path) -> Group:
    for path in (cpu, memory):
        if not path.is_dir():
            raise LookupError(f"there is no cgroup {path}")
    return Group(cpu, memory)


def _numbers(path: Path) -> dict[str, int]:
    return {name: int(value) for name, value in (line.split() for line in path.read_text().splitlines())}
