"""The volume service: the only part that touches the files of runs."""

from __future__ import annotations

from typing import Protocol

from autopack_operator.domain.api.common import Source
from autopack_operator.domain.run.prompts import NOTHING_ASKED, Asked
from autopack_operator.domain.views import Attempt, CommittedWork, UnfinishedAttempt, VolumeFailure


class Volume(Protocol):
    """`prepare` and `commit` are idempotent; None means under way, ask again."""

    async def prepare(
        self,
        run_uid: str,
        run_name: str,
        attempt: int,
        source: Source,
        branch: str,
        *,
        resume: bool = False,
        asked: Asked = NOTHING_ASKED,
    ) -> Attempt | VolumeFailure | None:
        """Fetch the repository, pin the commit, make the attempt's folders with what it is asked in them; carry over
        what the last attempt left.
        """
        ...

    async def commit(
        self, run_uid: str, run_name: str, attempt: int, *, remove_workspace: bool
    ) -> CommittedWork | VolumeFailure | None:
        """Verify and import what the attempt left. Only for an attempt whose pod is stopped."""
        ...

    async def unfinished(self) -> list[UnfinishedAttempt] | VolumeFailure:
        """The attempts that were prepared and never committed, those under way included."""
        ...
