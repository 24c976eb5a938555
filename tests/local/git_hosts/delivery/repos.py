"""A volume with a run's commits on it, as the importer leaves them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

UID = "0a1b2c3d-0000-4000-8000-000000000001"
REF = f"refs/runs/{UID}/a1/heads/autopack/run"
_WHO = {
    "GIT_AUTHOR_NAME": "Agent",
    "GIT_AUTHOR_EMAIL": "agent@example.com",
    "GIT_COMMITTER_NAME": "Agent",
    "GIT_COMMITTER_EMAIL": "agent@example.com",
}


def git(where: Path, *args: str, text: str | None = None) -> str:
    """Run git, and return what it prints."""
    command = ["git", "-C", str(where), *args]
    env = os.environ | _WHO
    return subprocess.run(command, input=text, env=env, capture_output=True, text=True, check=True).stdout.strip()


class Work:
    """A worktree at `folder` with the commit `base`, and the results repository in which runs' refs are."""

    def __init__(self, folder: Path, volume: Path, key: str = "n-app") -> None:
        self.folder, self.volume, self.key = folder, volume, key
        self.mirror, self.results = (volume / ".repos" / key / f"{name}.git" for name in ("mirror", "results"))
        git(volume, "init", "-q", "--initial-branch=main", str(folder))
        self.base = self.commit({"README": "read me\n"}, "base")
        git(volume, "clone", "-q", "--bare", str(folder), str(self.mirror))
        git(volume, "init", "-q", "--bare", str(self.results))
        (self.results / "objects" / "info" / "alternates").write_text("../../mirror.git/objects\n")

    def commit(self, files: dict[str, str | None], message: str = "work") -> str:
        """Commit these contents (None: removed) on top of where the worktree is."""
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                path.unlink()
            else:
                path.write_text(content)
        git(self.folder, "add", "-A")
        git(self.folder, "commit", "-q", "--allow-empty", "-m", message)
        return git(self.folder, "rev-parse", "HEAD")

    def imported(self, ref: str = REF) -> str:
        """Take what the worktree is at into the results, as the importer does."""
        git(self.results, "fetch", "-q", str(self.folder), f"+HEAD:{ref}")
        return git(self.results, "rev-parse", ref)
