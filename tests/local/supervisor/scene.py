"""What the supervisor's tests work on: a repository, an anchor, a folder of runs, and small commands for runs."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.local.workspaces.repos import git, make_repo

from autopack.progress import Progress
from autopack.supervisor import ParallelRunSupervisor, SupervisorOptions

SUPERVISE = (sys.executable, "-m", "autopack.cli", "autopilot", "supervise")


def python(code: str) -> str:
    """Return a command (as for --command) that runs Python code in the run's worktree."""
    return shlex.join([sys.executable, "-c", code])


def anchor(allowed: bool = True, most: int = 8) -> dict[str, object]:
    """Build an intention anchor."""
    return {
        "format_version": "v2",
        "project_id": "test",
        "created_at": "2026-01-06T00:00:00Z",
        "raw_input_digest": "abc123",
        "pivot_intentions": {
            "parallelism_isolation": {
                "allowed": allowed,
                "isolation_model": "four_layer",
                "max_concurrent_runs": most,
            }
        },
    }


@dataclass(frozen=True)
class Scene:
    """Folders of one test."""

    root: Path

    @property
    def repo(self) -> Path:
        return self.root / "repo"

    @property
    def runs(self) -> Path:
        return self.root / "runs"

    @property
    def anchor(self) -> Path:
        return self.root / "anchor.json"

    def supervisor(self, options: SupervisorOptions, progress: Progress | None = None) -> ParallelRunSupervisor:
        """Return a supervisor with per-run SQLite."""
        return ParallelRunSupervisor(
            self.repo, None, self.runs, per_run_sqlite=True, options=options, progress=progress
        )

    def argv(self, run_ids: Sequence[str], *more: str) -> list[str]:
        """Return the command line that supervises runs here."""
        places = ("--source-repo", str(self.repo), "--autonomous-runs-dir", str(self.runs))
        return [*SUPERVISE, "--run-ids", ",".join(run_ids), "--anchor-path", str(self.anchor), *places, *more]

    def supervise(
        self, run_ids: Sequence[str], *more: str, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run the command line to its end."""
        return subprocess.run(
            self.argv(run_ids, *more),
            capture_output=True,
            text=True,
            env=clean_environment(env),
            timeout=240,
            check=False,
            cwd=self.root,
        )

    @contextlib.contextmanager
    def started(self, run_ids: Sequence[str], *more: str) -> Iterator[subprocess.Popen[str]]:
        """Start the command line in a process group of its own, as a terminal does; killed at the end if need be."""
        process = subprocess.Popen(
            self.argv(run_ids, *more),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=clean_environment(None),
            cwd=self.root,
            start_new_session=True,
        )
        with process:
            try:
                yield process
            finally:
                process.kill()

    def result(self, run_id: str) -> dict[str, object]:
        """Return what the run's result file says."""
        document: dict[str, object] = json.loads((self.runs / ".kept" / run_id / "result.json").read_bytes())
        return document

    def stdout(self, run_id: str) -> str:
        """Return what the run's command printed."""
        return (self.runs / run_id / "logs/stdout.log").read_text()

    def git(self, *args: str, check: bool = True) -> str:
        """Run git in the repository."""
        return git(self.repo, *args, check=check)


def make_scene(root: Path) -> Scene:
    """Make the repository (one commit) and an anchor that allows eight runs at once."""
    scene = Scene(root)
    make_repo(scene.repo)
    scene.anchor.write_text(json.dumps(anchor()))
    return scene


def clean_environment(more: Mapping[str, str] | None) -> dict[str, str]:
    """Return our environment without what would decide for the program under test."""
    ours = {"DATABASE_URL", "AUTONOMOUS_RUNS_DIR", "AUTOPACK_REPO_PATH"}
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return {**kept, **(more or {})}


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 90) -> None:
    """Wait for something that another process does."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s until {what}"
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    """Tell whether a process is there and not a zombie."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except (ProcessLookupError, FileNotFoundError):
        return False
