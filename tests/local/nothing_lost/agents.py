"""Agents for the tests of "nothing lost": shell scripts that a supervisor runs in worktrees of a small repository."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.local.nothing_lost.kept import PUBLISHED, lost
from tests.local.supervisor.scene import Scene, clean_environment

from autopack.supervisor import RunResult, SupervisorOptions

IGNORED = "out.log"
"""A name that the repository's .gitignore names."""

# Repositories that an agent makes know nobody; every command must do its part, or the test would prove nothing.
_BEGIN = """set -e
export GIT_AUTHOR_NAME=Agent GIT_AUTHOR_EMAIL=agent@invalid GIT_COMMITTER_NAME=Agent GIT_COMMITTER_EMAIL=agent@invalid
fails() { if "$@" >&2; then echo "did not fail: $*" >&2; exit 9; fi; }
"""


def shell(script: str) -> str:
    """Return a command (as for --command) that runs a shell script in the run's worktree."""
    return shlex.join(["sh", "-c", _BEGIN + script])


@dataclass(frozen=True)
class Agents:
    """Runs scripts as runs of `scene.repo`; whatever a script prints, its result has in `stdout`."""

    scene: Scene

    @property
    def repo(self) -> Path:
        return self.scene.repo

    def work(self, script: str, run_id: str = "run-1", *, succeeds: bool = True, **options: object) -> RunResult:
        """Execute one run and return its result."""
        given = SupervisorOptions(command=shell(script), **options)  # type: ignore[arg-type]
        result = self.scene.supervisor(given).execute_run(run_id)
        assert result.success == succeeds, result.error or result.stderr
        return result

    def work_together(self, scripts: Mapping[str, str]) -> dict[str, RunResult]:
        """Execute runs at once, each with the script of its id, and return their results."""
        cases = "".join(f"{run_id}) {script}\n;;\n" for run_id, script in scripts.items())
        options = SupervisorOptions(command=shell(f"case $AUTOPACK_RUN_ID in\n{cases}esac"))
        results = self.scene.supervisor(options).execute_parallel(list(scripts), max_workers=len(scripts))
        assert all(result.success for result in results.values()), results
        return results

    def lost(self, *wanted: str | bytes, prefixes: tuple[str, ...] = PUBLISHED) -> list[str | bytes]:
        """Return those of the object ids and contents that no ref of the repository leads to."""
        return lost(self.repo, *wanted, prefixes=prefixes)

    def autopack(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command of Autopack's command line on the repository and its runs."""
        places = ("--source-repo", str(self.repo), "--autonomous-runs-dir", str(self.scene.runs))
        argv = [sys.executable, "-m", "autopack.cli", *words, *places]
        env = clean_environment(None)
        return subprocess.run(argv, capture_output=True, text=True, env=env, timeout=60, check=False)
