"""`make coverage`: prints what was measured as a table, a row for each package of operator/."""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from coverage import Coverage

ROOT = Path(__file__).resolve().parents[1] / "operator"
DEPTH = 2


class Counts(NamedTuple):
    """Lines and branches: how many there are, and how many were gone through."""

    lines: int = 0
    lines_hit: int = 0
    branches: int = 0
    branches_hit: int = 0

    def plus(self, other: Counts) -> Counts:
        """Return the sum of both."""
        return Counts(*map(sum, zip(self, other, strict=True)))


def main() -> int:
    """Print the table; return the exit code."""
    measured = Coverage()
    measured.load()
    rooms: defaultdict[str, Counts] = defaultdict(Counts)
    for name in measured.get_data().measured_files():
        found = measured._analyze(name).numbers  # noqa: SLF001 - the API for it prints reports, and sums nothing
        counts = Counts(found.n_statements, found.n_executed, found.n_branches, found.n_executed_branches)
        folder = Path(name).relative_to(ROOT).parent
        room = "/".join(folder.parts[:DEPTH])
        rooms[room] = rooms[room].plus(counts)
        rooms["all"] = rooms["all"].plus(counts)
    sys.stdout.write("| package | lines | branches |\n| --- | --- | --- |\n")
    for room in sorted(rooms, key=lambda name: (name == "all", name)):
        counts = rooms[room]
        lines, branches = _share(counts.lines_hit, counts.lines), _share(counts.branches_hit, counts.branches)
        sys.stdout.write(f"| `{room}` | {lines} | {branches} |\n")
    return 0


def _share(hit: int, all_of_them: int) -> str:
    return f"{hit:,} of {all_of_them:,} ({hit / all_of_them:.0%})" if all_of_them else "none"


if __name__ == "__main__":
    sys.exit(main())
