"""Where everything of a run lies, locally and on the cluster's volume. Names only: nothing here touches a disk but
`ensure_directories`.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .errors import InvalidInput, printable
from .run_ids import check_run_id, path_component

RUNS_DIR_VARIABLE = "AUTONOMOUS_RUNS_DIR"
DEFAULT_RUNS_DIR = ".autonomous_runs"
KEPT = ".kept"
"""The folder of what Autopack itself keeps of runs: no run id begins with a dot."""

_UID = re.compile(r"[0-9a-zA-Z][0-9a-zA-Z-]{7,63}")
_REPOSITORY_NAME = re.compile(r"[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?")


def autonomous_runs_dir(environ: Mapping[str, str] | None = None) -> Path:
    """Return the absolute folder of all runs: `$AUTONOMOUS_RUNS_DIR`, else `.autonomous_runs` where we are."""
    text = (os.environ if environ is None else environ).get(RUNS_DIR_VARIABLE) or DEFAULT_RUNS_DIR
    return Path(text).absolute()


class RunFileLayout:
    """Every path one run may write, under `base_dir` (default: the folder of all runs).

    `run_id` and `project_id` are checked (InvalidInput). Runs of a project lie under `projects/<project_id>/`, so that
    equal run ids of two projects are kept apart.
    """

    def __init__(self, run_id: str, project_id: str | None = None, base_dir: Path | None = None) -> None:
        self.run_id = check_run_id(run_id)
        self.project_id = project_id
        root = autonomous_runs_dir() if base_dir is None else Path(base_dir).absolute()
        self.root = root if project_id is None else root / "projects" / path_component(project_id)
        self.name = path_component(run_id)
        self.base_dir = self.root / self.name

    @property
    def workspace_dir(self) -> Path:
        """The run's git worktree. Outside `base_dir`: removing it takes no artifact along."""
        return self.root / "workspaces" / self.name

    @property
    def ci_dir(self) -> Path:
        """Test reports: `baseline.json`, `retry.json`."""
        return self.base_dir / "ci"

    @property
    def baselines_dir(self) -> Path:
        """Cached baselines, one `<commit_sha>.json` each."""
        return self.base_dir / "baselines"

    @property
    def logs_dir(self) -> Path:
        """What the run's command printed: `stdout.log`, `stderr.log`."""
        return self.base_dir / "logs"

    @property
    def kept_dir(self) -> Path:
        """What Autopack writes down about the run. Outside `base_dir`, where the run may give a file any name."""
        return self.root / KEPT / self.name

    @property
    def database_path(self) -> Path:
        """The run's own SQLite file, where each run has one."""
        return self.base_dir / f"{self.name}.db"

    @property
    def lock_path(self) -> Path:
        """The run's executor lock."""
        return self.root / ".locks" / f"{self.name}.lock"

    @property
    def leases_dir(self) -> Path:
        """The folder of the workspace leases."""
        return self.root / ".workspace_leases"

    def get_run_summary_path(self) -> Path:
        """Return the path of the run's summary for people."""
        return self.base_dir / "run_summary.md"

    def get_diagnostics_dir(self) -> Path:
        """Return the folder for what a run leaves to explain a failure."""
        return self.base_dir / "diagnostics"

    def ensure_directories(self) -> None:
        """Make the run's artifact folders; existing ones are left as they are."""
        for folder in (self.ci_dir, self.baselines_dir, self.logs_dir):
            folder.mkdir(parents=True, exist_ok=True)


@dataclass(frozen=True)
class AttemptPaths:
    """Where one attempt of a cluster run lies, relative to the volume's root, with `/` between parts.

    `uid` is the AutopackRun's UID, `attempt` counts from 1. A folder belongs to one attempt and is never used again.
    Raises InvalidInput for a field that could lead out of the volume.
    """

    run_id: str
    uid: str
    attempt: int

    def __post_init__(self) -> None:
        check_run_id(self.run_id)
        if not _UID.fullmatch(self.uid):
            raise InvalidInput("uid", f"'{printable(self.uid, 80)}' is not an object's UID", "Send metadata.uid")
        if self.attempt < 1:
            raise InvalidInput("attempt", f"{self.attempt} is less than 1", "Count attempts from 1")

    @property
    def folder(self) -> str:
        """`a<N>-<first 8 characters of the UID>`."""
        return f"a{self.attempt}-{self.uid[:8]}"

    @property
    def workspace(self) -> str:
        """The attempt's worktree."""
        return f"workspaces/{path_component(self.run_id)}/{self.folder}"

    @property
    def artifacts(self) -> str:
        """The attempt's artifacts."""
        return f"{path_component(self.run_id)}/{self.folder}"

    @property
    def kept(self) -> str:
        """What Autopack itself keeps of the attempt (see `kept_files`)."""
        return f"{KEPT}/{path_component(self.run_id)}/{self.folder}"

    @property
    def pinned_answer(self) -> str:
        """The file that keeps the volume service's first answer about this attempt."""
        return f".attempts/{self.uid}/a{self.attempt}.json"

    @property
    def pinned_commit(self) -> str:
        """The file that keeps its answer to the attempt's commit."""
        return f".attempts/{self.uid}/a{self.attempt}.commit.json"


def repo_key(*, url: str | None = None, name: str | None = None) -> str:
    """Return the key of a repository on the volume: `u-<digest>` of its URL, or `n-<name>` of an imported one.

    Exactly one of the two is given. Raises InvalidInput for a name that is not a plain lower-case word of at most 63
    characters.
    """
    if (url is None) == (name is None):
        raise InvalidInput("source", "one of url and repository must be given, not both", "Give exactly one")
    if url is not None:
        return "u-" + hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    if name is None or not _REPOSITORY_NAME.fullmatch(name) or ".." in name or name.endswith(".lock"):
        shown = printable(name or "", 80)
        raise InvalidInput("repository", f"'{shown}' is not a repository's name", "Use lower-case letters, digits, '-'")
    return f"n-{name}"


def mirror(key: str) -> str:
    """Return the path of a repository's mirror, relative to the volume's root; only the fetcher writes it."""
    return f".repos/{key}/mirror.git"


def results(key: str) -> str:
    """Return the path of the repository that holds the runs' results; only the importer writes it."""
    return f".repos/{key}/results.git"
