"""`kubectl autopack logs`."""

from __future__ import annotations

import asyncio
import codecs
import sys
from typing import TYPE_CHECKING

import click

from autopack_cli.cluster.access import Access
from autopack_cli.cluster.options import access_options, attempt_option, run_in_cluster

if TYPE_CHECKING:
    from autopack_cli.cluster.session import Session
    from autopack_cli.cluster.volume import Attempt
    from autopack_operator.domain.api.common import JsonDict
    from autopack_volume.client.client import LogPart, VolumeClient

_STREAMS = ("stdout", "stderr")
_POLL_SECONDS = 1.0
_REOPENED = 5


@click.command("logs", short_help="Show what a run prints, while it runs and afterwards.")
@click.argument("run")
@click.option("-f", "--follow", is_flag=True, help="Continue until the run ends, through all of its attempts.")
@click.option("--stream", type=click.Choice(_STREAMS), help="Only this stream. Default: both, each to its own.")
@click.option("--tail", type=click.IntRange(min=0), metavar="BYTES", help="Only this many bytes from the end of each.")
@click.option("--raw", is_flag=True, help="Print control characters as they are, even on a terminal.")
@attempt_option
@access_options
def logs_command(
    run: str, stream: str | None, tail: int | None, attempt: int | None, access: Access, *, follow: bool, raw: bool
) -> int:
    """Show what a run prints, while it runs and after its pod is gone.

    On a terminal only colours get through, other control characters are shown; into a pipe every byte goes as it is.
    """
    chosen = (stream,) if stream else _STREAMS

    async def work(session: Session) -> None:
        from autopack_cli.cluster.targets import find_run
        from autopack_cli.cluster.volume import attempt_of

        body = await find_run(session, run)
        if follow:
            body = await _begun(session, run, body)
        printers = {name: _Printer(name, raw=raw, tail=tail) for name in chosen}
        which: Attempt | None = attempt_of(body, attempt)
        while which is not None:
            await _whole(session, which, printers, follow=follow)
            which = await _next(session, run, which) if follow and attempt is None else None
            for printer in printers.values():
                printer.begin_anew()
            if which is not None:
                click.echo(f"attempt {which.number}:", err=True)

    return run_in_cluster(access, work)


async def _begun(session: Session, run: str, body: JsonDict) -> JsonDict:
    """Wait until a run has an attempt, or never will."""
    from autopack_cli.cluster.tables import count, terminal
    from autopack_cli.cluster.targets import find_run

    while not count(body, "attempt") and not terminal(body):
        await asyncio.sleep(_POLL_SECONDS)
        body = await find_run(session, run)
    return body


async def _next(session: Session, run: str, before: Attempt) -> Attempt | None:
    """Wait for the attempt after one that is over; None when the run is finished with it."""
    from autopack_cli.cluster.tables import count, terminal
    from autopack_cli.cluster.targets import find_run
    from autopack_cli.cluster.volume import attempt_of

    while True:
        body = await find_run(session, run)
        if count(body, "attempt") > before.number:
            return attempt_of(body, before.number + 1)
        if terminal(body):
            return None
        await asyncio.sleep(_POLL_SECONDS)


async def _whole(session: Session, which: Attempt, printers: dict[str, _Printer], *, follow: bool) -> None:
    """Show an attempt's logs; one that is followed outlasts a way to the volume that is lost."""
    from autopack_cli.cluster.volume import Lost, open_volume

    for tries in range(_REOPENED + 1):
        try:
            async with open_volume(session) as volume:
                await _show(volume, which, printers, follow=follow)
            return
        except Lost:
            if not follow or tries == _REOPENED:
                raise
            await asyncio.sleep(_POLL_SECONDS)


async def _show(volume: VolumeClient, which: Attempt, printers: dict[str, _Printer], *, follow: bool) -> None:
    while True:
        over = True
        for name, printer in printers.items():
            part = await volume.log(*which.key, name, **printer.query())
            printer.write(part)
            over = over and not part.data and not (part.live and follow)
        if over:
            return
        await asyncio.sleep(_POLL_SECONDS if follow else 0)


class _Printer:
    """Prints one stream of an attempt; on a terminal inert."""

    def __init__(self, name: str, *, raw: bool, tail: int | None) -> None:
        self._error = name == "stderr"
        self._tail = tail
        self._offset: int | None = None
        self._decoder = None
        if not raw and (sys.stderr if self._error else sys.stdout).isatty():
            self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")

    def begin_anew(self) -> None:
        """Go to the beginning, for another attempt."""
        self._offset, self._tail = None, None

    def query(self) -> dict[str, int]:
        """Return what to ask for next."""
        if self._offset is None and self._tail is not None:
            return {"tail": self._tail}
        return {"offset": self._offset or 0}

    def write(self, part: LogPart) -> None:
        """Print a part and go on after it."""
        from autopack_cli.cluster.inert import inert
        from autopack_cli.shared.output import echo

        self._offset = part.offset + len(part.data)
        shown = part.data if self._decoder is None else inert(self._decoder.decode(part.data)).encode()
        if shown:
            echo(shown, err=self._error)
