"""Templates, and the words that they use. Everything that is shown is escaped; nothing here marks text as safe."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from autopack import measures
from autopack.agents.usage import dollars
from autopack.errors import printable
from autopack.phases import Phase
from autopack_dashboard import texts
from autopack_dashboard.access.doorman import USER

TONES = {
    Phase.SUCCEEDED: "good",
    Phase.RUNNING: "busy",
    Phase.PREPARING: "busy",
    Phase.FINISHING: "busy",
    Phase.FAILED: "bad",
    Phase.REFUSED: "bad",
    Phase.CANCELED: "calm",
    Phase.SUSPENDED: "calm",
    Phase.PENDING: "wait",
}


class View:
    """Renders templates."""

    def __init__(self, title: str) -> None:
        self._title = title

    def page(self, request: web.Request, name: str, values: Mapping[str, Any], status: int = 200) -> web.Response:
        """Return a page."""
        common = {"title": self._title, "here": request.path, "user": request.get(USER), "now": now()}
        text = _templates().get_template(name).render({**common, **values})
        return web.Response(text=text, content_type="text/html", status=status)


@cache
def _templates() -> Environment:
    templates = Environment(
        loader=PackageLoader("autopack_dashboard"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.globals |= {"run_url": run_url, "batch_url": batch_url}
    templates.filters |= {
        "age": age,
        "moment": moment,
        "took": took,
        "size": measures.size,
        "usd": lambda micro_usd: "" if micro_usd is None else f"${dollars(micro_usd)}",
        "thousands": lambda number: "" if number is None else f"{number:,}",
        "short": lambda sha: (sha or "")[:10],
        "tone": lambda state: TONES.get(state, "calm"),
        "query": lambda values: urlencode({name: value for name, value in values.items() if value}),
    }
    return templates


def shown(value: Any) -> Any:  # noqa: ANN401 - whatever a template names
    """Make every text on a page visible: what is invisible, turns the line around or is no character at all.

    Names of files, branches and runs come from programs that may have meant harm.
    """
    if not isinstance(value, str) or isinstance(value, Markup) or value.isprintable():
        return value
    return "\n".join(printable(line, 10 * len(line) + 1) for line in value.split("\n"))


def now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


def run_url(scope: str, run_id: str, page: str = "", **query: str | int | None) -> str:
    """Return the address of a run, or of a page below it."""
    asked = {name: value for name, value in query.items() if value is not None}
    place = f"/runs/{quote(scope, safe='')}/{quote(run_id, safe='')}"
    return place + (f"/{page}" if page else "") + (f"?{urlencode(asked, errors='surrogateescape')}" if asked else "")


def batch_url(batch_id: str) -> str:
    """Return the address of a batch."""
    return f"/batches/{quote(batch_id, safe='')}"


def moment(when: datetime | str | None) -> str:
    """Return a time in full, as for a title; empty for none."""
    if isinstance(when, str):
        try:
            when = datetime.fromisoformat(when)
        except ValueError:
            return texts.line(str(when))
    return when.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if when is not None else ""


def age(when: datetime | None, at: datetime) -> str:
    """Return how long ago that was: `3m5s ago`."""
    if when is None:
        return ""
    seconds = (at - when).total_seconds()
    if seconds < 2:
        return "just now"
    return f"{measures.duration(seconds)} ago"


def took(started: datetime | None, finished: datetime | None, at: datetime) -> str:
    """Return how long something has taken, so far if it is under way."""
    return measures.duration(((finished or at) - started).total_seconds()) if started is not None else ""
