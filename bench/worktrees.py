"""`python -m bench.worktrees`: what worktrees cost, in time and in space, without a cluster.

Prints a table and one JSON object as its last line.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bench.figures import Figure, document, least, most, table, worst
from bench.parts import Parts, end_tidily
from bench.settings import FULL, QUICK, Trees
from bench.trees import space
from bench.trees.compared import BAR_GIT, BAR_IDEAL, Case, compare, tried
from bench.trees.folders import in_memory, on_disk
from bench.trees.repository import make_repository
from bench.trees.ways import Source


def measure(plan: Trees, parts: Parts) -> None:
    """Measure what the plan says; figures and what could not be measured go to `parts`."""
    for disk, cases in ((False, plan.cases), (True, plan.on_disk)):
        # A dict keeps the order in which the plan names the sizes.
        for files in dict.fromkeys(files for files, _, _ in cases):
            wanted = [Case(*each, disk) for each in cases if each[0] == files]
            with parts.part(f"worktrees of {files} files{' on the disk' if disk else ''}"):
                _measure(plan, wanted, files, disk, parts)


def _measure(plan: Trees, cases: Sequence[Case], files: int, disk: bool, parts: Parts) -> None:
    with on_disk() if disk else in_memory() as scratch:
        repo = make_repository(scratch / "repo", files, plan.bytes_a_file(files))
        source = Source.of(repo, scratch / "kept" if disk else None)
        _of_size(source, scratch, cases, parts)
        if files == plan.main_size and disk:
            with parts.part("worktrees: disk"):
                parts.figures += space.disk(source, scratch, plan.clones)
            with parts.part("worktrees: warm mirror"):
                parts.figures += space.warm_mirror(source, scratch)
        if files == plan.main_size and not disk and plan.tried:
            with parts.part("worktrees: what was tried"):
                parts.figures += tried(source, scratch, plan.repeats)


def _of_size(source: Source, scratch: Path, cases: Sequence[Case], parts: Parts) -> None:
    one = float("nan")
    for case in sorted(cases, key=lambda case: case.at_once):
        with parts.part(f"worktrees: {case}"):
            figures, found = compare(source, scratch, case, one)
            if case.at_once == 1:
                one = statistics.median(each["unpacked"].seconds for each in found)
            parts.figures += figures
            ours = statistics.median(each["ours"].a_tree for each in found)
            plain = statistics.median(each["git"].a_tree for each in found)
            print(f"{case}: {ours:.3f} s a tree, git worktree add {plain:.3f} s", flush=True)


def headlines(figures: Sequence[Figure]) -> list[Figure]:
    """The worst over all sizes, under the plain keys that others look for."""
    wanted = (
        (
            "worktree_vs_git",
            r"worktree_vs_git_(disk_)?\d+x1",
            "create_worktree / git worktree add, highest",
            most(BAR_GIT),
        ),
        (
            "worktree_vs_floor",
            r"worktree_vs_unpacked_(disk_)?\d+x1",
            "create_worktree / git checkout-index, highest",
            None,
        ),
        ("worktree_of_ideal", r"worktree_of_ideal_\d+x32", "32 at once: share of the ideal, lowest", least(BAR_IDEAL)),
    )
    return [found for key, pattern, label, bar in wanted if (found := worst(figures, pattern, key, label, bar))]


def main() -> int:
    """Measure, print the table, and the JSON line last; returns the exit code, 1 when a part was not measured."""
    parser = argparse.ArgumentParser(prog="python -m bench.worktrees", description="What a worktree costs.")
    parser.add_argument("--quick", action="store_true", help="one size and few repeats")
    parser.add_argument("--files", help="only these sizes of a tree, as 1000,8000")
    parser.add_argument("--at-once", help="only so many at once, as 1,32")
    parser.add_argument("--repeats", type=int, help="of each case")
    parser.add_argument("--tried", action="store_true", help="also what git offers to be quicker")
    options = parser.parse_args()
    plan = (QUICK if options.quick else FULL).trees.only(options.files, options.at_once, options.repeats)
    end_tidily()
    parts = Parts()
    measure(replace(plan, tried=options.tried), parts)
    figures = [*headlines(parts.figures), *parts.figures]
    print(f"\n{table(figures, parts.lost)}\n")
    print(document(figures, {"not_measured": parts.lost, "seconds": parts.seconds}))
    return 1 if parts.lost else 0


if __name__ == "__main__":
    sys.exit(main())
