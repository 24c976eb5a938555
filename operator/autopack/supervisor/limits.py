"""What a batch will need and what the machine has, said before the work starts. Decisions pure, `probe` looks."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from autopack.git.runner import GitError, run_git
from autopack.measures import size

from .quotas import usable_cores

GIB = 1024**3
_MEMORY_PER_WORKER = (GIB // 2, GIB)
_SQLITE_WORKERS = 4
_ESTIMATE_SECONDS = 30.0


@dataclass(frozen=True)
class Machine:
    """What there is: usable cores, bytes of memory and of disk; None where it cannot be found out."""

    cores: int
    memory: int | None
    disk: int | None


@dataclass(frozen=True)
class Demand:
    """What is asked for; `tree_bytes` is the size of one worktree (None: unknown), `runs` how many are executed."""

    workers: int
    runs: int
    tree_bytes: int | None
    per_run_sqlite: bool


def describe_limits(machine: Machine, demand: Demand) -> list[str]:
    """Return lines for people; those that say what may go wrong begin with `warning:`."""
    each = " to ".join(map(size, _MEMORY_PER_WORKER))
    low, high = (demand.workers * least for least in _MEMORY_PER_WORKER)
    available = "unknown" if machine.memory is None else f"{size(machine.memory)} available"
    free = "unknown" if machine.disk is None else f"{size(machine.disk)} free"
    lines = [
        f"workers: {demand.workers} on {machine.cores} cores",
        f"memory: {size(low)} to {size(high)} expected ({each} per worker), {available}",
        f"disk: {_trees(demand)}, one object database; {free}",
    ]
    if demand.workers > machine.cores:
        lines.append(f"warning: more workers than cores; runs will wait for each other (--workers {machine.cores})")
    if machine.memory is not None and low > machine.memory:
        lines.append("warning: there may not be enough memory; use fewer --workers")
    if machine.disk is not None and _at_once(demand) > machine.disk:
        lines.append("warning: there may not be enough disk space for that many worktrees; use fewer --workers")
    if demand.per_run_sqlite and demand.workers > _SQLITE_WORKERS:
        lines.append(
            f"warning: per-run SQLite is meant for 2-{_SQLITE_WORKERS} workers at most; use Postgres beyond that"
        )
    return lines


def _trees(demand: Demand) -> str:
    if demand.tree_bytes is None:
        return "the size of a worktree is unknown"
    return f"{size(demand.tree_bytes)} a worktree, {size(_at_once(demand))} at once"


def _at_once(demand: Demand) -> int:
    return (demand.tree_bytes or 0) * min(demand.workers, demand.runs)


def tree_bytes(repo: Path, sha: str) -> int | None:
    """Return the sum of the sizes of all files of a commit; None if the repository cannot tell, as a partial clone."""
    try:
        # Without a protocol: git would fetch every file that a partial clone lacks, to measure it.
        tree = ["ls-tree", "-r", "-l", "-z", "--full-tree", sha]
        listed = run_git(tree, cwd=repo, protocols=(), timeout=_ESTIMATE_SECONDS).stdout
    except GitError:
        return None
    sizes = (row.split(b"\t", 1)[0].rsplit(b" ", 1)[-1] for row in listed.split(b"\0") if row)
    return sum(int(size) for size in sizes if size.isdigit())


def probe(runs_dir: Path) -> Machine:
    """Look at this machine, and at the disk that the folder of runs (or its nearest existing parent) is on."""
    folder = next((path for path in (runs_dir, *runs_dir.parents) if path.exists()), Path("/"))
    return Machine(cores=len(usable_cores()), memory=_available_memory(), disk=shutil.disk_usage(folder).free)


def _available_memory() -> int | None:
    """Return what /proc/meminfo calls available, or less if the control group allows less."""
    rows = [line.split() for line in _read("/proc/meminfo").splitlines()]
    sizes = [int(row[1]) * 1024 for row in rows if row[:1] == ["MemAvailable:"]]
    limit, used = (_read(f"/sys/fs/cgroup/memory.{name}").strip() for name in ("max", "current"))
    if limit.isdecimal() and used.isdecimal():
        sizes.append(max(0, int(limit) - int(used)))
    return min(sizes, default=None)


def _read(path: str) -> str:
    try:
        return Path(path).read_text("ascii")
    except OSError:
        return ""
