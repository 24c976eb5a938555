"""What a request asks for, checked. Raises InvalidInput, which becomes a page with status 400."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime

from aiohttp import web

from autopack.errors import InvalidInput
from autopack.phases import Phase
from autopack.registry.reader import Cursor, RunDetail, RunFilter, RunSummary
from autopack_dashboard.pages.problems import not_found
from autopack_dashboard.rows import Rows

PAGE = 50
_LONGEST = 253


def text(request: web.Request, name: str) -> str | None:
    """Return a short text of the query, None when it is absent or empty."""
    found = request.query.get(name, "").strip()
    if len(found) > _LONGEST or "\0" in found:
        raise InvalidInput(name, f"'{name}' is too long", f"Give at most {_LONGEST} characters")
    return found or None


def number(request: web.Request, name: str, least: int, most: int) -> int | None:
    """Return a whole number of the query."""
    found = text(request, name)
    if found is None:
        return None
    if not (found.isascii() and found.isdecimal()) or len(found) > 9 or not least <= int(found) <= most:
        raise InvalidInput(name, f"'{name}' is not a number from {least} to {most}", "Follow a link instead")
    return int(found)


def run_filter(request: web.Request) -> RunFilter:
    """Return what a list of runs is narrowed to."""
    state = text(request, "state")
    if state is not None and state not in {str(each) for each in Phase}:
        raise InvalidInput("state", "this is not a state of a run", f"Choose from {', '.join(Phase)}")
    return RunFilter(state, text(request, "batch"), text(request, "q"), text(request, "run"))


def cursor(request: web.Request) -> Cursor | None:
    """Return where the page before ended."""
    given = request.query.get("after", "")
    if not given:
        return None
    try:
        moment, scope, run_id = base64.urlsafe_b64decode(given.encode("ascii")).decode().split("\n")
        when = datetime.fromisoformat(moment)
    except (ValueError, binascii.Error) as error:
        raise InvalidInput("after", "this is not a place in the list", "Begin at its first page") from error
    if when.tzinfo is None or "\0" in scope + run_id:
        raise InvalidInput("after", "this is not a place in the list", "Begin at its first page")
    return when, scope, run_id


def cursor_after(run: RunSummary) -> str:
    """Return the text that leads to the page after this run."""
    return base64.urlsafe_b64encode(f"{run.listed_at.isoformat()}\n{run.scope}\n{run.run_id}".encode()).decode()


async def run_of(request: web.Request, rows: Rows) -> RunDetail:
    """Return the run that the path names."""
    scope, run_id = request.match_info["scope"], request.match_info["run_id"]
    found = None if "\0" in scope + run_id else await rows.run(scope, run_id)
    if found is None:
        raise not_found("run")
    return found


def attempt_of(request: web.Request, run: RunDetail) -> int:
    """Return the attempt that is asked for: by default the last."""
    return number(request, "attempt", 1, max(1, run.summary.attempt)) or max(1, run.summary.attempt)
