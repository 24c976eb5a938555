"""`python -m bench.ends <checkout>`: what a worktree costs from its making to its end, against an older commit.

`<checkout>` is another checkout of this repository (`git worktree add ../older <commit>`). Both have a repository of
their own and take turns; what is compared is CPU time, git's included. Prints a table and one JSON object last.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from bench.figures import Figure, document, most, table
from bench.trees import life
from bench.trees.folders import in_memory
from bench.trees.repository import make_repository

BAR = most(1.1)
_HERE = Path(__file__).resolve().parents[1]
_STATES = ("clean", "dirty", "commit")
_BYTES_A_FILE = 2000
_WARM_UP = 2


@contextlib.contextmanager
def serving(checkout: Path, folder: Path, files: int) -> Iterator[subprocess.Popen[str]]:
    """Have a process of that checkout wait for orders in a new repository of so many files."""
    folder.mkdir()
    (folder / "leases").mkdir()
    repo = make_repository(folder / "repo", files, _BYTES_A_FILE)
    argv = [sys.executable, "-P", life.__file__, str(repo), str(folder)]
    env = {**os.environ, "PYTHONPATH": str(checkout / "operator"), "AUTONOMOUS_RUNS_DIR": str(folder)}
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, env=env, cwd=folder, stdin=pipe, stdout=pipe, text=True) as process:
        yield process


def seconds_of(process: subprocess.Popen[str], state: str) -> float:
    """Have one worktree made and removed; return the CPU seconds of both."""
    if process.stdin is None or process.stdout is None:
        raise AssertionError
    process.stdin.write(f"{state}\n")
    process.stdin.flush()
    answer = process.stdout.readline().split()
    if not answer:
        raise SystemExit("a worktree could not be made or removed")
    return sum(map(float, answer))


def compare(older: Path, files: int, pairs: int) -> Iterator[Figure]:
    """Yield the ratio of each pair, this checkout to the older one, for each state in which a run leaves its tree."""
    with contextlib.ExitStack() as stack:
        scratch = stack.enter_context(in_memory())
        this = stack.enter_context(serving(_HERE, scratch / "this", files))
        that = stack.enter_context(serving(older, scratch / "older", files))
        for state in _STATES:
            ratios = []
            for turn in range(_WARM_UP + pairs):
                order = (this, that) if turn % 2 else (that, this)
                cost = {process.pid: seconds_of(process, state) for process in order}
                ratios.append(cost[this.pid] / cost[that.pid])
            label = f"CPU of a worktree, {state}, {files} files: this / older"
            yield Figure(f"ends_{state}_{files}", label, ratios[_WARM_UP:], BAR)


def main() -> int:
    """Measure and print; returns the exit code, 1 when the bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.ends", description="A worktree's cost against a commit's.")
    parser.add_argument("older", type=Path, help="a checkout of an older commit")
    parser.add_argument("--files", default="100,1000", help="sizes of a tree, as 100,1000")
    parser.add_argument("--pairs", type=int, default=30, help="of each case")
    options = parser.parse_args()
    sizes = [int(size) for size in options.files.split(",")]
    figures = [figure for size in sizes for figure in compare(options.older.resolve(), size, options.pairs)]
    print(f"\n{table(figures, {})}\n")
    print(document(figures, {}))
    return 1 if any(figure.missed for figure in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
