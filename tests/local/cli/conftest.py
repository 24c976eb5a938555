"""The command line in a folder with a repository of one commit and a good anchor."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.autopack_cli.conftest import Call, Said, call, here

from autopack.git.runner import run_git

__all__ = ["Call", "Said", "call", "here"]

ANCHOR = {
    "format_version": "v2",
    "project_id": "test",
    "created_at": "2026-01-06T00:00:00Z",
    "raw_input_digest": "abc123",
    "pivot_intentions": {"parallelism_isolation": {"allowed": True, "max_concurrent_runs": 4}},
}


@pytest.fixture(autouse=True)
def repo(here: Path) -> Path:
    """The repository, beside the anchor."""
    identity = ("-c", "user.name=Test", "-c", "user.email=test@invalid")
    run_git(["init", "-q", "-b", "main", "repo"], cwd=here)
    run_git([*identity, "commit", "-q", "--allow-empty", "-m", "first"], cwd=here / "repo")
    (here / "anchor.json").write_text(json.dumps(ANCHOR))
    return here / "repo"
