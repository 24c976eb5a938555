"""Takes what the watches tell into the cache, and says who has to look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from autopack_operator.cache import Cache, Store, slimmed
from autopack_operator.domain.api.common import JsonDict
from autopack_operator.domain.keys import Key, Kind, keys_for_batch_of, keys_for_pod, keys_for_run
from autopack_operator.domain.projection import batch_view, pod_view, profile_view, run_view
from autopack_operator.domain.views import RunView


@dataclass(frozen=True)
class _Watched:
    """One resource: where it goes, how it is read, and whom its changes concern."""

    store: Store[Any]
    view: Callable[[JsonDict], Any]
    keys: Callable[[Any, bool], list[Key]]
    """(object, whether it was deleted) -> who has to look."""
    keys_of_echo: Callable[[Any], list[Key]] = lambda _: []
    """Who has to look at a state that is known already: whoever brought it into the cache has looked."""


class Intake:
    """Resources by the plural of their names."""

    def __init__(self, cache: Cache, enqueue: Callable[[Key], None]) -> None:
        self._enqueue = enqueue
        self._watched = {
            "autopackruns": _Watched(
                cache.runs, lambda body: slimmed(run_view(body)), keys_for_run, _keys_for_echo_of_run
            ),
            "runbatches": _Watched(
                cache.batches, batch_view, lambda batch, _: [Key(Kind.BATCH, batch.namespace, batch.name)]
            ),
            "runprofiles": _Watched(
                cache.profiles, profile_view, lambda profile, _: [Key(Kind.PROFILE, profile.namespace, profile.name)]
            ),
            "pods": _Watched(cache.pods, pod_view, lambda pod, _: keys_for_pod(pod)),
        }

    def take_in(self, plural: str, event: str | None, body: JsonDict) -> None:
        """One event of a watch (`event` is None for an object of a list).

        Most events are echoes: of a write of this process, or, when the watch starts over, of what it reported before.
        Those are not read again, and nobody is woken who knows already.
        """
        watched, meta = self._watched[plural], body["metadata"]
        deleted = event == "DELETED"
        known = watched.store.at(meta["namespace"], meta["name"], meta["uid"], meta.get("resourceVersion", ""))
        if known is not None and not deleted:
            keys = watched.keys_of_echo(known)
        else:
            view = watched.view(body)
            # How a deleted object was at the end is told by this event alone.
            watched.store.put(view)
            if deleted:
                watched.store.remove(view.namespace, view.name, view.uid)
            keys = watched.keys(view, deleted)
        for key in keys:
            self._enqueue(key)


def _keys_for_echo_of_run(run: RunView) -> list[Key]:
    """Its own reconciler ended it, and its batch does not know yet."""
    return keys_for_batch_of(run) if run.terminal else []
