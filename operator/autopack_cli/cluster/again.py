"""What `retry` makes of something finished."""

from __future__ import annotations

from autopack.errors import printable
from autopack.phases import Phase
from autopack_cli.cluster.problems import ClusterProblem
from autopack_cli.cluster.session import BATCHES, Session
from autopack_cli.cluster.tables import status, terminal
from autopack_cli.cluster.targets import Found
from autopack_operator.domain.api.common import ANCHOR_ANNOTATION, API_VERSION, RETRY_OF_ANNOTATION, JsonDict
from autopack_operator.domain.batch.retry import NothingToRetryError, retry_manifest

_TRIES = 1000
_NOT_TAKEN_OVER = ("suspend", "cancel")


async def free_name(session: Session, found: Found) -> str:
    """Return the first name `<name>-retry-<n>` that nothing has."""
    for number in range(1, _TRIES):
        name = f"{found.name}-retry-{number}"
        if await session.get(found.resource, name) is None:
            return name
    raise ClusterProblem(f"{found.title} was tried again {_TRIES} times. Give a name with --as")


def manifest_of(found: Found, name: str) -> JsonDict:
    """Return the batch of the failed runs, or the run again; ClusterProblem when there is nothing to try again."""
    if found.resource == BATCHES:
        try:
            return retry_manifest(found.body, name)
        except NothingToRetryError as error:
            raise ClusterProblem(printable(str(error), 500)) from error
    return _run_again(found, name)


def _run_again(found: Found, name: str) -> JsonDict:
    body, meta = found.body, found.body["metadata"]
    if not terminal(body) or status(body, "phase") == Phase.SUCCEEDED:
        raise ClusterProblem(f"{found.title} has not failed: it is {status(body, 'phase') or 'Pending'}")
    anchor = (meta.get("annotations") or {}).get(ANCHOR_ANNOTATION)
    if anchor is None and meta.get("ownerReferences"):
        raise ClusterProblem(
            f"{found.title} has its batch's anchor. Retry the batch: only its failed runs are created again"
        )
    annotations = {RETRY_OF_ANNOTATION: found.name} | ({ANCHOR_ANNOTATION: anchor} if anchor is not None else {})
    return {
        "apiVersion": API_VERSION,
        "kind": "AutopackRun",
        "metadata": {"name": name, "namespace": meta["namespace"], "annotations": annotations},
        "spec": {key: value for key, value in body["spec"].items() if key not in _NOT_TAKEN_OVER},
    }
