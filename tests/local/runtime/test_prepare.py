"""Preparing an attempt: which commit, which folders, and the same answer forever."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import BaseTestServer, TestServer

from .conftest import UID, Api, git, import_source


def url(source: Path) -> dict[str, str]:
    return {"url": f"file://{source}"}


def commit(source: Path, text: str) -> str:
    (source / "README.md").write_text(text)
    git("commit", "-qam", text, cwd=source)
    return git("rev-parse", "HEAD", cwd=source)


async def test_the_answer_names_what_the_pod_mounts(api: Api, source: Path, volume: Path) -> None:
    import_source(volume, source)
    status, answer = await api.put()
    assert status == 200
    assert answer == {
        "state": "ready",
        "repoKey": "n-demo",
        "sha": git("rev-parse", "main", cwd=source),
        "workspace": "workspaces/fix-it/a1-0f8fad5b",
        "artifacts": "fix-it/a1-0f8fad5b",
        "kept": ".kept/fix-it/a1-0f8fad5b",
    }
    for folder in (answer["workspace"], answer["artifacts"], answer["kept"]):
        assert stat.S_IMODE((volume / folder).stat().st_mode) == 0o2775


async def test_asked_again_it_answers_the_same_though_the_branch_moved(api: Api, source: Path) -> None:
    before = await api.put(source=url(source))
    commit(source, "later")
    assert await api.put(source=url(source)) == before


async def test_the_answer_outlives_the_service(api: Api, start_api: Callable[[], Any], source: Path) -> None:
    before = await api.put(source=url(source))
    commit(source, "later")
    again: Api = await start_api()
    assert await again.put(source=url(source)) == before


async def test_a_retry_starts_at_the_commit_of_the_first_attempt(api: Api, source: Path) -> None:
    _, first = await api.put(source=url(source))
    commit(source, "later")
    _, second = await api.put(attempt=2, source=url(source))
    assert second["sha"] == first["sha"]
    assert second["workspace"] != first["workspace"]


async def test_another_run_starts_at_the_newest_commit(api: Api, source: Path) -> None:
    await api.put(source=url(source))
    newest = commit(source, "later")
    _, answer = await api.put(uid="7c9e6679-7425-40de-944b-e07fc1f90ae7", source=url(source))
    assert answer["sha"] == newest


async def test_other_values_for_the_same_attempt_are_a_conflict(api: Api, source: Path) -> None:
    await api.put(source=url(source))
    status, answer = await api.put(source=url(source), branch="another")
    assert (status, answer["reason"]) == (422, "AttemptConflict")


async def test_folders_that_hold_files_are_not_handed_out(api: Api, source: Path, volume: Path) -> None:
    used = volume / "fix-it/a1-0f8fad5b"
    used.mkdir(parents=True)
    (used / "file").write_text("of another")
    status, answer = await api.put(source=url(source))
    assert (status, answer["reason"]) == (422, "AttemptConflict")


async def test_a_symlink_on_the_volume_is_not_followed(api: Api, source: Path, volume: Path, tmp_path: Path) -> None:
    (volume / "fix-it").symlink_to(tmp_path)
    status, answer = await api.put(source=url(source))
    assert (status, answer["reason"]) == (422, "VolumeUnsafe")
    assert not (tmp_path / "a1-0f8fad5b").exists()


@pytest.mark.parametrize("ref", ["main", "refs/heads/main", "v1", "refs/tags/v1", "HEAD", "refs/pull/1/head"])
async def test_every_kind_of_ref_is_found(api: Api, source: Path, ref: str) -> None:
    git("tag", "-am", "annotated", "v1", cwd=source)
    git("update-ref", "refs/pull/1/head", "HEAD", cwd=source)
    status, answer = await api.put(source=url(source), ref=ref)
    assert status == 200, answer
    assert answer["sha"] == git("rev-parse", "main", cwd=source)


async def test_a_commit_id_may_be_cut_off(api: Api, source: Path) -> None:
    sha = git("rev-parse", "main", cwd=source)
    _, answer = await api.put(source=url(source), ref=sha[:10])
    assert answer["sha"] == sha


async def test_a_commit_on_no_branch_is_fetched_by_its_id(api: Api, source: Path) -> None:
    old = git("rev-parse", "HEAD", cwd=source)
    git("config", "uploadpack.allowAnySHA1InWant", "true", cwd=source)
    git("commit", "-q", "--amend", "-m", "replaced", cwd=source)
    status, answer = await api.put(source=url(source), ref=old)
    assert (status, answer.get("sha")) == (200, old)


async def test_a_branch_is_meant_where_a_tag_has_its_name(api: Api, source: Path) -> None:
    git("tag", "same", cwd=source)
    newest = commit(source, "later")
    git("branch", "same", cwd=source)
    _, answer = await api.put(source=url(source), ref="same")
    assert answer["sha"] == newest


@pytest.mark.parametrize("ref", ["nowhere", "refs/heads/nowhere", "refs/pull/9/head", "1" * 40, "abcdef1"])
async def test_a_ref_that_is_not_there_is_said(api: Api, source: Path, ref: str) -> None:
    status, answer = await api.put(source=url(source), ref=ref)
    assert (status, answer["reason"]) == (422, "RefNotFound")


async def test_an_empty_repository_is_said(api: Api, tmp_path: Path) -> None:
    git("init", "-q", str(tmp_path / "empty"))
    status, answer = await api.put(source=url(tmp_path / "empty"))
    assert (status, answer["reason"]) == (422, "RepositoryEmpty")


async def test_a_repository_that_is_not_there_is_said(api: Api, tmp_path: Path) -> None:
    status, answer = await api.put(source=url(tmp_path / "nowhere"))
    assert (status, answer["reason"]) == (422, "RepositoryNotFound")


async def test_a_repository_never_imported_is_said(api: Api) -> None:
    status, answer = await api.put()
    assert (status, answer["reason"]) == (422, "RepositoryNotFound")
    assert "import-repository" in answer["message"]


async def test_a_failure_is_pinned_too(api: Api, source: Path, volume: Path) -> None:
    before = await api.put()
    import_source(volume, source)
    assert await api.put() == before


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"source": {"url": "ext::sh -c id"}}, "source.url"),
        ({"source": {"url": "https://user:secret@example.com/a.git"}}, "source.url"),
        ({"source": {"url": "https://169.254.169.254/a.git"}}, "source.url"),
        ({"source": {"repository": "../x"}}, "repository"),
        ({"source": {"url": "https://example.com/a", "repository": "demo"}}, "source"),
        ({"source": {}}, "source"),
        ({"ref": "--upload-pack=x"}, "ref"),
        ({"branch": "-x"}, "branch"),
        ({"runId": "../x"}, "run_id"),
        ({"runId": "workspaces"}, "run_id"),
        ({"more": 1}, "body"),
    ],
)
async def test_bad_input_is_refused_by_name(api: Api, volume: Path, body: dict[str, Any], field: str) -> None:
    status, answer = await api.put(**body)
    assert (status, answer["reason"]) == (422, "InvalidInput")
    assert answer["message"].startswith(f"{field}:")
    assert "secret" not in answer["message"]
    assert not (volume / ".repos").exists()


async def test_a_pinned_commit_survives_a_force_push(api: Api, source: Path, volume: Path) -> None:
    _, first = await api.put(source=url(source))
    git("commit", "-q", "--amend", "-m", "replaced", cwd=source)
    _, answer = await api.put(uid="7c9e6679-7425-40de-944b-e07fc1f90ae7", source=url(source))
    mirror = volume / ".repos" / answer["repoKey"] / "mirror.git"
    assert answer["sha"] != first["sha"]
    assert git("rev-parse", f"refs/pins/{UID}", cwd=mirror) == first["sha"]


async def test_a_branch_deleted_there_is_not_found_here(api: Api, source: Path) -> None:
    git("branch", "gone", cwd=source)
    await api.put(source=url(source))
    git("branch", "-D", "gone", cwd=source)
    status, answer = await api.put(uid="7c9e6679-7425-40de-944b-e07fc1f90ae7", source=url(source), ref="gone")
    assert (status, answer.get("reason")) == (422, "RefNotFound")


async def test_many_at_once_share_few_fetches(api: Api, source: Path) -> None:
    uids = [f"{number:08d}-0000-4000-8000-000000000000" for number in range(16)]
    answers = await asyncio.gather(*(api.put(uid=uid, runId=f"run-{uid[:8]}", source=url(source)) for uid in uids))
    assert {status for status, _ in answers} == {200}
    async with api.client.get("/metrics") as response:
        lines = (await response.text()).splitlines()
    fetches = next(float(line.split()[1]) for line in lines if line.startswith("autopack_volume_fetch_seconds_count"))
    assert 1 <= fetches <= 3


class SilentServer:
    """Accepts connections and never says a word."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._held: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        try:
            while True:
                self._held.append(self._socket.accept()[0])
        except OSError:
            return

    def close(self) -> None:
        for held in [*self._held, self._socket]:
            held.close()


@pytest.fixture
def silent() -> Iterator[SilentServer]:
    server = SilentServer()
    yield server
    server.close()


async def test_a_server_that_never_answers_is_asked_again_later(
    start_api: Callable[..., Any], silent: SilentServer
) -> None:
    api: Api = await start_api(protocols=("http",), fetch_timeout=1)
    status, answer = await api.put(source={"url": f"http://127.0.0.1:{silent.port}/a.git"})
    assert (status, answer["reason"]) == (503, "TransientFetchTimeout")


async def test_a_redirect_is_not_followed(start_api: Callable[..., Any]) -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        raise web.HTTPFound(f"http://127.0.0.1:{elsewhere.port}{request.path_qs}")

    async def elsewhere_asked(request: web.Request) -> web.Response:
        asked.append(f"elsewhere {request.path}")
        raise web.HTTPNotFound

    api: Api = await start_api(protocols=("http",))
    async with serving(elsewhere_asked) as elsewhere, serving(answer) as moved:
        status, told = await api.put(source={"url": f"http://127.0.0.1:{moved.port}/a.git"})
    assert (status, told["reason"]) == (422, "RepositoryMoved")
    assert "give the address that it redirects to as source.url" in told["message"]
    assert asked == ["/a.git/info/refs"]


@asynccontextmanager
async def serving(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[BaseTestServer]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    async with TestServer(app) as server:
        yield server


async def test_a_slow_fetch_is_pending_at_first(start_api: Callable[..., Any], silent: SilentServer) -> None:
    api: Api = await start_api(protocols=("http",), fetch_timeout=3, answer_within=0.2)
    body = {"runId": "a", "source": {"url": f"http://127.0.0.1:{silent.port}/a.git"}, "ref": "HEAD", "branch": "b"}
    headers = {"Authorization": "Bearer the-operators-token"}
    async with api.client.put(f"/v1/attempts/{UID}/1", json=body, headers=headers) as response:
        assert response.status == 202
        assert await response.json() == {"state": "pending"}


async def test_a_refused_connection_is_transient(start_api: Callable[..., Any]) -> None:
    api: Api = await start_api(protocols=("http",))
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        status, answer = await api.put(source={"url": f"http://127.0.0.1:{nobody.getsockname()[1]}/a.git"})
    assert (status, answer["reason"]) == (503, "TransientFetchFailed")


async def test_a_volume_that_git_cannot_write_to_is_asked_again_later(api: Api, source: Path, volume: Path) -> None:
    import_source(volume, source)
    pins = volume / ".repos" / "n-demo" / "mirror.git" / "refs" / "pins"
    pins.write_text("no folder: as on a full disk, no ref can be written below it")
    status, answer = await api.put()
    assert (status, answer["reason"]) == (503, "TransientGitFailed")
    pins.unlink()
    assert (await api.put())[0] == 200


def test_what_is_no_bundle_is_refused(volume: Path) -> None:
    command = [sys.executable, "-m", "autopack_runtime.main", "import-repository", "demo"]
    env = os.environ | {"AUTONOMOUS_RUNS_DIR": str(volume)}
    done = subprocess.run(command, input=b"tar?", env=env, capture_output=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith(b"autopack-runtime: standard input is not a git bundle")
    assert not (volume / ".repos/n-demo/mirror.git").exists()


def test_a_bundle_of_a_shallow_clone_is_refused_with_the_fix(volume: Path, source: Path, tmp_path: Path) -> None:
    (source / "more").touch()
    git("add", "more", cwd=source)
    git("commit", "--quiet", "--message", "more", cwd=source)
    git("clone", "--quiet", "--depth", "1", f"file://{source}", str(tmp_path / "shallow"), cwd=tmp_path)
    bundle = subprocess.run(
        ["git", "bundle", "create", "-", "--all"], cwd=tmp_path / "shallow", capture_output=True, check=True
    )
    command = [sys.executable, "-m", "autopack_runtime.main", "import-repository", "demo"]
    env = os.environ | {"AUTONOMOUS_RUNS_DIR": str(volume)}
    done = subprocess.run(command, env=env, input=bundle.stdout, capture_output=True, check=False)
    assert done.returncode == 2
    assert b"git fetch --unshallow" in done.stderr
    assert not (volume / ".repos/n-demo/mirror.git").exists()


async def test_the_service_denies_without_a_token(api: Api) -> None:
    async with api.client.put(f"/v1/attempts/{UID}/1", data=json.dumps({})) as response:
        assert response.status == 401


async def test_probes_and_metrics_need_no_token(api: Api) -> None:
    for path in ("/livez", "/readyz", "/metrics"):
        async with api.client.get(path) as response:
            assert response.status == 200, path


def prompt_of(volume: Path) -> Path:
    return volume / ".kept/fix-it/a1-0f8fad5b/input/prompt"


async def test_a_prompt_of_256_kib_is_written_to_the_byte_for_its_command_to_read(
    api: Api, source: Path, volume: Path
) -> None:
    text = " \x01\u00e9 `id` $HOME\n" * 20000
    text = text.encode()[: 256 << 10].decode(errors="ignore")
    assert (await api.put(source=url(source), prompt=text))[0] == 200
    assert prompt_of(volume).read_bytes() == text.encode()
    assert stat.S_IMODE(prompt_of(volume).stat().st_mode) == 0o444


async def test_the_prompt_that_came_first_holds(api: Api, source: Path, volume: Path) -> None:
    first = await api.put(source=url(source), prompt="first")
    assert await api.put(source=url(source), prompt="second") == first
    assert prompt_of(volume).read_text() == "first"


async def test_a_prompt_that_a_service_wrote_before_it_died_is_written_again(
    api: Api, source: Path, volume: Path
) -> None:
    prompt_of(volume).parent.mkdir(parents=True)
    prompt_of(volume).write_text("half")
    assert (await api.put(source=url(source), prompt="whole"))[0] == 200
    assert prompt_of(volume).read_text() == "whole"


async def test_a_prompt_may_be_a_file_of_the_commit_and_stays_what_it_was(api: Api, source: Path, volume: Path) -> None:
    (source / "docs").mkdir()
    (source / "docs/a task.md").write_text("do it\n\n")
    (source / "link.md").symlink_to("docs/a task.md")
    git("add", "--all", cwd=source)
    commit(source, "with a task")
    assert (await api.put(source=url(source), promptFile="link.md"))[0] == 200
    commit(source, "later")
    (source / "docs/a task.md").write_text("something else\n")
    commit(source, "changed")
    status, _ = await api.put(attempt=2, source=url(source), promptFile="docs/a task.md")
    second = volume / ".kept/fix-it/a2-0f8fad5b/input/prompt"
    assert (status, prompt_of(volume).read_text(), second.read_text()) == (200, "do it\n\n", "do it\n\n")


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("none.md", "PromptNotFound"),
        ("none blob 7", "PromptNotFound"),
        ("folder", "PromptNotFound"),
        ("out.md", "PromptNotFound"),
        ("README.md/x", "PromptNotFound"),
        ("empty.md", "PromptInvalid"),
        ("binary", "PromptInvalid"),
        ("large.md", "PromptTooLong"),
    ],
)
async def test_a_file_that_is_no_prompt_fails_for_good_and_is_named(
    api: Api, source: Path, path: str, reason: str
) -> None:
    (source / "folder").mkdir()
    (source / "folder/file").write_text("x")
    (source / "out.md").symlink_to("/etc/passwd")
    (source / "empty.md").write_text("\n")
    (source / "binary").write_bytes(b"a\0b")
    (source / "large.md").write_text("x" * (256 << 10 | 1))
    git("add", "--all", cwd=source)
    commit(source, "with odd files")
    status, answer = await api.put(source=url(source), promptFile=path)
    assert (status, answer["reason"]) == (422, reason)
    assert f"promptFrom.file '{path}'" in answer["message"]
    assert await api.put(source=url(source), promptFile=path) == (status, answer)


def with_submodule(source: Path) -> None:
    git("update-index", "--add", "--cacheinfo", f"160000,{git('rev-parse', 'HEAD', cwd=source)},lib", cwd=source)
    git("commit", "-qm", "a submodule", cwd=source)


def with_lfs(source: Path) -> None:
    (source / "deep").mkdir()
    (source / "deep/.gitattributes").write_text("*.bin filter=lfs diff=lfs merge=lfs -text\n")
    git("add", "deep", cwd=source)
    git("commit", "-qm", "lfs", cwd=source)


@pytest.mark.parametrize(
    ("change", "reason", "named"),
    [(with_submodule, "SubmodulesPresent", "empty: lib."), (with_lfs, "LfsPresent", "Git LFS")],
)
async def test_a_commit_of_which_worktrees_lack_a_part_is_refused_unless_that_is_allowed(
    api: Api, volume: Path, source: Path, change: Callable[[Path], None], reason: str, named: str
) -> None:
    change(source)
    import_source(volume, source)
    status, answer = await api.put()
    assert (status, answer["reason"]) == (422, reason)
    assert named in answer["message"]
    assert "source.incomplete" in answer["message"]
    assert (await api.put(attempt=2, incomplete=True))[0] == 200
