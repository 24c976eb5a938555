"""Ratios against those that are committed: `make bench-check` fails on a regression."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

PATH = Path(__file__).with_name("baseline.json")
TOLERATED = 0.20
HIGHER_IS_BETTER = ("throughput_vs_", "worktree_of_ideal")
LOWER_IS_BETTER = (
    "mutating_vs_jobs_",
    "mutating_requests_per_run",
    "etcd_vs_jobs_",
    "worktree_vs_git",
    "worktree_vs_unpacked_",
    "worktree_vs_floor",
    "pod_start_vs_",
)
"""Only ratios and counts: seconds and MiB of one machine say nothing about another. Those to cp and tar are left out:
they scatter by more than TOLERATED with nothing changed.
"""


def load(path: Path = PATH) -> dict[str, float]:
    """The committed ratios by key. Ends the process when there are none: a check without them must not pass."""
    if not path.exists():
        raise SystemExit(f"{path} is missing; on a quiet machine, `make bench-quick BENCH=--save` makes it")
    found: dict[str, float] = json.loads(path.read_text("utf-8"))
    return found


def save(document: Mapping[str, object], path: Path = PATH) -> None:
    """Make the ratios of a run the new baseline; those that this run did not measure stay, if they are compared."""
    known = ratios(load(path)) if path.exists() else {}
    path.write_text(json.dumps(dict(sorted((known | ratios(document)).items())), indent=2) + "\n", "utf-8")


def ratios(document: Mapping[str, object]) -> dict[str, float]:
    """What can be compared between machines."""
    prefixes = HIGHER_IS_BETTER + LOWER_IS_BETTER
    return {
        key: float(value)
        for key, value in document.items()
        if key.startswith(prefixes) and isinstance(value, int | float)
    }


def regressions(document: Mapping[str, object], baseline: Mapping[str, float]) -> list[str]:
    """One line for each ratio that is worse than the baseline's by more than TOLERATED. Raises ValueError when
    nothing could be compared: a check that checks nothing must not pass.
    """
    found = ratios(document)
    common = found.keys() & baseline.keys()
    if not common:
        raise ValueError("the baseline and this run have no ratio in common")
    return [line for key in sorted(common) if (line := _regression(key, found[key], baseline[key]))]


def _regression(key: str, now: float, before: float) -> str:
    worse = now < before * (1 - TOLERATED) if key.startswith(HIGHER_IS_BETTER) else now > before * (1 + TOLERATED)
    return f"{key}: {now:.3g}, was {before:.3g}" if worse else ""
