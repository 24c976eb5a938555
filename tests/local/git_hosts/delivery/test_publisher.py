"""Deliveries to a real git server over https: exactly once, never over what is somebody else's."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.local.git_hosts.conftest import Declarations
from tests.local.git_hosts.delivery.conftest import Ask, PlayedHost, request
from tests.local.git_hosts.delivery.repos import UID, Work, git
from tests.local.git_hosts.servers import HttpsServer

from autopack_publisher.service.hosts.port import HostFailure, State

TOKEN = "ghp_" + "q7Zr2LmX9wKp4TvB8nYc3HsD6fGjQ1aE5uWo"


@pytest.fixture
def bare(repositories: Path, work: Work) -> Path:
    """The repository at the server, with the history that the run began with."""
    path = repositories / "acme" / "app.git"
    git(work.folder, "push", "-q", "-f", str(path), "HEAD:main")
    return path


@pytest.fixture
def target(https: HttpsServer, bare: Path) -> str:
    return f"{https.url}/basic/acme/app.git"


def heads(bare: Path) -> dict[str, str]:
    listed = git(bare, "for-each-ref", "--format=%(refname:lstrip=2) %(objectname)", "refs/heads").splitlines()
    return dict(line.rsplit(" ", 1) for line in listed)


def files(volume: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in volume.rglob("*")}


def hook(bare: Path, text: str, name: str = "pre-receive") -> None:
    path = bare / "hooks" / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


async def test_a_branch_a_pull_request_and_a_status(
    ask: Ask, work: Work, target: str, bare: Path, host: PlayedHost
) -> None:
    commit = work.commit({"a": "1"})
    wanted = request(work, target)
    before = files(work.volume)
    status, answer = await ask(wanted)
    assert (status, answer) == (
        200,
        {
            "state": "delivered",
            "branch": "agents/run",
            "commit": commit,
            "pullRequest": {"number": 1, "url": "https://host/pulls/1"},
            "message": "",
        },
    )
    assert heads(bare) == {"main": work.base, "agents/run": commit}
    ((wish, _),) = host.pulls
    assert (wish.head, wish.base, wish.title) == ("agents/run", "main", "Work")
    assert wish.body == f"What it did.\n\n<!-- autopack-run: {UID} -->"
    assert {(sha, said.link) for sha, said in host.statuses} == {(commit, "https://dashboard/runs/run")}
    # Again: the same answer, and nothing twice.
    hook(bare, "exit 1")
    assert await ask(wanted) == (200, answer)
    assert len(host.pulls) == 1
    assert files(work.volume) == before


async def test_a_squashed_commit(ask: Ask, work: Work, target: str, bare: Path) -> None:
    work.commit({"a": TOKEN})
    work.commit({"a": "1"})
    wanted = request(work, target, squash=True, message="All of it")
    _, answer = await ask(wanted)
    assert heads(bare)["agents/run"] == answer["commit"]
    assert git(bare, "log", "--format=%s", "agents/run") == "All of it\nbase"
    assert (await ask(wanted))[1] == answer


async def test_what_was_delivered_before_is_replaced_and_own_commits_go_on(
    ask: Ask, work: Work, target: str, bare: Path
) -> None:
    first = work.commit({"a": "1"})
    await ask(request(work, target))
    second = work.commit({"b": "1"})
    # The answer to the first was lost: its commit is one of this run's own.
    assert (await ask(request(work, target)))[1]["commit"] == second
    git(work.folder, "reset", "-q", "--hard", work.base)
    third = work.commit({"c": "1"})
    assert (await ask(request(work, target)))[1]["state"] == "conflict"
    assert (await ask(request(work, target, expected=first)))[1]["state"] == "conflict"
    assert heads(bare)["agents/run"] == second
    assert (await ask(request(work, target, expected=second)))[1]["state"] == "delivered"
    assert heads(bare)["agents/run"] == third


async def test_a_remote_that_moves_between_look_and_push(ask: Ask, work: Work, target: str, bare: Path) -> None:
    work.commit({"a": "1"})
    # Somebody else's branch comes to be while the push is on its way: the hook runs before git compares.
    hook(bare, f"unset GIT_QUARANTINE_PATH; git update-ref refs/heads/agents/run {work.base}")
    status, answer = await ask(request(work, target))
    assert (status, answer["state"]) == (200, "conflict")
    assert heads(bare)["agents/run"] == work.base


async def test_somebody_elses_branch_stays(ask: Ask, work: Work, target: str, bare: Path, host: PlayedHost) -> None:
    git(bare, "branch", "agents/run", work.base)
    work.commit({"a": "1"})
    assert (await ask(request(work, target)))[1]["state"] == "conflict"
    assert (heads(bare)["agents/run"], host.pulls) == (work.base, [])


async def test_a_hook_that_declines_is_quoted(ask: Ask, work: Work, target: str, bare: Path, host: PlayedHost) -> None:
    hook(bare, "echo 'only on Mondays'; exit 1")
    work.commit({"a": "1"})
    status, answer = await ask(request(work, target))
    assert (status, answer["state"], answer["reason"]) == (200, "refused", "HookDeclined")
    assert "only on Mondays" in answer["message"]
    assert (heads(bare), host.pulls) == ({"main": work.base}, [])


async def test_policy_and_secrets_let_nothing_out(
    ask: Ask, work: Work, target: str, bare: Path, https: HttpsServer
) -> None:
    work.commit({"ci/x": f"key {TOKEN}\n"})
    policy = request(work, target)["policy"]
    for reason, changed in {
        "BranchNotAllowed": {"branch": "main"},
        "ProtectedPath": {"policy": policy | {"protectedPaths": ["ci/**"]}},
        "TooManyBytes": {"policy": policy | {"maxBytes": 3}},
        "TooManyFiles": {"policy": policy | {"maxChangedFiles": 0}},
        "SecretFound": {},
    }.items():
        status, answer = await ask(request(work, target, **changed))
        assert (status, answer["state"], answer.get("reason")) == (200, "refused", reason)
        assert TOKEN not in answer["message"]
    assert https.seen == []
    assert heads(bare) == {"main": work.base}


async def test_never_the_default_branch_whatever_it_is_called(ask: Ask, work: Work, target: str, bare: Path) -> None:
    git(bare, "branch", "-m", "main", "agents/main")
    git(bare, "symbolic-ref", "HEAD", "refs/heads/agents/main")
    work.commit({"a": "1"})
    wanted = request(work, target, branch="agents/main", expected=work.base)
    assert (await ask(wanted))[1]["reason"] == "BaseBranch"
    assert heads(bare) == {"agents/main": work.base}


async def test_a_credential_without_the_right_to_write(
    ask: Ask, work: Work, target: str, bare: Path, https: HttpsServer
) -> None:
    # What a server answers whose users may read alone.
    git(bare, "config", "http.receivepack", "false")
    work.commit({"a": "1"})
    assert (await ask(request(work, target)))[1]["reason"] == "PushNotPermitted"


async def test_an_expired_credential_passes_when_it_is_renewed(
    ask: Ask, work: Work, target: str, https: HttpsServer, declared: Declarations
) -> None:
    work.commit({"a": "1"})
    https.set_password("another")
    status, answer = await ask(request(work, target))
    assert (status, answer["reason"]) == (503, "TransientCredentialRefused")
    declared.write(password="another")
    assert (await ask(request(work, target)))[1]["state"] == "delivered"


async def test_no_credential_goes_elsewhere(ask: Ask, work: Work, target: str, https: HttpsServer) -> None:
    work.commit({"a": "1"})
    elsewhere = target.replace("127.0.0.1", "127.0.0.2")
    for changed in ({"target": elsewhere}, {"credential": "other"}, {"target": elsewhere, "credential": "one"}):
        status, answer = await ask(request(work, target) | changed)
        assert (status, answer["reason"]) == (422, "CredentialMissing")
    assert (await ask(request(work, f"{https.url}/moved/acme/app.git")))[1]["reason"] == "RepositoryMoved"
    assert {path for path, *_ in https.seen if not path.startswith("/moved")} == set()


async def test_what_the_host_says(ask: Ask, work: Work, target: str, bare: Path, host: PlayedHost) -> None:
    commit = work.commit({"a": "1"})
    wanted = request(work, target)
    host.fails = HostFailure("HostError", "the host is away", transient=True)
    assert (await ask(wanted))[0] == 503
    host.fails = HostFailure("HostForbidden", "may not make pull requests")
    status, answer = await ask(wanted)
    assert (status, answer["state"], answer["reason"]) == (200, "refused", "HostForbidden")
    assert "the branch is pushed, but" in answer["message"]
    assert heads(bare)["agents/run"] == commit
    host.fails = None
    await ask(wanted)
    host.pulls[0] = (host.pulls[0][0], State.CLOSED)
    answer = (await ask(wanted))[1]
    assert (answer["pullRequest"]["number"], answer["message"], len(host.pulls)) == (1, "the pull request is closed", 1)


async def test_a_ref_that_is_not_what_was_said(ask: Ask, work: Work, target: str) -> None:
    work.commit({"a": "1"})
    for changed in ({"commit": work.base}, {"ref": "refs/heads/main"}, {"repoKey": "n-none"}):
        status, answer = await ask(request(work, target) | changed)
        assert (status, answer["reason"]) == (422, "InvalidInput")
