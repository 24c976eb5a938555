"""Which credential an address gets, what is refused of declarations, and who waits for whom."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from autopack.errors import InvalidInput
from autopack_volume.service.answers import TransientError
from autopack_volume.service.credentials.declared import choose, load
from autopack_volume.service.sources.hosts import Hosts

Declare = Callable[..., Path]


@pytest.fixture
def declare(tmp_path: Path) -> Declare:
    def write(*entries: object) -> Path:
        path = tmp_path / "credentials.json"
        path.write_text(json.dumps(entries))
        return path

    return write


def basic(prefix: str, name: str = "one") -> dict[str, str]:
    return {"name": name, "urlPrefix": prefix, "kind": "Basic", "secretName": "s"}


@pytest.mark.parametrize(
    ("prefix", "url", "fits"),
    [
        ("https://h/acme", "https://h/acme/app.git", True),
        ("https://h/acme/", "https://h/acme/app", True),
        ("https://H/", "https://h:443/acme/app", True),
        ("https://h/acme/app.git", "https://h/acme/app", True),
        ("https://h/acme", "https://h/acmecorp/app.git", False),
        ("https://h/acme", "https://h:8443/acme/app.git", False),
        ("https://h/acme", "https://h.evil/acme/app.git", False),
        ("https://h/acme", "https://h@evil/acme/app.git", False),
        ("https://h/acme", "http://h/acme/app.git", False),
        ("https://h/acme", "https://h/acme/../other/app.git", False),
        ("https://h/acme", "https://h/acme/%2e%2e/other/app.git", False),
        ("https://h/acme", "https://h/acme%2f..%2fother/app.git", False),
        ("https://h/My%20Project", "https://h/My Project/_git/app", True),
        ("https://h/", "file:///srv/app.git", False),
        ("https://h/", "/srv/app.git", False),
        ("https://h/", "https://[", False),
    ],
)
def test_which_addresses_a_prefix_covers(declare: Declare, prefix: str, url: str, fits: bool) -> None:
    assert (choose(load(declare(basic(prefix))), url) is not None) is fits


@pytest.mark.parametrize(
    ("prefix", "url", "fits"),
    [
        ("ssh://git@h/acme", "git@h:acme/app.git", True),
        ("git@h:acme", "ssh://git@h:22/acme/app.git", True),
        ("ssh://h/", "git@h:acme/app.git", True),
        ("git@h:acme", "other@h:acme/app.git", False),
        ("git@h:acme", "git@h:other/app.git", False),
    ],
)
def test_ssh_has_two_ways_to_be_written(declare: Declare, prefix: str, url: str, fits: bool) -> None:
    assert (choose(load(declare(basic(prefix) | {"kind": "SSH"})), url) is not None) is fits


def test_the_longest_prefix_wins(declare: Declare) -> None:
    declared = load(declare(basic("https://h/", "host"), basic("https://h/a/b", "deep"), basic("https://h/a", "owner")))
    chosen = [choose(declared, f"https://h/{path}") for path in ("a/b/c", "a/c", "x")]
    assert [credential and credential.name for credential in chosen] == ["deep", "owner", "host"]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (basic("http://h/"), "urlPrefix 'http://h/' does not fit kind Basic"),
        (basic("https://h/") | {"kind": "SSH"}, "does not fit kind SSH"),
        (basic("https://joe@h/"), "carries a user name"),
        (basic("https://h/") | {"secretName": ""}, "kind Basic needs a secretName"),
        (basic("https://h/") | {"kind": "Magic"}, "git.credentials.0.kind"),
        (basic("https://h/") | {"proxy": "http://joe:pw@p"}, "git.credentials.0.proxy"),
        (basic("git@h:a") | {"kind": "SSH", "proxy": "http://p"}, "a proxy serves http and https alone"),
        (basic("https://h/") | {"name": "../x"}, "git.credentials.0.name"),
        (basic("https://h/") | {"token": "x"}, "git.credentials.0.token"),
    ],
)
def test_what_is_refused(declare: Declare, entry: dict[str, str], said: str) -> None:
    with pytest.raises(InvalidInput, match=r"git\.credentials") as caught:
        load(declare(entry))
    assert said in str(caught.value)


def test_one_prefix_has_one_credential(declare: Declare) -> None:
    with pytest.raises(InvalidInput, match="same prefix"):
        load(declare(basic("https://h/a", "one"), basic("https://H:443/a/", "two")))


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


async def away() -> None:
    raise TransientError("FetchFailed", "no route")


async def fine() -> str:
    return "done"


async def test_a_server_that_fails_is_left_alone_for_longer_each_time() -> None:
    clock = Clock()
    hosts = Hosts(2, clock)
    pauses = []
    for _ in range(9):
        with pytest.raises(TransientError, match="no route"):
            await hosts.reach("https://h/a", away)
        with pytest.raises(TransientError, match="h did not answer") as told:
            await hosts.reach("https://h/b", fine)
        assert told.value.reason == "HostUnreachable"
        pauses.append(float(str(told.value).split("the next try is in ")[1].split()[0]))
        clock.now += pauses[-1]
    assert pauses == [5, 10, 20, 40, 80, 160, 300, 300, 300]
    assert await hosts.reach("https://h/b", fine) == "done"
    assert await hosts.reach("https://h/b", fine) == "done"


async def test_an_answer_of_the_server_is_no_failure_of_the_server() -> None:
    async def refused() -> None:
        raise TransientError("CredentialRefused", "expired")

    hosts = Hosts(2, Clock())
    for _ in range(3):
        with pytest.raises(TransientError, match="expired"):
            await hosts.reach("https://h/a", refused)


async def test_servers_that_hang_keep_no_good_one_waiting() -> None:
    hosts, forever = Hosts(2, Clock()), asyncio.Event()
    await hosts.reach("https://good/a", fine)
    begun: list[int] = []

    async def hang(number: int) -> None:
        begun.append(number)
        await forever.wait()

    def task(number: int) -> asyncio.Task[None]:
        return asyncio.create_task(hosts.reach(f"https://dead{number}/a", lambda: hang(number)))

    hanging = [task(number) for number in range(4)]
    await asyncio.sleep(0)
    assert await asyncio.wait_for(hosts.reach("https://good/b", fine), 30) == "done"
    assert begun == [0, 1]
    forever.set()
    await asyncio.gather(*hanging)
    assert begun == [0, 1, 2, 3]
