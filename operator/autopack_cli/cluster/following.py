"""Follows a batch or a run until it ends: a table that is redrawn on a terminal, a line for each change elsewhere."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Protocol

import click

from autopack.errors import printable
from autopack.phases import Phase
from autopack_cli.cluster import progress, tables
from autopack_cli.cluster.problems import NOT_THERE, ClusterProblem
from autopack_cli.cluster.session import BATCHES, Session
from autopack_cli.cluster.targets import Found, children
from autopack_cli.shared.failures import OK, RUNS_FAILED
from autopack_cli.shared.output import echo
from autopack_operator.domain.api.common import JsonDict
from autopack_operator.domain.times import seconds_between
from autopack_operator.ports.cluster import TransientError

_ASK_SECONDS = 1.0
_MOST_ASK_SECONDS = 15.0
_MANY_RUNS = 500
"""Of a larger batch the runs are not asked for again and again; its counters say how far it is."""
_SHOWN = 20
_UNSEEN_SECONDS = 20.0
"""An operator that watches a namespace gives what is made there a status within a second or two."""


_UNSEEN = (
    "{title} waits, and no operator has seen it: does one watch the namespace {namespace}? "
    "`kubectl autopack doctor -n {namespace}` looks"
)


class View(Protocol):
    """Shows a batch (or run) and its runs."""

    def show(self, body: JsonDict, runs: list[JsonDict]) -> None:
        """Show how far it is."""
        ...


class Lines:
    """A line for each change."""

    def __init__(self) -> None:
        self._before: dict[str, str] = {}
        self._said = ""

    def show(self, body: JsonDict, runs: list[JsonDict]) -> None:
        """Print what has changed."""
        now = datetime.now(UTC)
        lines = progress.changes(self._before, runs, now)
        for line in lines:
            echo(line)
        self._before = {str(run["metadata"]["name"]): progress.state_of(run) for run in runs}
        counted = f"{progress.state_of(body)} {progress.ended(body)}"
        if body.get("kind") == "RunBatch" and counted != self._said:
            self._said = counted
            echo(f"{printable(str(body['metadata']['name']))}: {progress.summary(body, now)}")


class Redrawn:
    """A table of the runs under way, below it the progress; lines of what ended scroll away above."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live

        self._console = Console()
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._before: dict[str, str] = {}

    def show(self, body: JsonDict, runs: list[JsonDict]) -> None:
        """Draw it again."""
        from rich.text import Text

        now = datetime.now(UTC)
        over = [run for run in runs if tables.terminal(run)]
        for line in progress.changes(self._before, over, now):
            self._console.print(Text(line, style="" if ": Succeeded" in line else "red"), soft_wrap=True)
        self._before |= {str(run["metadata"]["name"]): progress.state_of(run) for run in over}
        at_work = [run for run in runs if not tables.terminal(run) and tables.status(run, "startedAt")]
        waiting = len(runs) - len(over) - len(at_work)
        lines = tables.table(tables.RUN, at_work[:_SHOWN], now) if at_work else []
        more = len(at_work) - _SHOWN
        lines += [f"… and {more} more"] if more > 0 else []
        lines += [f"{waiting} waiting"] if waiting else []
        self._live.update(Text("\n".join([*lines, progress.summary(body, now)])), refresh=True)

    def __enter__(self) -> Redrawn:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._live.stop()


@contextlib.contextmanager
def _view() -> Iterator[View]:
    if sys.stdout.isatty():
        with Redrawn() as view:
            yield view
    else:
        yield Lines()


async def follow(session: Session, found: Found) -> int:
    """Show a batch or a run until it is finished; return 0 if it succeeded, else 1.

    A short silence of the API is waited out.
    """
    pause, uid, said = _ASK_SECONDS, found.body["metadata"]["uid"], False
    with _view() as view:
        while True:
            try:
                body = await session.get(found.resource, found.name)
                if body is None or body["metadata"]["uid"] != uid:
                    raise ClusterProblem(f"{found.title} was deleted", NOT_THERE)
                view.show(body, await _runs(session, found, body))
                if not said and _is_unseen(body):
                    said = True
                    click.echo(_UNSEEN.format(title=found.title, namespace=session.namespace), err=True)
            except TransientError:
                pause = min(pause * 2, _MOST_ASK_SECONDS)
                if pause >= _MOST_ASK_SECONDS:
                    raise
            else:
                pause = _ASK_SECONDS
                if tables.terminal(body):
                    break
            await asyncio.sleep(pause)
    if sys.stdout.isatty():
        echo(printable(f"{found.title}: {progress.summary(body, datetime.now(UTC))}", 500))
    return OK if tables.status(body, "phase") == Phase.SUCCEEDED else RUNS_FAILED


def _is_unseen(body: JsonDict) -> bool:
    made = body["metadata"].get("creationTimestamp")
    return not body.get("status") and bool(made) and seconds_between(made, datetime.now(UTC)) > _UNSEEN_SECONDS


async def _runs(session: Session, found: Found, body: JsonDict) -> list[JsonDict]:
    if found.resource != BATCHES:
        return [body]
    return await children(session, body) if tables.count(body, "total") <= _MANY_RUNS else []
