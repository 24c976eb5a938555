"""Decides what of a volume goes. Pure: what is there, and since when, was looked up before."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

from autopack_volume.service.settings import Policy


class Repository(NamedTuple):
    """A repository on the volume, by its key: its mirror's size in bytes, and when that was last used (epoch, s).

    `can_be_fetched`: there is an address to fetch it from again; `needed`: an attempt is at work on it, or commits of
    runs stand on it.
    """

    key: str
    size: int
    used_at: float
    can_be_fetched: bool
    needed: bool


class Attempt(NamedTuple):
    """An attempt that has ended: whose, in which repository its commits are, and since when (epoch, s).

    `bundle`: the size in bytes of what its pod handed over (None: it is gone); `imported`: every ref in there is in the
    repository; `run_at_work`: a later attempt of the same run is not over.
    """

    uid: str
    attempt: int
    run_id: str
    key: str
    ended_at: float
    bundle: int | None
    imported: bool
    run_at_work: bool


class Removal(NamedTuple):
    """One thing that goes: `kind` is mirror, bundle or results; `uid` and `attempt` are those of an attempt."""

    kind: str
    key: str
    size: int
    why: str
    uid: str = ""
    attempt: int = 0
    run_id: str = ""


def plan(
    policy: Policy, repositories: Collection[Repository], attempts: Collection[Attempt], now: float
) -> list[Removal]:
    """Return what goes now, each with the reason in words."""
    return [*_mirrors(policy, repositories, now), *_bundles(policy, attempts, now), *_results(policy, attempts, now)]


def _mirrors(policy: Policy, repositories: Collection[Repository], now: float) -> Iterator[Removal]:
    total = sum(repository.size for repository in repositories)
    free = sorted((one for one in repositories if one.can_be_fetched and not one.needed), key=lambda one: one.used_at)
    for one in free:
        if policy.mirrors is not None and now - one.used_at > policy.mirrors:
            yield Removal("mirror", one.key, one.size, f"not used for {_days(now - one.used_at)}")
        elif policy.mirrors_bytes is not None and total > policy.mirrors_bytes:
            yield Removal("mirror", one.key, one.size, f"all mirrors together have {total} bytes")
        else:
            continue
        total -= one.size


def _bundles(policy: Policy, attempts: Collection[Attempt], now: float) -> Iterator[Removal]:
    for one in attempts:
        old = policy.bundles is not None and now - one.ended_at > policy.bundles
        if old and one.bundle is not None and one.imported:
            why = f"imported {_days(now - one.ended_at)} ago"
            yield Removal("bundle", one.key, one.bundle, why, one.uid, one.attempt, one.run_id)


def _results(policy: Policy, attempts: Collection[Attempt], now: float) -> Iterator[Removal]:
    for one in attempts:
        if policy.results is not None and now - one.ended_at > policy.results and not one.run_at_work:
            why = f"ended {_days(now - one.ended_at)} ago"
            yield Removal("results", one.key, 0, why, one.uid, one.attempt, one.run_id)


def _days(seconds: float) -> str:
    days = int(seconds // 86400)
    return f"{days} day" if days == 1 else f"{days} days"
