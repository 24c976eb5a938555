"""Removing from a volume what has been kept long enough, and nothing that anybody still needs."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

import pytest

from .conftest import Api, Pod, git, runtime

DAY = 86400
NEVER = dict.fromkeys(("AUTOPACK_KEEP_MIRRORS_DAYS", "AUTOPACK_KEEP_BUNDLES_DAYS", "AUTOPACK_KEEP_RESULTS_DAYS"), "0")


def tidy(volume: Path, *args: str, **days: int) -> list[str]:
    env = NEVER | {f"AUTOPACK_KEEP_{name.upper()}_DAYS": str(number) for name, number in days.items()}
    said = runtime(volume, "tidy", *args, env=env).splitlines()
    return [line for line in said if "remove" in line]


def age(volume: Path, days: int) -> None:
    """Let everything on the volume be older."""
    moment = time.time() - days * DAY
    for folder, _, names in os.walk(volume):
        for name in (".", *names):
            # The service may be deleting what it has done with.
            with contextlib.suppress(FileNotFoundError):
                os.utime(Path(folder, name), (moment, moment), follow_symlinks=False)


def refs(volume: Path) -> list[str]:
    repo = volume / ".repos/n-demo/results.git"
    return git("for-each-ref", "--format=%(refname)", "refs/runs", cwd=repo).splitlines()


@pytest.fixture
async def ended(api: Api, ready: Pod) -> Pod:
    """An attempt that committed something, and is imported."""
    ready.live("echo x > README.md && git commit -qam work")
    status, answer = await api.commit(removeWorkspace=True)
    assert (status, answer["state"]) == (200, "committed")
    return ready


async def test_a_bundle_goes_once_its_commits_are_imported(volume: Path, ended: Pod) -> None:
    bundle = ended.files.bundle
    assert tidy(volume, bundles=7) == []
    age(volume, 8)
    (would,) = tidy(volume, "--dry-run", bundles=7)
    assert would.startswith("would remove bundle of ")
    assert bundle.exists()
    (did,) = tidy(volume, bundles=7)
    assert did.startswith("removed bundle of ")
    assert not bundle.exists()
    assert tidy(volume, bundles=7) == []
    assert any(ref.endswith("/heads/autopack/fix-it") for ref in refs(volume))


async def test_a_bundle_with_a_commit_that_no_ref_has_stays(volume: Path, ended: Pod) -> None:
    (branch,) = [ref for ref in refs(volume) if ref.endswith("/heads/autopack/fix-it")]
    others = [ref for ref in refs(volume) if ref.endswith("/head")]
    for ref in (branch, *others):
        git("update-ref", "-d", ref, cwd=volume / ".repos/n-demo/results.git")
    age(volume, 8)
    assert tidy(volume, bundles=7) == []
    assert ended.files.bundle.exists()


async def test_results_go_only_when_the_policy_names_them(volume: Path, ended: Pod) -> None:
    age(volume, 400)
    tidy(volume, mirrors=1, bundles=1)
    assert refs(volume)
    (did,) = tidy(volume, results=365)
    assert did.startswith("removed results of ")
    assert refs(volume) == []
    assert not list((volume / ".attempts").glob("*/*.json"))
    assert (ended.artifacts / "logs/stdout.log").exists()


async def test_results_of_a_run_that_goes_on_stay(volume: Path, ended: Pod, api: Api) -> None:
    await api.put(attempt=2)
    age(volume, 400)
    assert tidy(volume, results=1) == []
    assert refs(volume)


async def test_a_repository_that_was_brought_by_hand_stays(volume: Path, ended: Pod) -> None:
    age(volume, 400)
    assert tidy(volume, mirrors=1) == []
    assert (volume / ".repos/n-demo/mirror.git/HEAD").exists()


async def test_a_mirror_goes_when_nothing_stands_on_it(volume: Path, source: Path, ended: Pod) -> None:
    key = volume / ".repos/u-0123456789abcdef0123456789abcdef"
    (volume / ".repos/n-demo").rename(key)
    age(volume, 400)
    assert tidy(volume, mirrors=1) == []
    for ref in git("for-each-ref", "--format=%(refname)", "refs/runs", cwd=key / "results.git").splitlines():
        git("update-ref", "-d", ref, cwd=key / "results.git")
    age(volume, 400)
    assert [line.split()[:2] for line in tidy(volume, mirrors=1)] == [["removed", "mirror"]]
    assert not (key / "mirror.git").exists()
