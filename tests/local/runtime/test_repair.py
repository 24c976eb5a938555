"""Mirrors that were damaged on the volume."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Api, Pod, git, import_source
from .test_prepare import commit, url


def damage_idx(mirror: Path) -> None:
    for path in mirror.glob("objects/pack/*.idx"):
        path.chmod(0o644)
        path.write_bytes(b"")


def damage_objects(mirror: Path) -> None:
    for path in [*mirror.glob("objects/pack/*"), *mirror.glob("objects/??/*")]:
        path.unlink()


def damage_contents(mirror: Path) -> None:
    for path in mirror.glob("objects/pack/*.pack"):
        path.chmod(0o644)
        content = path.read_bytes()
        path.write_bytes(content[:12] + bytes(len(content) - 32) + content[-20:])


DAMAGES: dict[str, Callable[[Path], object]] = {
    "objects gone": damage_objects,
    "pack index empty": damage_idx,
    "packed-refs garbage": lambda mirror: (mirror / "packed-refs").write_text("garbage\n"),
    "config garbage": lambda mirror: (mirror / "config").write_text("garbage\n"),
    "HEAD empty": lambda mirror: (mirror / "HEAD").write_text(""),
    "a ref empty": lambda mirror: (mirror / "refs/heads/main").write_text(""),
}


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_damaged_mirror_is_repaired(
    api: Api, source: Path, volume: Path, damage: str, make_pod: Callable[..., Pod]
) -> None:
    for number in range(120):
        (source / f"file-{number}").write_text(str(number))
    git("add", "--all", cwd=source)
    git("commit", "-qm", "enough for a pack", cwd=source)
    _, before = await api.put(source=url(source))
    DAMAGES[damage](volume / ".repos" / before["repoKey"] / "mirror.git")
    newest = commit(source, "later")
    uid = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
    status, answer = await api.put(uid=uid, source=url(source))
    assert (status, answer.get("sha")) == (200, newest)
    assert make_pod(answer, uid=uid).init() == 0


async def test_damage_that_a_first_attempt_failed_by_is_repaired_for_the_second(
    api: Api, source: Path, volume: Path, make_pod: Callable[..., Pod]
) -> None:
    _, first = await api.put(source=url(source))
    damage_contents(volume / ".repos" / first["repoKey"] / "mirror.git")
    assert make_pod(first).init() == 20
    _, second = await api.put(attempt=2, source=url(source))
    assert make_pod(second, attempt=2).init() == 0


async def test_importing_again_repairs_and_updates(api: Api, source: Path, volume: Path) -> None:
    import_source(volume, source)
    damage_objects(volume / ".repos/n-demo/mirror.git")
    newest = commit(source, "later")
    assert newest in import_source(volume, source)
    _, answer = await api.put()
    assert answer["sha"] == newest
