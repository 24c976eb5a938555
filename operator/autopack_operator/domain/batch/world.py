"""What a decision about a batch sees, and the steps that it can ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from autopack_operator.domain.api.batch import BatchItem, RunBatchSpec
from autopack_operator.domain.api.status import RunBatchStatus
from autopack_operator.domain.run.world import ReadAnchor, Wait
from autopack_operator.domain.views import AnchorVerdict, RunView


@dataclass(frozen=True, slots=True)
class BatchWorld:
    """Everything but the batch itself.

    Attributes:
        spec: the batch's spec, parsed.
        children: the batch's runs by name, as the cache has them.
        anchor: the gate's answer; None when not read yet.
        lost: names of runs that were created and that a live read no longer found.
        taken: names that belong to an object that is not this batch's.
        rejected: what the API server said when it rejected a run of this batch; empty when it did not.
        quiet_for: seconds since this process last wrote the batch's status.

    """

    spec: RunBatchSpec
    children: Mapping[str, RunView]
    anchor: AnchorVerdict | None = None
    lost: frozenset[str] = frozenset()
    taken: frozenset[str] = frozenset()
    rejected: str = ""
    quiet_for: float = 1e9


@dataclass(frozen=True, slots=True)
class CreateRuns:
    """Create the runs of these items, (index, item) each."""

    items: tuple[tuple[int, BatchItem], ...] = field(default=())


@dataclass(frozen=True, slots=True)
class LookUpRuns:
    """Read these runs live: they were created once and the cache does not know them."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WriteBatchStatus:
    """Write this status, if it differs from the stored one."""

    status: RunBatchStatus


BatchStep = ReadAnchor | CreateRuns | LookUpRuns | WriteBatchStatus | Wait
