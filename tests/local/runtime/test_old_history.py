"""Histories with old sins, which the usual hosts serve, come in and go out by the same rules."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from .conftest import UID, Api, Pod, git, import_source

SINS = {
    "missingSpaceBeforeEmail": "author A<a@b> 0 +0000\ncommitter A<a@b> 0 +0000\n\n",
    "badTimezone": "author A <a@b> 1 +051800\ncommitter A <a@b> 1 +051800\n\n",
    "zeroPaddedDate": "author A <a@b> 0001 +0000\ncommitter A <a@b> 0001 +0000\n\n",
}


def write_commit(repo: Path, text: str) -> str:
    """Write a commit as it is, with the repository's first tree; return its id."""
    raw = f"tree {git('rev-parse', 'main^{tree}', cwd=repo)}\n{text}".encode()
    argv = ["git", "-C", str(repo), "hash-object", "-t", "commit", "-w", "--literally", "--stdin"]
    return subprocess.run(argv, input=raw, capture_output=True, check=True).stdout.decode().strip()


@pytest.mark.parametrize("sin", SINS)
async def test_it_is_imported(volume: Path, source: Path, sin: str) -> None:
    old = write_commit(source, SINS[sin])
    git("update-ref", "refs/heads/old", old, cwd=source)
    assert f"{old} refs/heads/old" in import_source(volume, source)


@pytest.mark.parametrize("sin", SINS)
async def test_a_run_may_merge_it(api: Api, ready: Pod, volume: Path, tmp_path: Path, sin: str) -> None:
    (tmp_path / "commit").write_text(SINS[sin])
    write = f"{{ echo tree $(git rev-parse HEAD^{{tree}}); cat {tmp_path}/commit; }} >/tmp/$AUTOPACK_RUN_UID"
    add = "old=$(git hash-object -t commit -w --literally /tmp/$AUTOPACK_RUN_UID); rm /tmp/$AUTOPACK_RUN_UID"
    assert ready.live(f"{write}; {add}; git merge -q -s ours --allow-unrelated-histories -m merge $old") == 0
    status, answer = await api.commit()
    assert (status, answer["complete"]) == (200, True), answer
    results = volume / ".repos/n-demo/results.git"
    assert git("log", "-1", "--format=%s", f"refs/runs/{UID}/a1/head", cwd=results) == "merge"
