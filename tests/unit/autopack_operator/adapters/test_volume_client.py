"""The volume service's answers as the port promises them; an unreachable service is a transient failure."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port
from tests.unit.autopack_operator.adapters.api_double import Answer, Double, JsonDict, json, text

from autopack_operator.adapters.volume_http.client import HttpVolume
from autopack_operator.domain.api.common import Incomplete, Source
from autopack_operator.domain.run.prompts import Asked
from autopack_operator.domain.views import Attempt, CommittedWork, UnfinishedAttempt, VolumeFailure

FOLDERS = {"workspace": "w", "artifacts": "r/a1", "kept": ".kept/r/a1"}
PREPARED: JsonDict = {"state": "ready", "repoKey": "n-x", "sha": "a" * 40, **FOLDERS}
COMMITTED: JsonDict = {
    "state": "committed",
    "complete": True,
    "exitCode": 0,
    "head": "b" * 40,
    "ref": "refs/runs/u/a1/heads/x",
    "branches": {},
    "snapshot": None,
    "manifestSha256": "c" * 64,
    "files": 3,
    "bytes": 42,
}


@asynccontextmanager
async def service(double: Double, token_file: Path) -> AsyncIterator[HttpVolume]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", double.answer)
    async with TestServer(app) as server:
        volume = HttpVolume(str(server.make_url("")), token_file)
        try:
            yield volume
        finally:
            await volume.close()


async def prepared(volume: HttpVolume, source: Source | None = None) -> Attempt | VolumeFailure | None:
    return await volume.prepare("uid", "r", 1, source or Source(repository="x", ref="main"), "autopack/r")


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text("one\n")
    return path


@pytest.mark.parametrize(
    ("asked", "sent"),
    [(Asked(text="do it"), {"prompt": "do it"}), (Asked(file="docs/task.md"), {"promptFile": "docs/task.md"})],
)
async def test_what_a_run_is_asked_is_sent_along(asked: Asked, sent: JsonDict, token_file: Path) -> None:
    double = Double(json(PREPARED))
    async with service(double, token_file) as volume:
        await volume.prepare("uid", "r", 1, Source(repository="x"), "autopack/r", asked=asked)
    [request] = double.asked
    assert (await request.json()).items() >= sent.items()


async def test_a_service_that_knows_no_prompts_is_asked_again_until_it_is_upgraded(token_file: Path) -> None:
    double = Double(json({"state": "failed", "reason": "InvalidInput", "message": "unknown field"}, 422))
    async with service(double, token_file) as volume:
        answer = await volume.prepare("uid", "r", 1, Source(repository="x"), "autopack/r", asked=Asked(text="do it"))
    assert isinstance(answer, VolumeFailure)
    assert answer.transient


async def test_a_prepared_attempt(token_file: Path) -> None:
    double = Double(json(PREPARED))
    async with service(double, token_file) as volume:
        assert await prepared(volume) == Attempt(1, "n-x", "a" * 40, "w", "r/a1", ".kept/r/a1")
    [request] = double.asked
    assert (request.method, request.path) == ("PUT", "/v1/attempts/uid/1")
    assert request.headers["Authorization"] == "Bearer one"
    assert await request.json() == {
        "runId": "r",
        "source": {"repository": "x"},
        "ref": "main",
        "branch": "autopack/r",
    }


async def test_an_attempt_prepared_before_our_files_lay_apart_has_them_among_its_artifacts(token_file: Path) -> None:
    double = Double(json({name: value for name, value in PREPARED.items() if name != "kept"}))
    async with service(double, token_file) as volume:
        assert await prepared(volume) == Attempt(1, "n-x", "a" * 40, "w", "r/a1", "r/a1")


async def test_a_url_is_sent_as_the_only_source(token_file: Path) -> None:
    double = Double(json(PREPARED))
    async with service(double, token_file) as volume:
        await prepared(volume, Source(url="https://host/x.git"))
    assert (await double.asked[0].json())["source"] == {"url": "https://host/x.git"}


async def test_an_attempt_that_goes_on_from_another(token_file: Path) -> None:
    double = Double(json(PREPARED | {"resumedFrom": "e" * 40}))
    async with service(double, token_file) as volume:
        answer = await volume.prepare("uid", "r", 2, Source(repository="x"), "autopack/r", resume=True)
    assert isinstance(answer, Attempt)
    assert answer.resumed_from == "e" * 40
    assert (await double.asked[0].json())["resume"] is True


async def test_that_a_commit_may_be_incomplete_is_told_where_it_is_so(token_file: Path) -> None:
    double = Double(json(PREPARED))
    async with service(double, token_file) as volume:
        await prepared(volume, Source(repository="x", incomplete=Incomplete.ALLOW))
    assert (await double.asked[0].json())["incomplete"] is True


@pytest.mark.parametrize(
    ("source", "resume"),
    [(Source(repository="x"), True), (Source(repository="x", incomplete=Incomplete.ALLOW), False)],
)
async def test_a_service_that_is_too_old_to_understand_is_waited_for(
    token_file: Path, source: Source, *, resume: bool
) -> None:
    refusal = {"state": "failed", "reason": "InvalidInput", "message": "body: has an unknown field"}
    async with service(Double(json(refusal, 422)), token_file) as volume:
        answer = await volume.prepare("uid", "r", 2, source, "autopack/r", resume=resume)
    assert isinstance(answer, VolumeFailure)
    assert answer.transient


async def test_committed_work(token_file: Path) -> None:
    double = Double(json(COMMITTED))
    async with service(double, token_file) as volume:
        work = await volume.commit("uid", "r", 1, remove_workspace=True)
    assert work == CommittedWork(True, 0, "b" * 40, "refs/runs/u/a1/heads/x", "c" * 64, 3, 42)
    [request] = double.asked
    assert (request.method, request.path) == ("POST", "/v1/attempts/uid/1/commit")
    assert await request.json() == {"runId": "r", "removeWorkspace": True}


async def test_what_is_not_saved(token_file: Path) -> None:
    big = {"path": "big", "bytes": 1 << 40, "reason": "larger than 2 GiB"}
    answer = COMMITTED | {"complete": False, "saved": "partly", "unsaved": [big], "unsavedCount": 7}
    async with service(Double(json(answer)), token_file) as volume:
        work = await volume.commit("uid", "r", 1, remove_workspace=True)
    assert isinstance(work, CommittedWork)
    assert (work.saved, work.unsaved, work.unsaved_count) == ("partly", (big,), 7)


async def test_a_service_of_before_says_only_whether_all_is_saved(token_file: Path) -> None:
    async with service(Double(json(COMMITTED | {"complete": False})), token_file) as volume:
        work = await volume.commit("uid", "r", 1, remove_workspace=True)
    assert isinstance(work, CommittedWork)
    assert (work.saved, work.unsaved) == ("unknown", ())


async def test_pending_is_none(token_file: Path) -> None:
    async with service(Double(json({"state": "pending"}, 202)), token_file) as volume:
        assert await prepared(volume) is None


async def test_422_is_for_good(token_file: Path) -> None:
    answer = json({"state": "failed", "reason": "RefNotFound", "message": "no ref x"}, 422)
    async with service(Double(answer), token_file) as volume:
        assert await prepared(volume) == VolumeFailure("RefNotFound", "no ref x", transient=False)


@pytest.mark.parametrize(
    "answer",
    [
        json({"state": "failed", "reason": "TransientDisk", "message": "m"}, 503),
        json({"state": "failed", "reason": "Denied", "message": "m"}, 401),
        json({"state": "failed", "reason": "Denied", "message": "m"}, 403),
        json({}, 404),
        json({}, 500),
        text("<html>", 502),
        text("<html>", 200),
        json({"state": "ready"}, 200),
        json({"state": "ready", "repoKey": None, "sha": 5, "workspace": "w", "artifacts": "a"}, 200),
    ],
)
async def test_everything_else_is_asked_again(token_file: Path, answer: Answer) -> None:
    async with service(Double(answer), token_file) as volume:
        failure = await prepared(volume)
    assert isinstance(failure, VolumeFailure)
    assert failure.transient
    assert failure.reason
    assert failure.message


async def test_nobody_there_is_asked_again_and_the_message_says_why(token_file: Path) -> None:
    volume = HttpVolume(f"http://127.0.0.1:{unused_port()}", token_file)
    failure = await prepared(volume)
    await volume.close()
    assert isinstance(failure, VolumeFailure)
    assert failure.transient
    assert "Connect" in failure.message


async def test_a_silent_service_is_given_up_in_time(token_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autopack_operator.adapters.volume_http.client.TIMEOUT_SECONDS", 0.2)
    async with service(Double(json(PREPARED, after=1)), token_file) as volume:
        failure = await prepared(volume)
    assert isinstance(failure, VolumeFailure)
    assert failure.transient
    assert "Timeout" in failure.message


async def test_a_token_that_is_not_there_yet_is_asked_again(tmp_path: Path) -> None:
    volume = HttpVolume("http://127.0.0.1:9", tmp_path / "absent")
    failure = await prepared(volume)
    await volume.close()
    assert isinstance(failure, VolumeFailure)
    assert failure.transient


async def test_a_rotated_token_is_used(token_file: Path) -> None:
    double = Double(json(PREPARED))
    async with service(double, token_file) as volume:
        await prepared(volume)
        await asyncio.to_thread(token_file.write_text, "two\n")
        await prepared(volume)
    assert [request.headers["Authorization"] for request in double.asked] == ["Bearer one", "Bearer two"]


async def test_what_was_never_taken_in(token_file: Path) -> None:
    double = Double(json({"unfinished": [{"uid": "u", "runId": "r", "attempt": 2}]}))
    async with service(double, token_file) as volume:
        assert await volume.unfinished() == [UnfinishedAttempt("u", "r", 2)]
    assert (double.asked[0].method, double.asked[0].path) == ("GET", "/v1/attempts")


@pytest.mark.parametrize("body", [{}, {"unfinished": 3}, {"unfinished": [{"uid": "u"}]}])
async def test_a_list_that_cannot_be_read_is_asked_for_again(token_file: Path, body: dict[str, object]) -> None:
    async with service(Double(json(body)), token_file) as volume:
        answer = await volume.unfinished()
    assert isinstance(answer, VolumeFailure)
    assert answer.transient
