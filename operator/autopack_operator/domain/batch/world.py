"""What a decision about a batch sees, and the steps that it can ask for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from autopack_operator.domain.api.batch import RunBatchSpec
from autopack_operator.domain.api.status import RunBatchStatus
from autopack_operator.domain.batch.census import Census, Start
from autopack_operator.domain.run.world import ReadAnchor, Wait
from autopack_operator.domain.views import AnchorVerdict


@dataclass(frozen=True, slots=True)
class BatchWorld:
    """Everything but the batch itself.

    Attributes:
        spec: the batch's spec, parsed.
        census: its runs by state. A decision reads it and changes nothing in it.
        anchor: the gate's answer; None when not read yet.
        turns: how many runs may start now, by the quota of the profile; None when not asked yet.
        rejected: what the API server said when it rejected a run of this batch; empty when it did not.
        last_start: when this process last created a run of the batch; None when it has created none.
        quiet_for: seconds since this process last wrote the batch's status.

    """

    spec: RunBatchSpec
    census: Census
    anchor: AnchorVerdict | None = None
    turns: int | None = None
    rejected: str = ""
    last_start: datetime | None = None
    quiet_for: float = 1e9


@dataclass(frozen=True, slots=True)
class AskForTurns:
    """Ask the quota of the profile for so many starts."""

    number: int


@dataclass(frozen=True, slots=True)
class CreateRuns:
    """Create these runs."""

    starts: tuple[Start, ...]


@dataclass(frozen=True, slots=True)
class LookUpRuns:
    """Read these runs live: they were created once and the cache does not know them."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WriteBatchStatus:
    """Write this status, if it differs from the stored one."""

    status: RunBatchStatus


@dataclass(frozen=True, slots=True)
class DeleteBatch:
    """The time to live is over."""


BatchStep = ReadAnchor | AskForTurns | CreateRuns | LookUpRuns | WriteBatchStatus | DeleteBatch | Wait
