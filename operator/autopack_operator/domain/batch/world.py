"""What a decision about a batch sees, and the steps that it can ask for."""

from __future__ import annotations

from dataclasses import dataclass

from autopack_operator.domain.api.batch import RunBatchSpec
from autopack_operator.domain.api.status import Deliveries, RunBatchStatus
from autopack_operator.domain.batch.census import Start
from autopack_operator.domain.batch.memory import BatchMemory
from autopack_operator.domain.run.world import ReadAnchor, Wait


@dataclass(frozen=True, slots=True)
class BatchWorld:
    """Everything but the batch itself.

    Attributes:
        spec: the batch's spec, parsed.
        known: its runs by state, and the answers of steps. A decision reads it and changes nothing in it.
        spec_error: why the spec cannot be parsed; `spec` is only a stand-in then.
        quiet_for: seconds since this process last wrote the batch's status.
        deliveries: those of its runs, counted.

    """

    spec: RunBatchSpec
    known: BatchMemory
    spec_error: str = ""
    quiet_for: float = 1e9
    deliveries: Deliveries | None = None


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
class WakeRuns:
    """Have the runs under way look at their batch: whether they are canceled, they read from it."""


BatchStep = ReadAnchor | AskForTurns | CreateRuns | LookUpRuns | WakeRuns | WriteBatchStatus | Wait
