"""kopf's settings, and what keeps it from writing to any object."""

from __future__ import annotations

from collections.abc import Iterable

import kopf

from autopack_operator.domain.api.common import MANAGED
from autopack_operator.ports.cluster import LIST_PAGE

NO_FINALIZER = "none: kopf finds no finalizer of its own"
"""The API server refuses spaces in a finalizer, so no object has this one. kopf takes its own finalizer off any object
that has it and no handler for it: a patch, which anybody could provoke by putting kopf's default one on a run."""


class NoDiffs(kopf.DiffBaseStorage):
    """kopf compares each object with its last state for handlers that are not used here: a deep copy an event less."""

    def build(self, *, body: kopf.Body, extra_fields: Iterable[object] | None = None) -> kopf.BodyEssence:  # noqa: ARG002
        """Nothing of an object is compared."""
        return kopf.BodyEssence()

    def fetch(self, *, body: kopf.Body) -> kopf.BodyEssence | None:  # noqa: ARG002
        """Nothing was stored."""
        return None

    def store(self, *, body: kopf.Body, patch: kopf.Patch, essence: kopf.BodyEssence) -> None:
        """Nothing is stored: a patch of an annotation would be a write."""


class NoProgress(kopf.ProgressStorage):
    """kopf looks in each object for the progress of handlers that are not used here."""

    def fetch(self, *, key: object, body: kopf.Body) -> None:  # noqa: ARG002
        """Nothing was stored."""
        return

    def store(self, *, key: object, record: object, body: kopf.Body, patch: kopf.Patch) -> None:
        """Nothing is stored: a patch of an annotation would be a write."""

    def purge(self, *, key: object, body: kopf.Body, patch: kopf.Patch) -> None:
        """There is nothing."""

    def touch(self, *, body: kopf.Body, patch: kopf.Patch, value: str | None) -> None:
        """A write just to be called again is a write, too."""

    def clear(self, *, essence: kopf.BodyEssence) -> kopf.BodyEssence:
        """There is nothing to clear away."""
        return essence


def settings() -> kopf.OperatorSettings:
    """Numbers from kopf's own issues: silent watches (#204, #957), filters that fill memory (PR #1311)."""
    chosen = kopf.OperatorSettings()
    chosen.posting.enabled = False
    chosen.scanning.disabled = True
    chosen.peering.standalone = True
    chosen.persistence.finalizer = NO_FINALIZER
    chosen.persistence.diffbase_storage = NoDiffs()
    chosen.persistence.progress_storage = NoProgress()
    chosen.process.ultimate_exiting_timeout = None
    chosen.watching.server_timeout = 300
    chosen.watching.client_timeout = 330
    chosen.watching.inactivity_timeout = 70
    chosen.watching.connect_timeout = 10
    chosen.watching.chunk_size = LIST_PAGE
    chosen.watching.label_selectors["pods"] = MANAGED
    chosen.networking.request_timeout = 30
    chosen.queueing.worker_limit = None
    # kopf has a task for each object that said something; let those of a big list end soon.
    chosen.queueing.idle_timeout = 0.5
    return chosen
