"""The pull request of a run: found by its branch and its marker, made or brought up to date. Safe to repeat."""

from __future__ import annotations

from autopack.failpoints import hit

from .hosts.port import AlreadyExists, Host, PullRequest, PullRequestWish, State


async def ensure(host: Host, wish: PullRequestWish, marker: str) -> PullRequest:
    """Return the pull request as it is now. One that a person has closed or merged stays as it is.

    Raises HostFailure; AlreadyExists where the branch has an open one that is not this run's.
    """
    found = await host.find(wish.head, marker)
    if found is None:
        hit("publisher.before_pull_request")
        try:
            return await host.create(wish)
        except AlreadyExists:
            # Made by a request whose answer was lost, a moment ago.
            found = await host.find(wish.head, marker)
            if found is None:
                raise
    return await host.update(found.number, wish) if found.state is State.OPEN else found


def marked(body: str, marker: str) -> str:
    """Return a body with the marker, and with nothing else that looks like one."""
    text = body.replace(marker.partition(":")[0], "<!-- ").strip()
    return f"{text}\n\n{marker}" if text else marker
