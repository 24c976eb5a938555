"""Lives of worktrees, as many as asked for on standard input, one state a line; answers CPU seconds to make and remove.

Run as a file by `bench.ends`, with the code of whichever checkout is on the path: it may need nothing else from here.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

from autopack.workspace_manager import WorkspaceManager


def live(repo: Path, folder: Path, name: str, state: str) -> tuple[float, float]:
    """Make a worktree, leave it `clean`, `dirty` or with a `commit`, and remove it."""
    manager = WorkspaceManager(name, repo, folder / "workspaces", lease_dir=folder / "leases")
    begun = _cpu()
    tree = manager.create_worktree(f"autopack/{name}", start_point="main")
    made = _cpu() - begun
    if state != "clean":
        for number in range(4):
            (tree / f"new{number}").mkdir()
            (tree / f"new{number}/file").write_text(f"{name} {number}\n" * 20)
    if state == "commit":
        subprocess.run(["git", "add", "-A"], cwd=tree, check=True)
        author = ["-c", "user.name=bench", "-c", "user.email=bench@invalid"]
        subprocess.run(["git", *author, "commit", "-q", "-m", name], cwd=tree, check=True)
    begun = _cpu()
    if not manager.remove_worktree(force=True):
        raise SystemExit(manager.problem)
    return made, _cpu() - begun


def _cpu() -> float:
    """Return the CPU seconds of this process and of all it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def main() -> None:
    """Answer until nothing more is asked."""
    repo, folder = map(Path, sys.argv[1:])
    for number, state in enumerate(sys.stdin):
        print(*live(repo, folder, f"r{number}", state.strip()), flush=True)


if __name__ == "__main__":
    main()
