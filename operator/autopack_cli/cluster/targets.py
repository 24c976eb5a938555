"""What a user means by a name: `run/x`, `batch/x`, or `x` alone."""

from __future__ import annotations

from typing import NamedTuple

from autopack.errors import InvalidInput, printable
from autopack_cli.cluster.problems import NOT_THERE, ClusterProblem
from autopack_cli.cluster.session import BATCHES, RUNS, Resource, Session
from autopack_operator.domain.api.common import BATCH_LABEL, JsonDict
from autopack_operator.domain.naming import label_value

_KINDS = {
    "run": RUNS,
    "runs": RUNS,
    "autopackrun": RUNS,
    "autopackruns": RUNS,
    "apr": RUNS,
    "batch": BATCHES,
    "batches": BATCHES,
    "runbatch": BATCHES,
    "runbatches": BATCHES,
    "rb": BATCHES,
}
WORDS = {RUNS: "run", BATCHES: "batch"}


class Found(NamedTuple):
    """A run or a batch."""

    resource: Resource
    body: JsonDict

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.body["metadata"]["name"])

    @property
    def title(self) -> str:
        """`run/<name>` or `batch/<name>`."""
        return f"{WORDS[self.resource]}/{self.name}"


def kind_of(word: str) -> Resource | None:
    """Return what a word such as `runs` or `batch` stands for, None when it is no such word."""
    return _KINDS.get(word.lower().removesuffix(".autopack.dev"))


def parse(text: str) -> tuple[Resource | None, str]:
    """Return the kind, if the user said it, and the name; raise InvalidInput."""
    kind, slash, name = text.rpartition("/")
    if not slash:
        kind, name = "", text
    resource = kind_of(kind) if kind else None
    if not name or (kind and resource is None):
        shown = printable(text, 80)
        raise InvalidInput("name", f"'{shown}' is not a run or a batch", "Use NAME, run/NAME or batch/NAME")
    return resource, name


async def find(session: Session, text: str) -> Found:
    """Return the run or the batch that is meant; ClusterProblem when there is none, or both."""
    resource, name = parse(text)
    found = [
        Found(kind, body)
        for kind in ([resource] if resource else [BATCHES, RUNS])
        if (body := await session.get(kind, name)) is not None
    ]
    shown = printable(name, 80)
    if not found:
        what = WORDS[resource] if resource else "run or batch"
        message = f"there is no {what} '{shown}' in the namespace {session.namespace}"
        raise ClusterProblem(f"{message}. `kubectl autopack get -n {session.namespace}` lists them", NOT_THERE)
    if len(found) > 1:
        raise ClusterProblem(f"there are a run and a batch '{shown}'. Say run/{shown} or batch/{shown}")
    return found[0]


async def find_run(session: Session, text: str) -> JsonDict:
    """Return a run; ClusterProblem when there is none."""
    resource, name = parse(text)
    body = None if resource == BATCHES else await session.get(RUNS, name)
    if body is not None:
        return body
    shown = printable(text, 80)
    if resource == BATCHES or (resource is None and await session.get(BATCHES, name) is not None):
        fix = f"Name one of its runs: `kubectl autopack get runs --batch {printable(name, 80)}` lists them"
        raise ClusterProblem(f"'{shown}' is a batch, and one run is wanted. {fix}")
    message = f"there is no run '{printable(name, 80)}' in the namespace {session.namespace}"
    raise ClusterProblem(f"{message}. `kubectl autopack get runs` lists them", NOT_THERE)


async def runs_of(session: Session, texts: tuple[str, ...]) -> list[JsonDict]:
    """Return the runs that are named, each once, a batch standing for all of its runs."""
    runs: dict[str, JsonDict] = {}
    for text in texts:
        found = await find(session, text)
        bodies = [found.body] if found.resource == RUNS else await children(session, found.body)
        runs |= {str(body["metadata"]["uid"]): body for body in bodies}
    return list(runs.values())


async def children(session: Session, batch: JsonDict) -> list[JsonDict]:
    """Return the runs of a batch."""
    uid, name = batch["metadata"]["uid"], str(batch["metadata"]["name"])
    listed = await session.list(RUNS, f"{BATCH_LABEL}={label_value(name)}")
    return [
        body
        for body in listed
        if any(owner.get("uid") == uid for owner in body["metadata"].get("ownerReferences") or ())
    ]
