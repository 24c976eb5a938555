"""Carries out a delivery, step by step. It keeps nothing: what was done is read from the git server."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from pathlib import Path
from typing import TypeVar

from autopack.delivery.bringing import bring
from autopack.delivery.outgoing import Outgoing
from autopack.delivery.policy import check_branch_allowed, check_changes, check_not_base
from autopack.delivery.push_answers import Passing
from autopack.delivery.refusal import Conflict, Refused
from autopack.delivery.remote import Remote, Seen
from autopack.errors import AutopackError, InvalidInput, printable
from autopack.failpoints import hit
from autopack.git.ref_list import commit_of
from autopack.git.runner import GitError
from autopack_publisher.contract import messages
from autopack_volume.service.answers import Answer, TransientError
from autopack_volume.service.sources.hosts import Hosts

from .credentials import Chosen
from .git_errors import classified
from .hosts.connect import connect
from .hosts.port import CommitStatus, Host, HostFailure, PullRequest, PullRequestWish, State, StatusState
from .pull_requests import ensure, marked
from .request import Delivery
from .settings import Settings

_T = TypeVar("_T")
Connect = Callable[[Delivery, Chosen], Host]
_CONTEXT = "autopack"
_SCRATCH = "delivery-"


class Deliveries:
    """The deliveries of one publisher. `pushes` are threads that wait for servers, `files` those that read commits."""

    def __init__(
        self, settings: Settings, servers: Hosts, pushes: Executor, files: Executor, host: Connect | None = None
    ) -> None:
        self._settings, self._servers, self._pushes, self._files = settings, servers, pushes, files
        self._host = host or self._connected
        # However many deliveries a server has that has just died, others find a thread.
        self._turns = defaultdict[str, asyncio.Semaphore](lambda: asyncio.Semaphore(max(1, settings.threads // 4)))

    async def deliver(self, wanted: Delivery) -> Answer:
        """Return the answer that stays. Raises TransientError, and AutopackError for what is wrong with the request."""
        try:
            return Answer(200, await self._delivered(wanted))
        except Conflict as error:
            conflict: messages.Conflict = {"state": "conflict", "message": str(error)}
            return Answer(200, conflict)
        except Refused as error:
            refused: messages.Refused = {"state": "refused", "reason": error.reason, "message": str(error)}
            return Answer(200, refused)

    async def _delivered(self, wanted: Delivery) -> messages.Delivered:
        check_branch_allowed(wanted.branch, wanted.policy)
        check_not_base(wanted.branch, {wanted.base_branch})
        chosen = self._settings.credentials.choose(wanted.target, wanted.credential)
        host = self._host(wanted, chosen)
        with tempfile.TemporaryDirectory(prefix=_SCRATCH, dir=self._settings.scratch) as scratch:
            outgoing, commit = await self._in(self._files, self._look, wanted, Path(scratch))
            push = functools.partial(self._push, wanted, chosen, outgoing, commit)
            async with self._turns[chosen.credential.name]:
                seen = await self._servers.reach(wanted.target, lambda: self._in(self._pushes, push))
        hit("publisher.after_branch")
        base = wanted.base_branch or seen.default
        found, said = await self._asked(host, wanted, commit, base)
        return {
            "state": "delivered",
            "branch": wanted.branch,
            "commit": commit,
            "pullRequest": None if found is None else {"number": found.number, "url": found.url},
            "message": said,
        }

    def _look(self, wanted: Delivery, scratch: Path) -> tuple[Outgoing, str]:
        """Judge what would go; return it with the commit that the branch shall have."""
        results = self._settings.root / wanted.results
        if not results.is_dir() or commit_of(wanted.ref, git_dir=results) != wanted.commit:
            message = f"is not at {wanted.commit[:12]} in the run's repository on the volume"
            raise InvalidInput("ref", message, "Send what the attempt's commit answered")
        outgoing = Outgoing(results / "objects", scratch, wanted.base, wanted.commit, self._settings.look_timeout)
        outgoing.check()
        commit = outgoing.squashed(wanted.message) if wanted.squash else wanted.commit
        check_changes(outgoing.changes(commit), wanted.policy)
        outgoing.scan(commit)
        return outgoing, commit

    def _push(self, wanted: Delivery, chosen: Chosen, outgoing: Outgoing, commit: str) -> Seen:
        """Bring the commit to the branch unless it is there; return what is seen there at the end."""
        way = functools.partial(self._settings.credentials.git.access, wanted.target, chosen.credential.name)
        remote = Remote(wanted.target, way, self._settings.protocols, self._settings.push_timeout)
        with _reaching(chosen.credential.name):
            return bring(remote, outgoing, wanted.branch, commit, wanted.expected)

    async def _asked(self, host: Host, wanted: Delivery, commit: str, base: str) -> tuple[PullRequest | None, str]:
        """Ask the host for what is beyond git; return the pull request, and what of it all was not done."""
        if wanted.wish is not None and not host.has_pull_requests:
            return None, "this git server has no pull requests"
        found, said = None, [""]
        try:
            if wanted.wish is not None:
                wish = PullRequestWish(
                    head=wanted.branch,
                    base=base or await host.default_branch(),
                    title=wanted.wish.title,
                    body=marked(wanted.wish.body, wanted.marker),
                    draft=wanted.wish.draft,
                    labels=wanted.wish.labels,
                    reviewers=wanted.wish.reviewers,
                )
                found = await ensure(host, wish, wanted.marker)
                hit("publisher.after_pull_request")
                said = [found.message, "" if found.state is State.OPEN else f"the pull request is {found.state}"]
        except HostFailure as failure:
            raise _of(failure, "the branch is pushed, but there is no pull request") from failure
        try:
            description = f"Delivered by run {wanted.name}"
            await host.set_status(commit, CommitStatus(_CONTEXT, StatusState.SUCCESS, wanted.link, description))
            hit("publisher.after_status")
        except HostFailure as failure:
            if failure.transient:
                raise _of(failure, "the commit has no status yet") from failure
            said.append(f"the commit has no status: {failure}")
        return found, "; ".join(filter(None, said))

    def _connected(self, wanted: Delivery, chosen: Chosen) -> Host:
        credential, git = chosen.credential, self._settings.credentials.git

        async def token() -> str:
            try:
                return await self._in(self._pushes, git.token, credential)
            except TransientError as error:
                raise HostFailure(error.reason, error.message, error.fix, transient=True) from error

        return connect(
            chosen.kind,
            wanted.target,
            token,
            api=chosen.api,
            credential=credential.name,
            secret=credential.secret,
            ca_file=credential.ca_file,
            proxy=credential.proxy,
        )

    async def _in(self, threads: Executor, work: Callable[..., _T], *arguments: object) -> _T:
        return await asyncio.get_running_loop().run_in_executor(threads, functools.partial(work, *arguments))


def clear_scratch(folder: Path) -> None:
    """Remove what a process that was killed has left. There is one process for a folder."""
    for left in folder.glob(f"{_SCRATCH}*"):
        shutil.rmtree(left, ignore_errors=True)


@contextlib.contextmanager
def _reaching(credential: str) -> Iterator[None]:
    """Say what it means that the server was not reached."""
    try:
        yield
    except GitError as error:
        raise classified(error, credential) from error
    except Passing as error:
        raise TransientError(error.reason, error.message) from error


def _of(failure: HostFailure, stands: str) -> AutopackError:
    if failure.transient:
        wait = f"; it wants to be left alone for {failure.retry_after:.0f} s" if failure.retry_after else ""
        return TransientError(failure.reason, f"{printable(failure.message)}{wait}", failure.fix)
    return Refused(failure.reason, f"{stands}: {printable(failure.message)}", failure.fix)
