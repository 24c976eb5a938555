"""The client against the real service: everything that can be asked, and what a refusal is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from autopack_volume.client.client import RefusedError, VolumeClient
from autopack_volume.contract import messages

from .conftest import TOKEN, UID, Api, Pod, git, import_source

WORK = """
echo said; echo x > f; git add f; git commit -qm f; echo y > g
mkdir -p "$AUTOPACK_ARTIFACTS/ci"; echo '{}' > "$AUTOPACK_ARTIFACTS/ci/b&c d.json"
"""


@pytest.fixture
async def client(api: Api, tmp_path: Path) -> AsyncIterator[VolumeClient]:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    async with VolumeClient(str(api.client.make_url("")), tmp_path / "token") as client:
        yield client


async def test_an_attempt_from_its_preparation_to_what_it_left(
    client: VolumeClient, api: Api, ready: Pod, tmp_path: Path, source: Path
) -> None:
    assert await client.unfinished() == {"unfinished": [{"uid": UID, "runId": "fix-it", "attempt": 1}]}
    ready.live(WORK)
    await api.commit()
    committed = await client.commit(UID, 1, {"runId": "fix-it"})
    assert committed is not None
    attempt = await client.attempt(UID, 1)
    assert (attempt["state"], attempt["commit"]) == ("committed", committed)
    assert await client.run(UID) == {"uid": UID, "attempts": [attempt]}
    listed = await client.artifacts(UID, 1)
    assert "ci/b&c d.json" in {one["path"] for one in listed["files"]}
    async with client.artifact(UID, 1, "ci/b&c d.json", first=2) as response:
        assert await response.read() == b"{}"
    assert await client.log(UID, 1, "stdout", tail=3) == (b"id\n", 2, 5, False)
    patch = await client.diff(UID, 1, 1 << 20, committed=True)
    assert (patch.base, patch.tip, patch.truncated) == (attempt["baseSha"], committed["head"], False)
    assert b"+x" in patch.data
    assert b"+y" not in patch.data
    async with client.bundle(UID, 1, "snapshot", complete=False) as (ref, response):
        (tmp_path / "bundle").write_bytes(await response.read())
    git("fetch", "--quiet", str(tmp_path / "bundle"), f"{ref}:refs/heads/theirs", cwd=source)
    assert git("rev-parse", "theirs", cwd=source) == committed["snapshot"]
    while (forecast := await client.forecast([(UID, 1)])) is None:
        pass
    assert (forecast["order"], forecast["conflicts"]) == ([f"{UID}/1"], [])


async def test_an_attempt_is_prepared(client: VolumeClient, volume: Path, source: Path) -> None:
    import_source(volume, source)
    while (answer := await client.prepare(UID, 1, PREPARE)) is None:
        pass
    assert answer["sha"] == git("rev-parse", "main", cwd=source)


PREPARE: messages.PrepareRequest = {"runId": "fix-it", "source": {"repository": "demo"}, "ref": "HEAD", "branch": "x"}


@pytest.mark.parametrize(
    ("uid", "status", "reason"), [(UID, 404, "AttemptUnknown"), ("../../etc", 422, "InvalidInput")]
)
async def test_a_refusal_says_why(client: VolumeClient, uid: str, status: int, reason: str) -> None:
    with pytest.raises(RefusedError) as raised:
        await client.attempt(uid, 1)
    assert (raised.value.status, raised.value.reason) == (status, reason)


async def test_a_stranger_is_denied(api: Api, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("another")
    timeout = aiohttp.ClientTimeout(total=20)
    async with VolumeClient(str(api.client.make_url("")), tmp_path / "token", timeout) as client:
        with pytest.raises(RefusedError, match="not the operator"):
            await client.unfinished()
