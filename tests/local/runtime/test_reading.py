"""Readers over HTTP: what runs left, and what they are writing, on real files and real git."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from yarl import URL

from .conftest import TOKEN, UID, Api, Pod, git, import_source

SECRET = "what is outside"
OTHER = "11111111-d9cb-469f-a165-70867728950e"
WORK = """
echo 'a new line' >> README.md; git commit -qam 'a commit of the run'
echo untracked > new.txt
mkdir -p "$AUTOPACK_ARTIFACTS/ci"; printf 0123456789 > "$AUTOPACK_ARTIFACTS/ci/report.txt"
echo said; echo complained >&2
"""
HOSTILE = "evil\n\x1b[31m<img src=x onerror=alert(1)>=cmd|' \udcff.html"


async def get(api: Api, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    wanted = {"Authorization": f"Bearer {TOKEN}", **headers}
    async with api.client.get(path, headers=wanted) as response:
        return response.status, dict(response.headers), await response.read()


async def get_json(api: Api, path: str) -> tuple[int, dict[str, Any]]:
    async with api.client.get(path, headers={"Authorization": f"Bearer {TOKEN}"}) as response:
        return response.status, await response.json()


def of(path: str = "", uid: str = UID) -> str:
    return f"/v1/attempts/{uid}/1{path}"


@pytest.fixture
async def committed(api: Api, ready: Pod) -> Pod:
    """A run that worked, ended and was committed."""
    ready.live(WORK)
    status, answer = await api.commit()
    assert status == 200, answer
    return ready


async def test_an_attempt_says_how_far_it_is(api: Api, ready: Pod) -> None:
    _, before = await get_json(api, of())
    ready.live(WORK)
    await api.commit()
    _, after = await get_json(api, of())
    assert (before["state"], before["commit"]) == ("live", None)
    assert (after["state"], after["runId"]) == ("committed", "fix-it")
    assert after["commit"]["ref"] == f"refs/runs/{UID}/a1/heads/autopack/fix-it"


async def test_a_run_lists_its_attempts(api: Api, committed: Pod) -> None:
    await api.put(attempt=2)
    _, found = await get_json(api, f"/v1/attempts/{UID}")
    assert [(one["attempt"], one["state"]) for one in found["attempts"]] == [(1, "committed"), (2, "live")]


async def test_an_attempt_that_could_not_be_prepared_says_why(api: Api, volume: Path, source: Path) -> None:
    import_source(volume, source)
    await api.put(ref="no-such-branch")
    _, found = await get_json(api, of())
    assert (found["state"], found["reason"]) == ("refused", "RefNotFound")


async def test_the_list_of_a_committed_attempt_is_its_manifest(api: Api, committed: Pod) -> None:
    _, listed = await get_json(api, of("/artifacts"))
    report = next(one for one in listed["files"] if one["path"] == "ci/report.txt")
    assert report == {"path": "ci/report.txt", "size": 10, "sha256": hashlib.sha256(b"0123456789").hexdigest()}
    assert (listed["state"], listed["truncated"]) == ("committed", False)


async def test_a_manifest_that_was_changed_since_is_not_believed(api: Api, committed: Pod) -> None:
    manifest = committed.files.manifest
    manifest.chmod(0o644)
    manifest.write_bytes(manifest.read_bytes().replace(b"report", b"forged"))
    status, answer = await get_json(api, of("/artifacts"))
    assert (status, answer["reason"]) == (422, "ManifestMismatch")


async def test_a_live_attempt_lists_what_is_there(api: Api, ready: Pod) -> None:
    (ready.artifacts / "ci").mkdir()
    (ready.artifacts / "ci" / "half").write_text("abc")
    _, listed = await get_json(api, of("/artifacts"))
    assert {"path": "ci/half", "size": 3, "sha256": None} in listed["files"]
    assert listed["state"] == "live"


async def test_an_artifact_is_downloaded(api: Api, committed: Pod) -> None:
    status, headers, body = await get(api, of("/artifact?path=ci/report.txt"))
    assert (status, body) == (200, b"0123456789")
    assert headers["Content-Disposition"] == "attachment; filename*=UTF-8''report.txt"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Type"] == "application/octet-stream"


async def test_a_part_of_an_artifact_is_downloaded(api: Api, committed: Pod) -> None:
    status, headers, body = await get(api, of("/artifact?path=ci/report.txt"), Range="bytes=-3")
    assert (status, headers["Content-Range"], body) == (206, "bytes 7-9/10", b"789")


async def test_a_part_that_is_not_there_is_refused(api: Api, committed: Pod) -> None:
    status, _, _ = await get(api, of("/artifact?path=ci/report.txt"), Range="bytes=10-")
    assert status == 416


async def test_a_large_artifact_arrives_whole(api: Api, ready: Pod) -> None:
    data = os.urandom(3 << 20)
    (ready.artifacts / "large").write_bytes(data)
    _, _, body = await get(api, of("/artifact?path=large"))
    assert body == data


@pytest.mark.parametrize(
    "path", ["../../../../etc/passwd", "repo.git/config", "up/secret", "link", "/etc/passwd", "pipe"]
)
async def test_nothing_but_artifacts_is_sent(api: Api, ready: Pod, volume: Path, path: str) -> None:
    (volume.parent / "secret").write_text(SECRET)
    (ready.artifacts / "up").symlink_to(volume.parent)
    (ready.artifacts / "link").symlink_to(volume.parent / "secret")
    os.mkfifo(ready.artifacts / "pipe")
    status, _, body = await get(api, of(f"/artifact?path={path}"))
    assert status in {404, 422}
    assert SECRET.encode() not in body


async def test_a_file_that_is_swapped_for_a_link_again_and_again_never_leads_out(
    api: Api, ready: Pod, volume: Path
) -> None:
    (volume.parent / "secret").write_text(SECRET)
    place = ready.artifacts / "swapped"
    stop = asyncio.Event()

    async def swap() -> None:
        for number in range(10**9):
            if stop.is_set():
                return
            new = place.with_name("new")
            if number % 2:
                new.symlink_to(volume.parent / "secret")
            else:
                new.write_text("mine")
            new.rename(place)
            await asyncio.sleep(0)

    swapping = asyncio.create_task(swap())
    answers = [await get(api, of("/artifact?path=swapped")) for _ in range(100)]
    stop.set()
    await swapping
    assert {body for status, _, body in answers if status == 200} <= {b"mine"}


async def test_a_hostile_name_is_inert_and_can_be_fetched(api: Api, ready: Pod) -> None:
    (ready.artifacts / HOSTILE.replace("/", "")).write_text("contents")
    async with api.client.get(of("/artifacts"), headers={"Authorization": f"Bearer {TOKEN}"}) as response:
        raw = await response.read()
        listed = await response.json()
    name = next(one["path"] for one in listed["files"] if one["path"].startswith("evil"))
    assert not any(byte < 32 or byte > 126 for byte in raw)
    path = quote(name.encode("utf-8", "surrogateescape"), safe="")
    async with api.client.get(
        URL(of(f"/artifact?path={path}"), encoded=True), headers={"Authorization": f"Bearer {TOKEN}"}
    ) as response:
        assert (response.status, await response.text()) == (200, "contents")
        assert response.headers["Content-Disposition"].isprintable()


async def test_the_end_of_a_log(api: Api, committed: Pod) -> None:
    _, headers, body = await get(api, of("/logs/stdout?tail=3"))
    assert (body, headers["X-Autopack-Offset"], headers["X-Autopack-Size"]) == (b"id\n", "2", "5")
    assert headers["X-Autopack-State"] == "committed"


async def test_a_log_is_followed_by_offsets(api: Api, ready: Pod) -> None:
    log = ready.artifacts / "logs" / "stderr.log"
    log.parent.mkdir(exist_ok=True)
    log.write_text("one\n")
    _, headers, first = await get(api, of("/logs/stderr?offset=0"))
    with log.open("a") as file:
        file.write("two\n")
    _, _, second = await get(api, of(f"/logs/stderr?offset={headers['X-Autopack-Size']}"))
    assert (first, second, headers["X-Autopack-State"]) == (b"one\n", b"two\n", "live")


async def test_a_log_that_is_not_there_yet_is_empty(api: Api, ready: Pod) -> None:
    status, headers, body = await get(api, of("/logs/stdout?tail=10"))
    assert (status, headers["X-Autopack-Size"], body) == (200, "0", b"")


async def test_a_log_that_is_a_link_is_not_followed(api: Api, ready: Pod, volume: Path) -> None:
    (volume.parent / "secret").write_text(SECRET)
    (ready.artifacts / "logs").mkdir(exist_ok=True)
    (ready.artifacts / "logs" / "stdout.log").symlink_to(volume.parent / "secret")
    _, _, body = await get(api, of("/logs/stdout"))
    assert body == b""


@pytest.mark.parametrize("path", ["/logs/other", "/logs/stdout?tail=1&offset=1", "/artifact", "/artifacts?x=1"])
async def test_a_question_that_makes_no_sense_is_refused(api: Api, ready: Pod, path: str) -> None:
    status, answer = await get_json(api, of(path))
    assert (status, answer["reason"]) == (422, "InvalidInput")


async def test_a_branch_comes_into_a_clone(api: Api, committed: Pod, source: Path, tmp_path: Path) -> None:
    status, headers, body = await get(api, of("/bundle"))
    assert status == 200
    bundle = tmp_path / "work.bundle"
    bundle.write_bytes(body)
    git("fetch", "--quiet", str(bundle), f"{headers['X-Autopack-Ref']}:refs/heads/theirs", cwd=source)
    assert git("log", "-1", "--format=%s", "theirs", cwd=source) == "a commit of the run"


async def test_a_whole_history_comes_into_an_empty_repository(api: Api, committed: Pod, tmp_path: Path) -> None:
    _, headers, body = await get(api, of("/bundle?complete=true"))
    (tmp_path / "work.bundle").write_bytes(body)
    git("init", "--quiet", str(tmp_path / "empty"))
    refspec = f"{headers['X-Autopack-Ref']}:refs/heads/theirs"
    git("fetch", "--quiet", str(tmp_path / "work.bundle"), refspec, cwd=tmp_path / "empty")
    assert git("rev-list", "--count", "theirs", cwd=tmp_path / "empty") == "2"


async def test_a_snapshot_is_a_ref_like_others(api: Api, committed: Pod, source: Path, tmp_path: Path) -> None:
    _, headers, body = await get(api, of("/bundle?ref=snapshot"))
    (tmp_path / "work.bundle").write_bytes(body)
    git("fetch", "--quiet", str(tmp_path / "work.bundle"), f"{headers['X-Autopack-Ref']}:refs/heads/x", cwd=source)
    assert git("show", "x:new.txt", cwd=source) == "untracked"


@pytest.mark.parametrize("ref", ["heads/none", "--all", "../a1/head", "head^"])
async def test_a_ref_that_the_attempt_did_not_leave(api: Api, committed: Pod, ref: str) -> None:
    status, answer = await get_json(api, of(f"/bundle?ref={ref}"))
    assert (status, answer["reason"]) in {(404, "RefNotFound"), (422, "InvalidInput")}


async def test_a_run_without_commits_has_nothing_to_fetch(api: Api, ready: Pod) -> None:
    ready.live("true")
    await api.commit()
    status, answer = await get_json(api, of("/bundle"))
    assert (status, answer["reason"]) == (409, "NothingNew")


async def test_bundles_leave_nothing_on_the_volume(api: Api, committed: Pod, volume: Path) -> None:
    await get(api, of("/bundle"))
    await get(api, of("/bundle?ref=none"))
    assert not list((volume / ".repos").glob("*/.tmp-*"))


async def test_a_diff_has_what_was_not_committed(api: Api, committed: Pod) -> None:
    status, headers, body = await get(api, of("/diff"))
    assert status == 200
    assert b"+a new line" in body
    assert b"+untracked" in body
    assert headers["X-Autopack-Truncated"] == "false"


async def test_a_diff_of_the_commits_alone(api: Api, committed: Pod) -> None:
    _, _, body = await get(api, of("/diff?committed=true"))
    assert b"+a new line" in body
    assert b"untracked" not in body


async def test_a_diff_is_cut_and_says_so(api: Api, committed: Pod) -> None:
    _, headers, body = await get(api, of("/diff?limit=10"))
    assert (len(body), headers["X-Autopack-Truncated"]) == (10, "true")


async def test_a_summary_of_a_diff(api: Api, committed: Pod) -> None:
    _, _, body = await get(api, of("/diff?stat=true"))
    assert b"2 files changed" in body


@pytest.mark.parametrize("what", ["/diff", "/bundle"])
async def test_commits_of_a_live_attempt_are_not_there_yet(api: Api, ready: Pod, what: str) -> None:
    status, answer = await get_json(api, of(what))
    assert (status, answer["reason"]) == (409, "NotCommitted")


async def forecast(api: Api, query: str) -> tuple[int, dict[str, Any]]:
    for _ in range(100):
        status, answer = await get_json(api, f"/v1/forecast?{query}")
        if status != 202:
            return status, answer
        await asyncio.sleep(0.1)
    pytest.fail("no forecast")


async def test_two_runs_that_clash_are_foreseen(
    api: Api, ready: Pod, make_pod: Callable[..., Pod], source: Path
) -> None:
    _, answer = await api.put(OTHER, runId="other")
    other = make_pod(answer, OTHER).with_env(AUTOPACK_RUN_ID="other")
    for pod, text in ((ready, "one"), (other, "two")):
        pod.live(f"echo {text} > README.md; git commit -qam {text}")
    assert (await api.commit())[0] == 200
    assert (await api.commit(OTHER, runId="other"))[0] == 200
    status, found = await forecast(api, f"attempt={UID}/1&attempt={OTHER}/1")
    assert status == 200
    assert found["order"] == [f"{UID}/1"]
    assert found["conflicts"] == [{"first": f"{UID}/1", "second": f"{OTHER}/1", "paths": ["README.md"], "morePaths": 0}]
    assert found["runs"] == {f"{UID}/1": "fix-it", f"{OTHER}/1": "other"}
    assert found["baseSha"] == git("rev-parse", "main", cwd=source)


async def test_a_forecast_leaves_nothing_in_the_repository(api: Api, committed: Pod, volume: Path) -> None:
    repo = volume / ".repos/n-demo/results.git"
    before = git("count-objects", "-v", cwd=repo)
    assert (await forecast(api, f"attempt={UID}/1&base=main"))[0] == 200
    assert git("count-objects", "-v", cwd=repo) == before
    assert not list((volume / ".repos").glob("*/.tmp-*"))


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        (f"attempt={UID}/1&base=none", "RefNotFound"),
        (f"attempt={UID}/1&base=-x", "InvalidInput"),
        (f"attempt={UID}/9", "AttemptUnknown"),
        ("attempt=x", "InvalidInput"),
    ],
)
async def test_a_forecast_of_what_is_not_there(api: Api, committed: Pod, query: str, reason: str) -> None:
    status, answer = await forecast(api, query)
    assert (status, answer["reason"]) == (422, reason)


async def test_runs_of_two_repositories_have_no_common_forecast(
    api: Api, committed: Pod, volume: Path, source: Path
) -> None:
    import_source(volume, source, "second")
    await api.put(OTHER, runId="other", source={"repository": "second"})
    status, answer = await forecast(api, f"attempt={UID}/1&attempt={OTHER}/1")
    assert (status, answer["reason"]) == (422, "InvalidInput")
