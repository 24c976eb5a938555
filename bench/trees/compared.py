"""The figures of the ways to a tree: alone, many at once, and with what git offers to make it quicker."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.figures import Figure, least, most

from . import ways
from .rounds import Attempt, Round, ratios, rounds, shares_of_ideal
from .ways import Source

BAR_GIT, BAR_IDEAL = 1.3, 0.8
AT_ONCE_BAR = 32
FEW_FILES = 64_000
"""Up to so many files in all trees together, tar and cp are measured as well: they take the machine's time."""

OURS = {"ours": "create_worktree", "pod": "run's pod"}
LIMITS = {"unpacked": "git checkout-index", "tar": "tar x", "cp": "cp -r"}
CORES = os.cpu_count() or 1


@dataclass(frozen=True)
class Case:
    """So many trees at once of so many files each, measured so often."""

    files: int
    at_once: int
    repeats: int
    disk: bool = False

    @property
    def tail(self) -> str:
        """Tells the keys of this case from another's."""
        return f"_{'disk_' if self.disk else ''}{self.files}x{self.at_once}"

    def __str__(self) -> str:
        return f"{self.at_once} at once of {self.files} files{' on the disk' if self.disk else ''}"


def compare(source: Source, scratch: Path, case: Case, one_unpacked: float) -> tuple[list[Figure], list[Round]]:
    """Measure one case. `one_unpacked` is the time that `git checkout-index` takes for a single tree, in seconds; not
    used where there is one at once.
    """
    many = case.at_once > 1
    wanted = {"git": ways.plain_git(source), "ours": ways.managed(source), "pod": ways.in_pod(source)}
    attempts = {name: Attempt(way, case.at_once, case.at_once) for name, way in wanted.items()}
    attempts["unpacked"] = Attempt(ways.unpacked_by_git(source), case.at_once, min(case.at_once, CORES))
    if case.files * case.at_once <= FEW_FILES:
        for name, way in {"tar": ways.untarred(source), "cp": ways.copied(source)}.items():
            attempts[name] = Attempt(way, case.at_once, min(case.at_once, CORES))
    found = rounds(source, scratch, attempts, case.repeats)
    figures = [_seconds(name, found, case) for name in attempts]
    for name, text in OURS.items():
        of, tail = f"{case}: {text}", f"{_named(name)}{case.tail}"
        figures.append(
            Figure(f"worktree_vs_git{tail}", f"{of} / git worktree add", ratios(found, name, "git"), most(BAR_GIT))
        )
        for limit in (each for each in LIMITS if each in attempts):
            under_way = f", {CORES} at a time" if many else ""
            label = f"{of} / {LIMITS[limit]}{under_way}"
            figures.append(Figure(f"worktree_vs_{limit}{tail}", label, ratios(found, name, limit)))
        if many:
            bar = least(BAR_IDEAL) if case.at_once == AT_ONCE_BAR else None
            shares = shares_of_ideal(found, name, one_unpacked, CORES)
            figures.append(Figure(f"worktree_of_ideal{tail}", f"{of}: share of the cores' ideal", shares, bar))
    if many:
        failed = [each["git"].wanted - each["git"].made for each in found]
        figures.append(Figure(f"git_failed{case.tail}", f"{case}: git worktree add, failed", failed))
        shares = shares_of_ideal(found, "unpacked", one_unpacked, CORES)
        label = f"{case}: checkout-index, {CORES} at a time: share of the cores' ideal"
        figures.append(Figure(f"unpacked_of_ideal{case.tail}", label, shares))
    return figures, found


def _named(name: str) -> str:
    return "" if name == "ours" else f"_{name}"


def _seconds(name: str, found: Sequence[Round], case: Case) -> Figure:
    label = ({"git": "git worktree add"} | OURS | LIMITS)[name]
    values = [each[name].a_tree for each in found]
    return Figure(f"worktree_seconds_{name}{case.tail}", f"{case}: {label}, s a tree", values)


def tried(source: Source, scratch: Path, repeats: int) -> list[Figure]:
    """What git offers to make a tree sooner, against `git worktree add` as it is."""
    options = {f"checkout.workers={n}": ways.plain_git(source, "-c", f"checkout.workers={n}") for n in (1, 2, 4, 8)}
    alone = options | {"sparse, one folder of 97": ways.sparse(source, "package0")}
    if ways.reflinks_work(scratch):
        alone["cp --reflink=always"] = ways.copied(source, "--reflink=always")
    else:
        print("reflink: this file system shares no blocks between copies", flush=True)
    figures = []
    for count, chosen in ((1, alone), (8, options)):
        labels = {f"w{number}": label for number, label in enumerate(chosen)}
        attempts = {key: Attempt(chosen[label], count, count) for key, label in labels.items()}
        attempts["git"] = Attempt(ways.plain_git(source), count, count)
        found = rounds(source, scratch, attempts, repeats if count == 1 else min(repeats, 3))
        for key, label in labels.items():
            text = f"{count} at once: {label} / git worktree add as it is"
            name = "".join(letter if letter.isalnum() else "_" for letter in label)
            figures.append(Figure(f"tried_{name}_x{count}", text, ratios(found, key, "git")))
    return figures
