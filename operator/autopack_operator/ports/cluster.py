"""The Kubernetes API as the application uses it. Every write is safe to repeat and safe under stale reads."""

from __future__ import annotations

from typing import Protocol

from autopack_operator.domain.api.common import JsonDict
from autopack_operator.domain.api.status import AutopackRunStatus, RunBatchStatus
from autopack_operator.domain.views import BatchView, LeaseConflict, LeaseView, PodView, ProfileView, RunView

LIST_PAGE = 50
"""Objects asked for at once in a list. As JSON they take ten times the memory of what is kept of them, and it is not
always given back.
"""


class ApiError(Exception):
    """The API server did not do what was asked."""


class ConflictError(ApiError):
    """The object changed since it was read (409 Conflict): read again, decide again."""


class AlreadyExistsError(ApiError):
    """An object of that name is there already (409 AlreadyExists); whose it is has to be looked up."""


class GoneError(ApiError):
    """The object (or the one with that UID) is no longer there (404)."""


class ForeignObjectError(Exception):
    """The name is taken by an object that is not ours. It is never touched."""


class TransientError(ApiError):
    """The API server could not answer now (429, 5xx, connection lost); the write may or may not have happened."""


class UnauthorizedError(TransientError):
    """The API server does not know who asks (401): a token that was rotated under us, or none that is good."""


class RejectedError(ApiError):
    """The API server refused the object for good (400, 403, 422). `str()` is its message."""


class ForbiddenError(RejectedError):
    """The caller may not do that (403); the message names verb and resource."""


class Runs(Protocol):
    """AutopackRun objects."""

    async def get(self, namespace: str, name: str) -> RunView | None:
        """Live read; None when there is none."""
        ...

    async def create(self, manifest: JsonDict) -> RunView:
        """Create, or return the one that is there when its controller is the same; else ForeignObjectError."""
        ...

    async def write_status(self, run: RunView, status: AutopackRunStatus) -> RunView:
        """PUT of the status with the run's resourceVersion; ConflictError, GoneError, TransientError."""
        ...

    async def delete(self, run: RunView) -> None:
        """Delete with a UID precondition, dependants in the background; an absent run is fine."""
        ...


class Batches(Protocol):
    """RunBatch objects."""

    async def write_status(self, batch: BatchView, status: RunBatchStatus) -> BatchView:
        """As Runs.write_status."""
        ...

    async def delete(self, batch: BatchView) -> None:
        """As Runs.delete."""
        ...


class Profiles(Protocol):
    """RunProfile objects."""

    async def get(self, namespace: str, name: str) -> ProfileView | None:
        """Live read; None when there is none."""
        ...


class Pods(Protocol):
    """Pods of runs."""

    async def get(self, namespace: str, name: str) -> PodView | None:
        """Live read; None when there is none."""
        ...

    async def create(self, manifest: JsonDict) -> PodView:
        """Create; on AlreadyExists the pod that is there when its controller UID is ours, else ForeignObjectError."""
        ...

    async def delete(self, pod: PodView, grace_seconds: int | None = None) -> None:
        """Delete with a UID precondition; an absent pod is fine."""
        ...


class Leases(Protocol):
    """Lease objects as claims (no heartbeats): compare-and-swap on the resourceVersion, never a patch."""

    async def acquire(self, owner: RunView, attempt: int, workspace: str) -> LeaseConflict | None:
        """Hold the run and that workspace (`<claim>/<path in it>`) for the attempt (None), or say who does. A Lease of
        an earlier attempt of the same run passes over.
        """
        ...

    async def release(self, namespace: str, run_uid: str, attempt: int) -> None:
        """Let go of all that this attempt of the run holds, in one request; others' are left alone. Idempotent."""
        ...


class ConfigMaps(Protocol):
    """ConfigMaps that hold anchors, and prompts."""

    async def read(self, namespace: str, name: str, key: str, *, label: str | None = None) -> str | None:
        """The text under that key; None when the map or the key is absent, or `label` is not "true" on the map."""
        ...


class Events(Protocol):
    """Kubernetes Events, on transitions only. Best effort: never raises, never blocks a reconcile."""

    def record(self, subject: RunView | BatchView, reason: str, message: str, *, warning: bool = False) -> None:
        """Queue one event about the object."""
        ...

    async def run(self) -> None:
        """Send what was queued, until canceled."""
        ...


class Lister(Protocol):
    """Live lists, to compare the cache with."""

    async def runs(self) -> list[RunView]:
        """All AutopackRuns of the namespace."""
        ...

    async def batches(self) -> list[BatchView]:
        """All RunBatches of the namespace."""
        ...

    async def pods(self) -> list[PodView]:
        """All pods of runs."""
        ...

    async def leases(self) -> list[LeaseView]:
        """All Leases of runs."""
        ...
