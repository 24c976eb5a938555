"""What every git host has to do for a delivery: a real Gitea, and GitHub and GitLab played, behind one port."""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import formatdate
from typing import Any

import pytest
from tests.doubles.hosts.front import Answer, Front, instead, lose
from tests.local.git_hosts.certificates import Authority
from tests.local.git_hosts.gitea import Gitea
from tests.local.git_hosts.played import GiteaWorld, World, forwarding, host_of, played

from autopack_publisher.service.hosts.address import HostKind
from autopack_publisher.service.hosts.port import (
    AlreadyExists,
    CommitStatus,
    Host,
    HostFailure,
    PullRequest,
    PullRequestWish,
    State,
    StatusState,
)

MARKER = "<!-- autopack-run: 0b7c -->"
HEAD = "agents/batch/run-1"


@pytest.fixture(scope="module")
def shared_authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def gitea(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gitea]:
    with Gitea(tmp_path_factory.mktemp("gitea")).running() as server:
        yield server


@pytest.fixture(params=[HostKind.GITHUB, HostKind.GITLAB, HostKind.GITEA])
def world(request: pytest.FixtureRequest, shared_authority: Authority) -> Iterator[World]:
    if request.param is not HostKind.GITEA:
        with played(request.param, shared_authority) as world:
            yield world
        return
    server: Gitea = request.getfixturevalue("gitea")
    with Front(forwarding(server), *shared_authority.certificate()).running() as front:
        yield GiteaWorld(server, front)


@pytest.fixture
def host(world: World, shared_authority: Authority) -> Host:
    return host_of(world, shared_authority)


def wish(head: str = HEAD, **fields: Any) -> PullRequestWish:
    body = f"What the run did.\n\n{MARKER}"
    return PullRequestWish(head=head, base="main", title="Fix it", body=body)._replace(**fields)


async def test_it_opens_a_pull_request_and_finds_it_by_branch_and_marker(world: World, host: Host) -> None:
    world.branch(HEAD)
    assert await host.find(HEAD, MARKER) is None
    made = await host.create(wish())
    assert (made.state, made.base, made.title, made.message) == (State.OPEN, "main", "Fix it", "")
    assert MARKER in made.body
    assert made.url.endswith(f"/{made.number}")
    assert await host.find(HEAD, MARKER) == made
    assert await host.find(HEAD, "<!-- autopack-run: other -->") is None
    assert await host.find("agents/batch/run-2", MARKER) is None


async def test_what_a_person_closed_or_merged_is_found_as_it_is(world: World, host: Host) -> None:
    for head, end in (("agents/closed", world.close), ("agents/merged", world.merge)):
        world.branch(head)
        end((await host.create(wish(head))).number)
    assert [(await _found(host, head)).state for head in ("agents/closed", "agents/merged")] == ["closed", "merged"]
    for head in ("agents/closed", "agents/merged"):
        world.delete(head)
        assert (await _found(host, head)).state == head.rpartition("/")[2]


async def test_the_newest_of_a_branch_is_found(world: World, host: Host) -> None:
    world.branch(HEAD)
    first = await host.create(wish())
    world.close(first.number)
    second = await host.create(wish(title="Again"))
    assert (await _found(host, HEAD)).number == second.number


async def test_one_from_a_fork_is_not_the_runs(world: World, host: Host) -> None:
    world.from_fork(HEAD, MARKER)
    assert await host.find(HEAD, MARKER) is None


async def test_a_second_one_is_refused_as_there_already(world: World, host: Host) -> None:
    world.branch(HEAD)
    made = await host.create(wish())
    with pytest.raises(AlreadyExists):
        await host.create(wish())
    assert (await _found(host, HEAD)).number == made.number


async def test_an_answer_that_was_lost_says_nothing_and_the_pull_request_is_found(world: World, host: Host) -> None:
    world.branch(HEAD)
    with world.front.fault(lose("POST")), pytest.raises(HostFailure) as caught:
        await host.create(wish())
    assert caught.value.transient
    found = await _found(host, HEAD)
    assert world.numbers() == [found.number]


async def test_an_update_changes_title_and_body_and_doubles_nothing(world: World, host: Host) -> None:
    world.branch(HEAD)
    whole = wish(labels=("agents", "two words"), reviewers=("@grace",))
    made = await host.create(whole)
    told = await host.update(made.number, whole._replace(title="Better", body=f"More.\n{MARKER}"))
    assert (told.number, told.title, told.body, told.message) == (made.number, "Better", f"More.\n{MARKER}", "")
    assert sorted(world.labels(made.number)) == ["agents", "two words"]
    assert world.reviewers(made.number) == ["grace"]


async def test_a_reviewer_that_is_unknown_loses_neither_the_pull_request_nor_the_others(
    world: World, host: Host
) -> None:
    world.branch(HEAD)
    made = await host.create(wish(reviewers=("nobody", "grace")))
    assert "nobody" in made.message
    assert "grace" not in made.message
    assert (world.numbers(), world.reviewers(made.number)) == ([made.number], ["grace"])


async def test_a_draft_stays_one_until_a_person_says_that_it_is_none(world: World, host: Host) -> None:
    world.branch(HEAD)
    made = await host.create(wish(draft=True))
    assert (made.title, world.draft(made.number)) == ("Fix it", True)
    await host.update(made.number, wish(draft=True, title="Better"))
    assert world.draft(made.number)
    world.mark_ready(made.number)
    assert (await host.update(made.number, wish(draft=True, title="Best"))).title == "Best"
    assert not world.draft(made.number)


async def test_a_status_may_be_set_twice_and_replaced(world: World, host: Host) -> None:
    sha = world.branch(HEAD)
    status = CommitStatus("autopack/run-1", StatusState.PENDING, "https://dashboard.example/runs/1", "The run ended")
    await host.set_status(sha, status)
    await host.set_status(sha, status)
    assert world.statuses(sha)[0] == ("autopack/run-1", "pending", "https://dashboard.example/runs/1")
    await host.set_status(sha, status._replace(state=StatusState.SUCCESS, link=""))
    await host.set_status(sha, status._replace(state=StatusState.SUCCESS, link=""))
    assert world.statuses(sha)[0] == ("autopack/run-1", "success", "")


async def test_a_token_that_expired_is_named_and_a_renewed_one_counts_at_once(world: World, host: Host) -> None:
    good, world.token = world.token, "expired"
    with pytest.raises(HostFailure, match=r"'write'.*Secret 'write-secret'") as caught:
        await host.default_branch()
    assert (caught.value.reason, caught.value.transient) == ("CredentialRefused", True)
    world.token = good
    assert await host.default_branch() == "main"


async def test_a_repository_that_is_not_there_is_named(world: World, shared_authority: Authority) -> None:
    missing = host_of(world, shared_authority, "acme/none")
    asks = (missing.default_branch, lambda: missing.find(HEAD, MARKER), lambda: missing.create(wish()))
    for ask in asks:
        with pytest.raises(HostFailure, match="no such repository") as caught:
            await ask()
        assert (caught.value.reason, caught.value.transient) == ("RepositoryNotFound", False)


async def test_a_host_that_wants_fewer_requests_is_left_alone_as_long_as_it_says(world: World, host: Host) -> None:
    now = 1_800_000_000
    reset = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(now + 90), "Date": formatdate(now, usegmt=True)}
    limits = [
        (Answer(429, {"message": "Too many"}, {"Retry-After": "33"}), 33),
        (Answer(403, {"message": "API rate limit exceeded"}, reset), 90),
        (Answer(403, {"message": "You have exceeded a secondary rate limit"}, {}), 60),
    ]
    for answer, wait in limits:
        with world.front.fault(instead(answer)):
            for ask in (host.default_branch, lambda: host.create(wish())):
                with pytest.raises(HostFailure) as caught:
                    await ask()
                assert (caught.value.transient, caught.value.retry_after) == (True, wait)


@pytest.mark.parametrize("size", [60_000, 200_000])
async def test_a_long_body_keeps_its_beginning_and_its_marker(world: World, host: Host, size: int) -> None:
    world.branch(HEAD)
    made = await host.create(wish(body="start " + "ä" * size + f"\n{MARKER}"))
    found = await _found(host, HEAD)
    assert found.number == made.number
    assert found.body.startswith("start ")
    assert (len(found.body) > size) == (size < 65_000)


@pytest.mark.parametrize(
    "title", ['"quotes" \\ & <b>bold</b> 100% #1 @all', "Ünïcödé 🚀 עברית", "two\nlines\tand more", "x" * 400]
)
async def test_a_title_of_any_kind_is_one_line(world: World, host: Host, title: str) -> None:
    world.branch(HEAD)
    made = await host.create(wish(title=title))
    assert made.title == " ".join(title.split())[:240]


async def test_the_default_branch_is_told(host: Host) -> None:
    assert await host.default_branch() == "main"


async def _found(host: Host, head: str) -> PullRequest:
    found = await host.find(head, MARKER)
    assert found is not None
    return found
