"""What a worktree costs: against git alone, against bare file writing, and in disk space.

`python -m bench.worktrees` makes a repository of 8,000 files (about 90 MB), then times three ways to a tree, side by
side in one run: `git worktree add --no-track`, `WorkspaceManager.create_worktree`, and `git checkout-index -a --prefix`
(the floor: it only unpacks files). Prints a table and, last, one JSON line. The disk part makes N worktrees and adds up
what they take beside the one object database.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from autopack.git.runner import run_git
from autopack.workspace_manager import WorkspaceManager

MIB = 1024 * 1024
BAR_GIT, BAR_FLOOR = 1.3, 1.5


def make_repository(path: Path, files: int, size: int) -> Path:
    """Make a repository with `files` files of about `size` bytes each, packed, as after a clone."""
    # Words of a small vocabulary: compressible like source code, unlike random bytes.
    dice = random.Random(7)  # noqa: S311 - the same tree every time
    words = ["".join(dice.choices("abcdefghijklmnopqrstuvwxyz_", k=dice.randint(3, 11))) for _ in range(4000)]
    path.mkdir()
    git(path, "init", "--quiet", "--initial-branch=main")
    for number in range(files):
        folder = path / f"package{number % 97}" / f"part{number % 13}"
        folder.mkdir(parents=True, exist_ok=True)
        text = " ".join(dice.choices(words, k=size // 8))
        (folder / f"module{number}.py").write_text(text.replace(" a", "\n"), "utf-8")
    git(path, "add", "--all")
    git(path, "-c", "user.name=bench", "-c", "user.email=bench@invalid", "commit", "--quiet", "--message=tree")
    git(path, "repack", "-a", "-d", "--quiet")
    return path


def git(repo: Path, *args: str) -> str:
    """Run git in a repository and return what it says."""
    return run_git(args, cwd=repo).text


def timed(action: Callable[[], object]) -> float:
    """Return how many seconds an action takes, with nothing left to write from before."""
    os.sync()
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def compare(repo: Path, scratch: Path, rounds: int) -> dict[str, list[float]]:
    """Time the three ways, one after the other in changing order; seconds of each round."""
    times: dict[str, list[float]] = {"git": [], "autopack": [], "floor": []}
    for number in range(rounds + 1):
        ways: dict[str, Callable[[], float]] = {
            "git": lambda: _plain(repo, scratch / "plain"),
            "autopack": lambda: _managed(repo, scratch / "workspaces"),
            "floor": lambda: _floor(repo, scratch / "floor"),
        }
        names = list(ways)
        for name in names[number % 3 :] + names[: number % 3]:
            seconds = ways[name]()
            # The first round warms the caches for all three.
            if number:
                times[name].append(seconds)
    return times


def _plain(repo: Path, tree: Path) -> float:
    # As a person would call it: no options of ours.
    command = ["git", "worktree", "add", "--quiet", "--no-track", "-b", "plain", str(tree), "main"]
    seconds = timed(lambda: subprocess.run(command, cwd=repo, check=True, capture_output=True))
    git(repo, "worktree", "remove", "--force", str(tree))
    git(repo, "branch", "--quiet", "-D", "plain")
    return seconds


def _managed(repo: Path, base: Path) -> float:
    manager = WorkspaceManager("bench", repo, base, lease_dir=base.parent / "leases")
    seconds = timed(lambda: manager.create_worktree("autopack/bench", start_point="main"))
    if not manager.remove_worktree(force=True):
        raise SystemExit(manager.problem)
    return seconds


def _floor(repo: Path, tree: Path) -> float:
    command = ["git", "checkout-index", "--all", f"--prefix={tree}/"]
    seconds = timed(lambda: subprocess.run(command, cwd=repo, check=True, capture_output=True))
    shutil.rmtree(tree)
    return seconds


def disk(repo: Path, base: Path, count: int) -> dict[str, float]:
    """Make `count` worktrees and return the MiB that one tree, the object database, all of it, and the rest take."""
    objects = used(repo / ".git/objects")
    before = used(repo / ".git")
    managers = [WorkspaceManager(f"disk-{n}", repo, base, lease_dir=base.parent / "leases") for n in range(count)]
    for manager in managers:
        manager.create_worktree()
    tree = used(managers[0].worktree_path)
    trees = sum(used(manager.worktree_path) for manager in managers)
    figures = {
        "tree_mib": tree,
        "object_database_mib": objects,
        "object_database_growth_mib": used(repo / ".git/objects") - objects,
        "worktrees_mib": trees,
        "git_dir_per_worktree_mib": (used(repo / ".git") - before) / count,
    }
    for manager in managers:
        manager.remove_worktree(force=True)
    return figures


def used(folder: Path) -> float:
    """Return the MiB that a folder's files take on the disk."""
    return sum(path.lstat().st_blocks * 512 for path in folder.rglob("*") if not path.is_dir()) / MIB


def main() -> None:
    """Measure, print the table, and the JSON line last."""
    parser = argparse.ArgumentParser(description="What a worktree costs.")
    parser.add_argument("--files", type=int, default=8000)
    parser.add_argument("--size", type=int, default=11_000, help="bytes a file")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--worktrees", type=int, default=4, help="how many for the disk figures")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-worktrees-") as name:
        scratch = Path(name)
        repo = make_repository(scratch / "repo", options.files, options.size)
        times = compare(repo, scratch, options.rounds)
        space = disk(repo, scratch / "disk", options.worktrees)
    report(times, space, options.worktrees)


def report(times: dict[str, list[float]], space: dict[str, float], count: int) -> None:
    """Print what was measured; a ratio is the median of the rounds' ratios, so a slow moment hits both its sides."""
    vs_git = statistics.median(a / b for a, b in zip(times["autopack"], times["git"], strict=True))
    vs_floor = statistics.median(a / b for a, b in zip(times["autopack"], times["floor"], strict=True))
    print(f"{'one tree':<28}{'median s':>10}{'min s':>10}")
    labels = {"git": "git worktree add --no-track", "autopack": "create_worktree", "floor": "git checkout-index -a"}
    for name, label in labels.items():
        print(f"{label:<28}{statistics.median(times[name]):>10.3f}{min(times[name]):>10.3f}")
    print(f"create_worktree / git worktree add   {vs_git:.2f}  (bar {BAR_GIT})")
    print(f"create_worktree / checkout-index     {vs_floor:.2f}  (bar {BAR_FLOOR})")
    print(
        f"{count} worktrees: {space['worktrees_mib']:.0f} MiB = {count} x {space['tree_mib']:.0f} MiB,"
        f" one object database of {space['object_database_mib']:.0f} MiB"
        f" (+{space['object_database_growth_mib']:.1f} MiB),"
        f" {space['git_dir_per_worktree_mib']:.2f} MiB of git dir each"
    )
    figures = {"worktree_vs_git": round(vs_git, 3), "worktree_vs_floor": round(vs_floor, 3)}
    print(json.dumps(figures | {name: round(value, 3) for name, value in space.items()}))


if __name__ == "__main__":
    main()
