"""One run from an imported repository to refs in results.git."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from .conftest import UID, Api, Pod, git, import_source

WORK = """
echo '#!/bin/sh' > tool; chmod +x tool; git add tool; git commit -qm 'a commit of the run'
echo dirty >> README.md; echo new > untracked.txt
mkdir -p "$AUTOPACK_ARTIFACTS/ci"; echo '{}' > "$AUTOPACK_ARTIFACTS/ci/report.json"
echo said; exit 3
"""


async def test_import_prints_the_refs(volume: Path, source: Path) -> None:
    printed = import_source(volume, source)
    assert f"{git('rev-parse', 'main', cwd=source)} refs/heads/main\n" in printed


async def test_commits_of_a_run_arrive_under_its_own_refs(api: Api, ready: Pod, volume: Path) -> None:
    ready.live(WORK)
    status, answer = await api.commit()
    assert status == 200, answer
    results = volume / ".repos/n-demo/results.git"
    assert answer["ref"] == f"refs/runs/{UID}/a1/heads/autopack/fix-it"
    assert git("rev-parse", answer["ref"], cwd=results) == answer["head"]
    assert git("log", "-1", "--format=%s", answer["ref"], cwd=results) == "a commit of the run"


async def test_uncommitted_files_arrive_as_a_snapshot(api: Api, ready: Pod, volume: Path) -> None:
    ready.live(WORK)
    _, answer = await api.commit()
    results = volume / ".repos/n-demo/results.git"
    assert git("show", f"{answer['snapshot']}:untracked.txt", cwd=results) == "new"
    assert git("rev-parse", f"refs/runs/{UID}/a1/snapshot^", cwd=results) == answer["head"]


async def test_the_answer_says_how_it_ended_and_what_it_left(api: Api, ready: Pod) -> None:
    assert ready.live(WORK) == 3
    _, answer = await api.commit()
    manifest = ready.files.manifest.read_bytes()
    listed = json.loads(manifest)["files"]
    assert answer["exitCode"] == 3
    assert answer["complete"] is True
    assert answer["files"] == len(listed)
    assert answer["manifestSha256"] == hashlib.sha256(manifest).hexdigest()
    assert {"ci/report.json", "logs/stdout.log"} <= {entry["path"] for entry in listed}
