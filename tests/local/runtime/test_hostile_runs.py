"""Nothing a run plants is ever executed outside its pod, nor followed out of its folders."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import pytest

from autopack.trees import remove_tree

from .conftest import Api, Pod, git


@pytest.fixture
def trap(tmp_path: Path) -> Path:
    """A program that leaves a trace when anybody runs it."""
    path = tmp_path / "trap"
    path.write_text(f"#!/bin/sh\necho sprung >> {tmp_path}/sprung\ntimeout 1 cat\n")
    path.chmod(0o755)
    return path


def sprung(trap: Path) -> bool:
    return (trap.parent / "sprung").exists()


PLANTED = {
    "fsmonitor": "git config core.fsmonitor {trap}",
    "clean filter": "git config filter.f.clean {trap}; echo '* filter=f' > .gitattributes",
    "hooks path": "mkdir h; cp {trap} h/post-index-change; cp {trap} h/reference-transaction; "
    'git config core.hooksPath "$PWD/h"',
    "hooks": 'd="$(git rev-parse --git-common-dir)/hooks"; mkdir "$d"; cp {trap} "$d/reference-transaction"',
    "alternate refs": "git config core.alternateRefsCommand {trap}",
    "lazy fetch": "git config extensions.partialClone o; git config core.repositoryFormatVersion 1; "
    "git config remote.o.url ssh://h/x; git config remote.o.promisor true; git config core.sshCommand {trap}; "
    'git update-ref refs/heads/gone "$(git rev-parse HEAD)"; '
    'printf %040d 1 > "$(git rev-parse --git-common-dir)/refs/heads/gone"',
    "config include": "printf '[core]\\n\\tfsmonitor = {trap}\\n' > evil; git config include.path \"$PWD/evil\"",
    "nested repository": "git init -q inner; cd inner; echo x > x; git add x; "
    "git -c user.name=a -c user.email=b commit -qm x; git config core.fsmonitor {trap}; echo y > x",
}


@pytest.mark.parametrize("planted", PLANTED)
def test_the_traps_work(ready: Pod, trap: Path, planted: str) -> None:
    ready.init()
    ready.run(PLANTED[planted].format(trap=trap))
    naive = "git add -A; git update-ref refs/heads/more HEAD; git rev-list --all; git fetch -q . HEAD"
    naive += "; cd inner && git add -A"
    subprocess.run(["sh", "-c", naive], cwd=ready.workspace, capture_output=True, check=False, timeout=30)
    assert sprung(trap)


@pytest.mark.parametrize("planted", PLANTED)
async def test_the_volume_service_springs_no_trap(api: Api, ready: Pod, trap: Path, planted: str) -> None:
    ready.init()
    ready.start_keeper()
    ready.run("echo x > README.md; git commit -qam x; " + PLANTED[planted].format(trap=trap))
    ready.wait_for("result.json")
    ready.stop_keeper()
    (trap.parent / "sprung").unlink(missing_ok=True)
    status, answer = await api.commit(removeWorkspace=True)
    assert (status, answer["state"]) == (200, "committed")
    assert not sprung(trap)


@pytest.mark.parametrize("planted", sorted(PLANTED.keys() - {"nested repository"}))
def test_the_keeper_springs_no_trap(ready: Pod, trap: Path, planted: str) -> None:
    ready.init()
    ready.with_env(AUTOPACK_SNAPSHOT_SECONDS="3600").run(PLANTED[planted].format(trap=trap))
    (trap.parent / "sprung").unlink(missing_ok=True)
    ready.start_keeper()
    result = ready.wait_for("result.json")
    ready.stop_keeper()
    assert result["complete"] is True
    assert not sprung(trap)


async def test_links_out_of_the_workspace_are_not_followed_when_it_is_deleted(
    api: Api, ready: Pod, volume: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("x")
    ready.live(f'ln -s {outside} link; mkdir d; ln -s {outside} d/link; chmod 555 d; ln -s .. "$AUTOPACK_ARTIFACTS/up"')
    await api.commit(removeWorkspace=True)
    for _ in range(100):
        if not any((volume / ".trash").iterdir()):
            break
        await asyncio.sleep(0.05)
    assert not any((volume / ".trash").iterdir())
    assert (outside / "precious").read_text() == "x"


async def test_a_workspace_that_is_a_link_by_now_is_not_followed(api: Api, ready: Pod, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("x")
    ready.live("true")
    ready.workspace.rename(tmp_path / "moved")
    ready.workspace.symlink_to(outside)
    await api.commit(removeWorkspace=True)
    assert (outside / "precious").read_text() == "x"


DEEP = "python3 -c \"import os\nfor _ in range(3000): os.mkdir('d'); os.chdir('d')\" || true"


async def test_a_tree_too_deep_for_git_stays_and_costs_nothing_else(api: Api, ready: Pod, volume: Path) -> None:
    ready.live(f"echo x > x; {DEEP}")
    _, answer = await api.commit(removeWorkspace=True)
    assert (answer["saved"], [one["path"] for one in answer["unsaved"]]) == ("partly", ["."])
    assert git("show", f"{answer['snapshot']}:x", cwd=volume / ".repos/n-demo/results.git") == "x"
    assert ready.workspace.exists()
    # pytest cannot.
    remove_tree(ready.workspace)


async def test_a_very_deep_tree_is_deleted(api: Api, ready: Pod, volume: Path) -> None:
    # Where git does not look: what is too deep for it elsewhere is not saved, and stays.
    ready.live(f"mkdir ignored; cd ignored; {DEEP}")
    await api.commit()
    await api.commit(removeWorkspace=True)
    for _ in range(200):
        if not any((volume / ".trash").iterdir()):
            break
        await asyncio.sleep(0.05)
    assert not any((volume / ".trash").iterdir())


async def test_artifacts_that_nest_too_deep_are_refused(api: Api, ready: Pod) -> None:
    ready.init()
    deep = ready.artifacts
    for _ in range(70):
        deep /= "d"
    deep.mkdir(parents=True)
    status, answer = await api.commit()
    assert (status, answer["reason"]) == (422, "ArtifactsTooDeep")
