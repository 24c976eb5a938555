"""Committing what an attempt left: checked, unchangeable, the same answer forever."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autopack.kept_files import KeptFiles

from .conftest import UID, Api, Pod, git, runtime

OTHER = "7c9e6679-7425-40de-944b-e07fc1f90ae7"


@pytest.fixture
def results(volume: Path) -> Path:
    return volume / ".repos/n-demo/results.git"


def change_result(pod: Pod, **fields: object) -> None:
    """Change result.json as a run could that writes all it can write."""
    path = pod.files.result
    path.write_text(json.dumps(json.loads(path.read_bytes()) | fields))


def change_manifest(pod: Pod, **fields: object) -> None:
    path = pod.files.manifest
    path.write_text(json.dumps(json.loads(path.read_bytes()) | fields))
    change_result(pod, manifestSha256=hashlib.sha256(path.read_bytes()).hexdigest())


async def test_the_same_answer_again(api: Api, ready: Pod) -> None:
    ready.live("echo x > README.md")
    assert await api.commit() == await api.commit()


async def test_the_same_answer_after_a_restart(start_api: Callable[[], Any], api: Api, ready: Pod) -> None:
    ready.live("echo x > README.md")
    before = await api.commit()
    again: Api = await start_api()
    assert await again.commit() == before


async def test_calls_at_the_same_time_get_the_same_answer(api: Api, ready: Pod) -> None:
    ready.live("echo x > README.md")
    answers = await asyncio.gather(*(api.commit() for _ in range(5)))
    assert all(answer == answers[0] for answer in answers)


async def test_an_attempt_never_prepared_is_unknown(api: Api, ready: Pod) -> None:
    status, answer = await api.commit(attempt=7)
    assert (status, answer["reason"]) == (422, "AttemptUnknown")


async def test_another_runs_name_is_unknown(api: Api, ready: Pod) -> None:
    status, answer = await api.commit(runId="another")
    assert (status, answer["reason"]) == (422, "AttemptUnknown")


@pytest.mark.parametrize(
    ("tamper", "said"),
    [
        (lambda files: (files.artifacts / "ci/report").write_text("changed"), "ci/report is changed"),
        (lambda files: (files.artifacts / "ci/report").unlink(), "ci/report is missing"),
        (lambda files: (files.artifacts / "ci/more").write_text(""), "ci/more is new"),
        (lambda files: files.bundle.write_bytes(b"# v2 git bundle\n\n"), "results.bundle"),
        (lambda files: files.manifest.unlink(), "manifest.json"),
    ],
)
async def test_what_changed_after_the_manifest_is_refused(
    api: Api, ready: Pod, tamper: Callable[[KeptFiles], object], said: str
) -> None:
    ready.live('echo x > README.md; echo {} > "$AUTOPACK_ARTIFACTS/ci/report"')
    tamper(ready.files)
    status, answer = await api.commit(removeWorkspace=True)
    assert (status, answer["reason"]) == (422, "ManifestMismatch")
    assert said in answer["message"]
    assert ready.workspace.exists()


async def test_a_manifest_may_not_claim_another_runs_commit(api: Api, ready: Pod, make_pod: Callable[..., Pod]) -> None:
    _, prepared = await api.put(uid=OTHER)
    make_pod(prepared, uid=OTHER).live("echo secret > README.md; git commit -qam secret")
    _, secret = await api.commit(uid=OTHER)
    ready.live("true")
    change_manifest(ready, branches={"mine": secret["head"]})
    status, answer = await api.commit()
    assert (status, answer["reason"]) == (422, "ManifestMismatch")


async def test_a_manifest_of_another_attempt_is_refused(api: Api, ready: Pod) -> None:
    ready.live("true")
    change_manifest(ready, attempt=2)
    status, answer = await api.commit()
    assert (status, answer["reason"]) == (422, "ManifestMismatch")


async def test_a_bundle_that_is_garbage_is_refused(api: Api, ready: Pod) -> None:
    ready.init()
    ready.files.bundle.write_bytes(b"garbage")
    status, answer = await api.commit()
    assert (status, answer["reason"]) == (422, "BundleCorrupt")


async def test_a_bundle_with_a_foreign_ref_is_refused(api: Api, ready: Pod) -> None:
    ready.init()
    (ready.workspace / "README.md").write_text("x")
    git("commit", "-qam", "x", cwd=ready.workspace)
    git("update-ref", "refs/pins/mine", "HEAD", cwd=ready.workspace)
    base = ready.env["AUTOPACK_SHA"]
    git(
        "bundle",
        "create",
        "-q",
        str(ready.files.bundle),
        "refs/pins/mine",
        f"^{base}",
        cwd=ready.workspace,
    )
    status, answer = await api.commit()
    assert (status, answer["reason"]) == (422, "BundleCorrupt")


async def test_malicious_objects_are_refused(api: Api, ready: Pod, results: Path) -> None:
    script = """
    blob=$(printf /etc/passwd | git hash-object -w --stdin)
    tree=$(printf "120000 blob $blob\\t.gitmodules\\n" | git mktree)
    git branch evil "$(git commit-tree -m evil -p HEAD "$tree")"
    """
    assert ready.live(script) == 0
    status, answer = await api.commit()
    assert (status, answer["reason"]) == (422, "BundleCorrupt")
    assert "gitmodules" in answer["message"]
    assert git("for-each-ref", cwd=results) == ""


async def test_symlinks_are_listed_and_never_followed(api: Api, ready: Pod, volume: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("x")
    ready.live(f'ln -s {outside} "$AUTOPACK_ARTIFACTS/ci/link"; ln -s {outside}/file "$AUTOPACK_ARTIFACTS/file"')
    status, _ = await api.commit()
    listed = json.loads(ready.files.manifest.read_bytes())["files"]
    assert status == 200
    assert {"path": "ci/link", "link": str(outside)} in listed
    assert os.access(outside / "file", os.W_OK)
    assert stat.S_IMODE((outside / "file").stat().st_mode) & stat.S_IWUSR


async def test_a_manifest_that_is_a_symlink_is_refused(api: Api, ready: Pod, tmp_path: Path) -> None:
    ready.live("true")
    moved = tmp_path / "manifest.json"
    ready.files.manifest.rename(moved)
    ready.files.manifest.symlink_to(moved)
    status, answer = await api.commit()
    assert (status, answer["reason"]) == (422, "NotAFile")


async def test_pipes_and_unreadable_files_hinder_nobody(api: Api, ready: Pod) -> None:
    ready.live('cd "$AUTOPACK_ARTIFACTS"; mkfifo pipe; echo x > ci/closed; chmod 000 ci/closed; mkdir d; chmod 000 d')
    status, answer = await api.commit()
    assert (status, answer["complete"]) == (200, True)


async def test_names_that_are_no_text_survive(api: Api, ready: Pod) -> None:
    ready.live("""touch "$AUTOPACK_ARTIFACTS/$(printf 'a\\377\\033b')" """)
    status, answer = await api.commit()
    assert (status, answer["complete"]) == (200, True)


async def test_committed_artifacts_are_read_only(api: Api, ready: Pod) -> None:
    ready.live('mkdir "$AUTOPACK_ARTIFACTS/ci/deep"; echo x > "$AUTOPACK_ARTIFACTS/ci/deep/report"')
    await api.commit()
    of_the_run = [ready.artifacts / name for name in ("ci", "ci/deep", "ci/deep/report")]
    for path in (*of_the_run, ready.files.manifest, ready.files.result):
        assert not path.stat().st_mode & 0o222, path


async def test_a_removed_workspace_is_gone_and_its_files_are_deleted(api: Api, ready: Pod, volume: Path) -> None:
    ready.live("mkdir -p a/b; echo x > a/b/c; chmod -R a-w a")
    status, _ = await api.commit(removeWorkspace=True)
    for _ in range(100):
        if not any((volume / ".trash").iterdir()):
            break
        await asyncio.sleep(0.05)
    assert status == 200
    assert not ready.workspace.parent.exists()
    assert not ready.files.repo.exists()
    assert not any((volume / ".trash").iterdir())


async def test_a_workspace_may_be_removed_later(api: Api, ready: Pod) -> None:
    ready.live("true")
    await api.commit()
    assert ready.workspace.exists()
    await api.commit(removeWorkspace=True)
    assert not ready.workspace.exists()


async def test_an_attempt_that_never_began_is_committed_and_removed(api: Api, ready: Pod) -> None:
    status, answer = await api.commit(removeWorkspace=True)
    assert (status, answer["complete"], answer["files"]) == (200, False, 0)
    assert answer["head"] == ready.env["AUTOPACK_SHA"]
    assert not ready.workspace.exists()


async def test_people_can_list_what_runs_left(api: Api, ready: Pod, volume: Path) -> None:
    ready.live('echo x > README.md; git commit -qam x; echo {} > "$AUTOPACK_ARTIFACTS/ci/report"')
    _, answer = await api.commit()
    assert f"{UID} 1 autopack/fix-it {answer['head']}\n" in runtime(volume, "branches", "--repository", "demo")
    assert "    ci/report  3\n" in runtime(volume, "tree", "fix-it")
