"""What the publisher is asked, what it makes of a host's answers, and which credential it takes: without any I/O."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from autopack.errors import AutopackError, InvalidInput
from autopack.git.runner import GitError
from autopack.service_tokens.tokens import DeniedError
from autopack_publisher.client.client import PublisherClient, RefusedError
from autopack_publisher.contract import messages
from autopack_publisher.service.credentials import WriteCredentials
from autopack_publisher.service.git_errors import classified
from autopack_publisher.service.hosts.port import AlreadyExists, PullRequest, PullRequestWish, State
from autopack_publisher.service.http import Service
from autopack_publisher.service.pull_requests import ensure, marked
from autopack_publisher.service.request import Delivery, parse
from autopack_publisher.service.settings import Settings
from autopack_volume.service.answers import TransientError

UID = "0a1b2c3d-0000-4000-8000-000000000001"
MARKER = f"<!-- autopack-run: {UID} -->"
REQUEST: messages.DeliveryRequest = {
    "runId": "run",
    "name": "run",
    "namespace": "agents",
    "repoKey": "u-0123",
    "ref": f"refs/runs/{UID}/a2/heads/autopack/run",
    "commit": "a" * 40,
    "base": "b" * 40,
    "target": "https://git.example/acme/app.git",
    "credential": "",
    "branch": "agents/run",
    "baseBranch": "main",
    "expected": "",
    "squash": True,
    "message": "Work",
    "policy": {"branches": ["agents/**"], "protectedPaths": [], "maxChangedFiles": 3, "maxBytes": None},
    "pullRequest": {"title": "Work", "body": "", "labels": ["x"]},
}


def parsed(changed: dict[str, Any], uid: str = UID, attempt: str = "2") -> Delivery:
    return parse(uid, attempt, json.dumps(REQUEST | changed).encode(), ("https", "ssh"), allow_loopback=False)


def test_a_request_is_read() -> None:
    wanted = parsed({})
    assert (wanted.results, wanted.marker) == (".repos/u-0123/results.git", MARKER)
    assert (wanted.policy.max_changed_files, wanted.policy.max_bytes) == (3, None)
    assert wanted.wish is not None
    assert (wanted.wish.labels, wanted.wish.draft) == (("x",), False)
    assert parsed({"ref": f"refs/runs/{UID}/a2", "target": "git@git.example:a/b.git"}).ref == f"refs/runs/{UID}/a2"


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"repoKey": "../../etc"}, "repoKey"),
        ({"repoKey": "a..b"}, "repoKey"),
        ({"ref": f"refs/runs/{UID}/a1"}, "ref"),
        ({"ref": f"refs/runs/{UID}/a22"}, "ref"),
        ({"ref": "refs/heads/main"}, "ref"),
        ({"commit": "HEAD"}, "commit"),
        ({"base": ""}, "base"),
        ({"expected": "x"}, "expected"),
        ({"target": "ext::sh -c id"}, "target"),
        ({"target": "https://u:p@h/a/b"}, "target"),
        ({"target": "https://127.0.0.1/a/b"}, "target"),
        ({"branch": "--force"}, "branch"),
        ({"branch": "refs/heads/main"}, "branch"),
        ({"branch": "+main"}, None),
        ({"baseBranch": "a b"}, "baseBranch"),
        ({"squash": 1}, "squash"),
        ({"message": "a\0b"}, "message"),
        ({"policy": None}, "policy"),
        ({"policy": {"branches": "x"}}, "policy.branches"),
        ({"policy": {"branches": [], "maxBytes": -1}}, "policy.maxBytes"),
        ({"policy": {"branches": [], "maxBytes": True}}, "policy.maxBytes"),
        ({"policy": {"branch": []}}, "policy"),
        ({"pullRequest": {"title": " ", "body": ""}}, "pullRequest.title"),
        ({"pullRequest": {"title": "x", "body": "", "labels": [1]}}, "pullRequest.labels"),
        ({"force": True}, "body"),
    ],
)
def test_what_is_wrong_is_named(changed: dict[str, Any], field: str | None) -> None:
    if field is None:
        parsed(changed)
        return
    with pytest.raises(InvalidInput) as caught:
        parsed(changed)
    assert caught.value.field == field
    assert caught.value.fix


def test_a_body_has_one_marker() -> None:
    assert marked(f"Mine <!-- autopack-run: {UID[:-1]}2 -->", MARKER).count("autopack-run:") == 1
    assert marked("", MARKER) == MARKER


class OneHost:
    """A host that has this pull request, and whose answer to a creation was lost."""

    has_pull_requests = True

    def __init__(self, found: PullRequest | None, *, after: PullRequest | None = None) -> None:
        self.found, self.after, self.calls = found, after, [""][:0]

    async def find(self, head: str, marker: str) -> PullRequest | None:
        self.calls.append("find")
        return self.found

    async def create(self, wish: PullRequestWish) -> PullRequest:
        self.calls.append("create")
        self.found = self.after
        raise AlreadyExists("there is one")

    async def update(self, number: int, wish: PullRequestWish) -> PullRequest:
        self.calls.append(f"update {number}")
        assert self.found is not None
        return self.found

    async def set_status(self, sha: str, status: object) -> None: ...

    async def default_branch(self) -> str:
        return "main"


def pull(state: State) -> PullRequest:
    return PullRequest(7, "https://h/7", state, "main", "t", MARKER)


WISH = PullRequestWish("agents/run", "main", "t", MARKER)


async def test_an_open_pull_request_is_brought_up_to_date_and_a_closed_one_stays() -> None:
    for state, calls in ((State.OPEN, ["find", "update 7"]), (State.CLOSED, ["find"]), (State.MERGED, ["find"])):
        host = OneHost(pull(state))
        assert (await ensure(host, WISH, MARKER)).state is state
        assert host.calls == calls


async def test_a_creation_whose_answer_was_lost_is_found() -> None:
    host = OneHost(None, after=pull(State.OPEN))
    assert (await ensure(host, WISH, MARKER)).number == 7
    assert host.calls == ["find", "create", "find", "update 7"]


async def test_somebody_elses_pull_request_is_not_touched() -> None:
    host = OneHost(None)
    with pytest.raises(AlreadyExists):
        await ensure(host, WISH, MARKER)
    assert host.calls == ["find", "create", "find"]


@pytest.mark.parametrize(
    ("said", "reason", "transient"),
    [
        ("fatal: unable to access: Could not resolve host: h", "PushFailed", True),
        ("error: RPC failed; HTTP 502", "PushFailed", True),
        ("fatal: Authentication failed for 'https://h/'", "CredentialRefused", True),
        ("fatal: repository 'https://h/a/b/' not found", "RepositoryNotFound", False),
        ("server certificate verification failed", "HostNotTrusted", False),
    ],
)
def test_a_server_that_was_not_reached(said: str, reason: str, transient: bool) -> None:
    found = classified(GitError(["push"], 128, said.encode()), "one")
    assert (found.reason, isinstance(found, TransientError)) == (reason, transient)
    assert "git.credentials" not in found.fix


def credentials(tmp_path: Path, *entries: dict[str, Any]) -> WriteCredentials:
    file = tmp_path / "credentials.json"
    file.write_text(json.dumps(entries))
    return WriteCredentials(file)


def test_the_credential_is_for_the_address_also_where_it_is_named(tmp_path: Path) -> None:
    near = {
        "name": "near",
        "urlPrefix": "https://h/acme/",
        "kind": "Bearer",
        "secretName": "s",
        "host": {"kind": "Gitea"},
    }
    wide = {"name": "wide", "urlPrefix": "https://h/", "kind": "Basic", "secretName": "t"}
    found = credentials(tmp_path, near, wide)
    target = "https://h/acme/app.git"
    assert (found.choose(target, "").credential.name, found.choose(target, "").kind) == ("near", "Gitea")
    assert (found.choose(target, "wide").credential.name, found.choose(target, "wide").kind) == ("wide", "Plain")
    for url, name in (("https://other/acme/app.git", "near"), ("https://h/other/app.git", "near"), (target, "none")):
        with pytest.raises(AutopackError, match=r"publisher\.credentials") as caught:
            found.choose(url, name)
        assert caught.value.reason == "CredentialMissing"


@pytest.mark.parametrize("host", [{"kind": "Other"}, {"kind": "GitHub", "api": "http://h"}, {"name": "x"}])
def test_a_wrong_host_is_refused(tmp_path: Path, host: dict[str, str]) -> None:
    entry = {"name": "a", "urlPrefix": "https://h/", "kind": "Basic", "secretName": "s", "host": host}
    with pytest.raises(InvalidInput, match=r"publisher\.credentials"):
        credentials(tmp_path, entry)


class OnlyOperator:
    """A verifier that knows one token."""

    async def verify(self, token: str) -> str:
        if token != "operator":
            raise DeniedError(403, "this caller is not allowed")
        return token

    async def ready(self) -> bool:
        return True


async def test_the_client_is_refused_without_a_token_and_told_what_is_wrong(tmp_path: Path) -> None:
    service = Service(Settings(root=tmp_path, scratch=tmp_path), OnlyOperator())
    token = tmp_path / "token"
    async with TestClient(TestServer(service.app())) as server:
        for text, status, reason in (("other", 403, "Denied"), ("operator", 422, "CredentialMissing")):
            token.write_text(text)
            async with PublisherClient(str(server.make_url("/")), token) as client:
                with pytest.raises(RefusedError) as caught:
                    await client.deliver(UID, 2, REQUEST)
            assert (caught.value.status, caught.value.reason) == (status, reason)
        assert (await server.get("/livez")).status == 200
        assert (
            b'autopack_publisher_answers_total{reason="CredentialMissing",state="failed"}'
            in await (await server.get("/metrics")).read()
        )
