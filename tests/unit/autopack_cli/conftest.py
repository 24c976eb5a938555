"""A command line called within the test's own process."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from autopack.git.runner import run_git
from autopack_cli.main import main

ANCHOR = {
    "format_version": "v2",
    "project_id": "test",
    "created_at": "2026-01-06T00:00:00Z",
    "raw_input_digest": "abc123",
    "pivot_intentions": {"parallelism_isolation": {"allowed": True, "max_concurrent_runs": 4}},
}


class Said(NamedTuple):
    """The exit code and what was printed."""

    code: int
    out: str
    err: str


Call = Callable[..., Said]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """Call the command line with arguments."""

    def run(*argv: str) -> Said:
        code = main(argv)
        out, err = capsys.readouterr()
        return Said(code, out, err)

    return run


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a repository of one commit and a good anchor, and no variable that would decide for us."""
    for name in ("DATABASE_URL", "AUTONOMOUS_RUNS_DIR", "AUTOPACK_REPO_PATH", "AUTOPACK_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    identity = ("-c", "user.name=Test", "-c", "user.email=test@invalid")
    run_git(["init", "-q", "-b", "main", "repo"], cwd=tmp_path)
    run_git([*identity, "commit", "-q", "--allow-empty", "-m", "first"], cwd=tmp_path / "repo")
    (tmp_path / "anchor.json").write_text(json.dumps(ANCHOR))
    return tmp_path
