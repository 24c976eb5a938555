"""`autopack deliver`: scan, push under a lease, look again, pull request. Every step is safe to repeat."""

from __future__ import annotations

import asyncio
import functools
import hashlib
import os
import tempfile
from pathlib import Path
from typing import NamedTuple

from autopack.delivery.bringing import bring
from autopack.delivery.outgoing import Outgoing
from autopack.delivery.policy import check_not_base
from autopack.delivery.remote import Remote
from autopack.failpoints import hit
from autopack.file_layout import RunFileLayout
from autopack_publisher.service.hosts.address import HostKind
from autopack_publisher.service.hosts.connect import connect
from autopack_publisher.service.hosts.port import Host, PullRequest, PullRequestWish
from autopack_publisher.service.pull_requests import ensure, marked

from .tokens import access_for
from .work import PROTOCOLS, Left, address_of, delivered_before, left_by, note_delivery, own_git

_SECONDS = 600.0
"""How long the commits may be looked at, and how long a push may take."""


class Request(NamedTuple):
    """What the user asked for. `base` is the branch that the pull request goes to; empty: the server's default one."""

    branch: str
    to: str
    base: str
    title: str
    body: str
    squash: bool
    uncommitted: bool
    pull_request: bool
    draft: bool
    labels: tuple[str, ...]
    reviewers: tuple[str, ...]


class Done(NamedTuple):
    """What was delivered."""

    target: str
    commit: str
    pull_request: PullRequest | None


def deliver(layout: RunFileLayout, common: Path, request: Request) -> Done:
    """Deliver what a run left. Raises AutopackError that says why it does not go out."""
    target = address_of(request.to, common)
    # What cannot be done is said before anything is.
    host = _host(target) if request.pull_request else None
    check_not_base(request.branch, {request.base})
    left = left_by(layout, common, uncommitted=request.uncommitted)
    with tempfile.TemporaryDirectory(prefix="autopack-deliver-") as scratch:
        outgoing = Outgoing(common / "objects", Path(scratch), left.base, left.commit, _SECONDS)
        outgoing.check()
        text = f"{request.title}\n\n{request.body}"
        commit = outgoing.squashed(text) if request.squash else left.commit
        outgoing.scan(commit)
        way = functools.partial(own_git, common, outgoing.repository, os.environ)
        remote = Remote(target, way, PROTOCOLS, _SECONDS)
        before = delivered_before(layout, target, request.branch)
        seen = bring(remote, outgoing, request.branch, commit, before)
    hit("deliver.after_branch")
    note_delivery(layout, target, request.branch, commit)
    if host is None:
        return Done(target, commit, None)
    wish = PullRequestWish(
        head=request.branch,
        base=request.base or seen.default,
        title=request.title,
        body=marked(request.body, _marker(layout, left)),
        draft=request.draft,
        labels=request.labels,
        reviewers=request.reviewers,
    )
    return Done(target, commit, asyncio.run(_ensured(host, wish, _marker(layout, left))))


def _host(target: str) -> Host:
    access = access_for(target, os.environ)

    async def token() -> str:
        return access.token

    return connect(HostKind(access.kind), target, token, api=access.api, credential="the environment's token")


async def _ensured(host: Host, wish: PullRequestWish, marker: str) -> PullRequest:
    wanted = wish if wish.base else wish._replace(base=await host.default_branch())
    return await ensure(host, wanted, marker)


def _marker(layout: RunFileLayout, left: Left) -> str:
    """Return what the body of the run's pull request has in it: a run of that name that began elsewhere is another."""
    name = hashlib.sha256(f"{layout.run_id}\n{left.base}".encode()).hexdigest()[:32]
    return f"<!-- autopack-run: {name} -->"
